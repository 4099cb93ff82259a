import { describe, expect, test } from 'vitest'
import { CborWriter } from '../../../devnet/ipld/dag-cbor.ts'
import { DEFAULT_MNEMONIC, deriveAccounts } from '../../../devnet/node/accounts.ts'
import {
  isSigned,
  signMessage,
  toUnsignedEthTransaction,
  VerifiedTransactions,
} from '../../../devnet/node/signatures.ts'
import { encodeTransaction, type SignedTransaction } from '../../../devnet/node/transaction.ts'
import { fromBinary, toHex } from '../../../devnet/primitives/bytes.ts'
import { blake2b256, keccak256 } from '../../../devnet/primitives/hash.ts'
import { signRecoverable } from '../../../devnet/primitives/keys.ts'
import { delegatedToEthAddress } from '../../../devnet/state/address.ts'
import { type Message, messageCid } from '../../../devnet/state/message.ts'
import type { TokenAmount } from '../../../devnet/state/token.ts'

const CHAIN_ID = 31337n
const INVOKE_EVM = 3844450837n
const [alice, bob] = deriveAccounts(DEFAULT_MNEMONIC, 2)

const message = (overrides: Partial<Message> = {}): Message => ({
  version: 0n,
  from: alice!.address,
  to: bob!.ethAddress,
  sequence: 3n,
  value: 5n as TokenAmount,
  gasLimit: 21_000n,
  gasFeeCap: 2_000n as TokenAmount,
  gasPremium: 1_000n as TokenAmount,
  method: INVOKE_EVM,
  params: new Uint8Array(0),
  ...overrides,
})

const check = (signed: Message, type: 1 | 3, data: Uint8Array, sender = alice!.address, chainId = CHAIN_ID) =>
  isSigned({ kind: 'signed', origin: 0, message: signed, signature: { type, data } }, sender, chainId)

describe('a signature', () => {
  test('of message and chain id is good on that chain only', () => {
    const { data } = signMessage(message(), alice!.secretKey, CHAIN_ID)
    expect(check(message(), 1, data)).toBe(true)
    expect(check(message(), 1, data, alice!.address, 1n)).toBe(false)
  })

  test('of the message alone, as Lotus makes it, is good too', () => {
    const data = signRecoverable(blake2b256(fromBinary(messageCid(message()))), alice!.secretKey)
    expect(check(message(), 1, data)).toBe(true)
  })

  test('is not good for another message or another sender', () => {
    const { data } = signMessage(message(), alice!.secretKey, CHAIN_ID)
    expect(check(message({ value: 6n as TokenAmount }), 1, data)).toBe(false)
    expect(check(message(), 1, data, bob!.address)).toBe(false)
  })

  test('by an Ethereum key calls any actor by any method', () => {
    const toActor = message({ from: alice!.ethAddress, to: bob!.address, method: 77n })
    const { data } = signMessage(toActor, alice!.secretKey, CHAIN_ID)
    expect(check(toActor, 1, data, alice!.ethAddress)).toBe(true)
  })

  test('of the Ethereum transaction that a message stands for is good', () => {
    const params = new CborWriter().bytes(Uint8Array.of(0xd0, 0x9d, 0xe0, 0x8a)).finish()
    const call = message({ from: alice!.ethAddress, params })
    const data = signRecoverable(keccak256(toUnsignedEthTransaction(call, CHAIN_ID)!), alice!.secretKey)
    expect(check(call, 3, data, alice!.ethAddress)).toBe(true)
    expect(check({ ...call, sequence: 4n }, 3, data, alice!.ethAddress)).toBe(false)
  })
})

describe('the Ethereum transaction of a message', () => {
  test('is the list of EIP-1559, its type before it', () => {
    const unsigned = toUnsignedEthTransaction(message(), CHAIN_ID)!
    const to = toHex(delegatedToEthAddress(bob!.ethAddress)!)
    // chain id 7a69, nonce 3, premium 3e8, fee cap 7d0, gas 5208, to, value 5, no data, no access list
    expect(toHex(unsigned)).toBe(
      `02e8827a69038203e88207d082520894${to}0580c0`.replace(
        '02e8',
        `02${(0xc0 + 3 + 1 + 3 + 3 + 3 + 21 + 1 + 1 + 1).toString(16)}`,
      ),
    )
  })

  test.each([
    ['another method', { method: 5n }],
    ['params that are no byte string', { params: Uint8Array.of(0x81, 0x01) }],
    ['another version', { version: 1n }],
    ['a receiver without an Ethereum address', { to: bob!.address }],
  ])('does not exist for %s', (_, overrides) => {
    expect(toUnsignedEthTransaction(message(overrides), CHAIN_ID)).toBeUndefined()
  })
})

describe('a transaction that was found good', () => {
  const signed = (overrides: Partial<Message> = {}): SignedTransaction => {
    const unsigned = message(overrides)
    return {
      kind: 'signed',
      origin: 0,
      message: unsigned,
      signature: signMessage(unsigned, alice!.secretKey, CHAIN_ID),
    }
  }

  test('is good for its sender and on its chain, the second time too', () => {
    const verified = new VerifiedTransactions()
    const transaction = signed()
    const tx = encodeTransaction(transaction)
    for (let time = 0; time < 2; time++) {
      expect(verified.check(transaction, tx, alice!.address, CHAIN_ID)).toBe(true)
      expect(verified.check(transaction, tx, bob!.address, CHAIN_ID)).toBe(false)
      expect(verified.check(transaction, tx, alice!.address, 1n)).toBe(false)
    }
  })

  test('says nothing about another with its message or its signature', () => {
    const verified = new VerifiedTransactions()
    const good = signed()
    verified.check(good, encodeTransaction(good), alice!.address, CHAIN_ID)
    const forged = { ...good, signature: { ...good.signature, data: good.signature.data.map((byte) => byte ^ 1) } }
    const moved = { ...signed({ sequence: 4n }), signature: good.signature }
    for (const bad of [forged, moved]) {
      expect(verified.check(bad, encodeTransaction(bad), alice!.address, CHAIN_ID)).toBe(false)
    }
  })
})
