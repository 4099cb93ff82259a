import { describe, expect, test } from 'vitest'
import { cidOf, DAG_CBOR } from '../../../devnet/ipld/cid.ts'
import {
  decodeTransaction,
  encodeTransaction,
  type Power,
  TRANSACTION_BYTES_MAX,
  type Transaction,
} from '../../../devnet/node/transaction.ts'
import { fromHex, toHex } from '../../../devnet/primitives/bytes.ts'
import type { ActorId } from '../../../devnet/state/actor.ts'
import { idAddress } from '../../../devnet/state/address.ts'
import type { TokenAmount } from '../../../devnet/state/token.ts'

const message = {
  version: 0n,
  from: idAddress(100n),
  to: idAddress(101n),
  sequence: 1n,
  value: 2n as TokenAmount,
  gasLimit: 3n,
  gasFeeCap: 4n as TokenAmount,
  gasPremium: 5n as TokenAmount,
  method: 6n,
  params: Uint8Array.of(7),
}
const signed: Transaction = { kind: 'signed', origin: 0, message, signature: { type: 1, data: new Uint8Array(65) } }
const root = cidOf(DAG_CBOR, Uint8Array.of(0x80))
const powers: readonly Power[] = [
  { power: 'install', code: Uint8Array.of(1) },
  { power: 'deploy', code: Uint8Array.of(1), params: Uint8Array.of(2), value: 3n as TokenAmount, from: idAddress(4n) },
  { power: 'upgrade', actor: 5n as ActorId, code: Uint8Array.of(6), mode: 'migrate', params: new Uint8Array(0) },
  { power: 'set-balance', address: idAddress(7n), balance: 8n as TokenAmount },
  { power: 'set-sequence', address: idAddress(9n), sequence: 10n },
  { power: 'set-state', actor: 11n as ActorId, root, blocks: [Uint8Array.of(0x80)] },
  {
    power: 'set-actor',
    actor: 12n as ActorId,
    code: root,
    root,
    sequence: 13n,
    balance: 14n as TokenAmount,
    delegated: idAddress(15n),
    blocks: [Uint8Array.of(0x80)],
  },
  { power: 'impersonate', message },
]

describe('a transaction', () => {
  test('of a signed message is the chain message of IPC', () => {
    const bytes = encodeTransaction(signed)
    // {"Signed": [0, [10 fields], 66 bytes]}
    expect(toHex(bytes)).toMatch(/^a1665369676e656483008a/)
    expect(decodeTransaction(bytes)).toEqual(signed)
  })

  test('of powers comes back as it was', () => {
    const transaction: Transaction = { kind: 'power', nonce: 12n, powers }
    expect(decodeTransaction(encodeTransaction(transaction))).toEqual(transaction)
  })

  test.each([
    ['nothing', '', 'NOT_CBOR'],
    ['two variants', 'a26161f66162f6', 'UNKNOWN_VARIANT'],
    ['another variant', 'a163497063f6', 'UNKNOWN_VARIANT'],
    ['an unknown origin', 'a1665369676e65648309f6f6', 'BAD_ORIGIN'],
    ['an unknown power', 'a165506f77657282008181617a', 'BAD_POWER'],
    ['an indefinite list', 'a165506f7765729f', 'NOT_CBOR'],
  ])('with %s is refused', (_, hex, code) => {
    expect(() => decodeTransaction(fromHex(hex))).toThrowError(expect.objectContaining({ code }))
  })

  test('beyond the bound is refused before it is read', () => {
    expect(() => decodeTransaction(new Uint8Array(TRANSACTION_BYTES_MAX + 1))).toThrowError(
      expect.objectContaining({ code: 'TOO_LARGE' }),
    )
  })

  test('cut anywhere is refused', () => {
    const bytes = encodeTransaction({ kind: 'power', nonce: 12n, powers })
    for (let size = 0; size < bytes.length; size++) expect(() => decodeTransaction(bytes.subarray(0, size))).toThrow()
  })
})
