/** Rules that the code lines of the reference do not share and that no vector of ours reaches: those of network versions 18 to 20. */
import { describe, expect, test } from 'vitest'
import { VECTOR_EXTERNS } from '../../../devnet/conformance/run.ts'
import { CallManager } from '../../../devnet/engine/call-manager.ts'
import { decodeEncodedEvent } from '../../../devnet/engine/encoded-event.ts'
import { ErrorNumber } from '../../../devnet/engine/failure.ts'
import { LIMITS } from '../../../devnet/engine/profile.ts'
import { encodeCbor } from '../../../devnet/ipld/dag-cbor.ts'
import { concatBytes } from '../../../devnet/primitives/bytes.ts'
import { blake2b256 } from '../../../devnet/primitives/hash.ts'
import { encodeUtf8 } from '../../../devnet/primitives/utf8.ts'
import type { ActorId } from '../../../devnet/state/actor.ts'
import { idAddress } from '../../../devnet/state/address.ts'
import type { TokenAmount } from '../../../devnet/state/token.ts'
import { wat } from '../../compiler/wasm/modules.ts'
import { coldStart, FIRST_ACTOR, messageOf, openWorld, SENDER } from '../../fuzz/world.ts'

test.each([
  [18, 1000n],
  [21, 100_000n],
])('network version %i: a call refused for its depth leaves %i gas to its caller', (networkVersion, left) => {
  const { context } = openWorld({ networkVersion, debugging: false, codes: [] }, coldStart(networkVersion))
  const receiver = idAddress(FIRST_ACTOR)
  const calls = new CallManager(
    context,
    {
      id: SENDER as ActorId,
      address: idAddress(SENDER),
      sequence: 0n,
      receiver: FIRST_ACTOR as ActorId,
      receiverAddress: receiver,
      gasLimit: 100_000n,
      premium: 0n,
    },
    null,
    'plain',
  )
  calls.depth = LIMITS.callDepth
  const call = { from: SENDER as ActorId, to: receiver, method: 0n, params: null, value: 0n as TokenAmount }
  expect(() => calls.call({ ...call, gasLimit: 1000n, readOnly: false })).toThrow(
    expect.objectContaining({ errno: ErrorNumber.LimitExceeded }),
  )
  expect(calls.gas.available()).toBe(left)
})

describe('randomness', () => {
  const EPOCH = 900n
  const drawn = VECTOR_EXTERNS.chainRandomness(EPOCH)!

  function draw(networkVersion: number, types: string, args: string): Uint8Array {
    const code = wat(`(module
      (import "rand" "get_chain_randomness" (func $draw (param i32 ${types}) (result i32)))
      (import "ipld" "block_create" (func $create (param i32 i64 i32 i32) (result i32)))
      (memory (export "memory") 1) (data (i32.const 8) "entropy")
      (func (export "invoke") (param i32) (result i32)
        (drop (call $draw (i32.const 64) ${args}))
        (drop (call $create (i32.const 0) (i64.const 0x55) (i32.const 64) (i32.const 32)))
        (i32.load (i32.const 0))))`)
    const world = openWorld({ networkVersion, debugging: false, codes: [code] }, coldStart(networkVersion))
    const message = { to: FIRST_ACTOR, method: 2n, params: new Uint8Array(), value: 0n, gasLimit: 50_000_000n }
    return world.applyMessage(messageOf(message, 0), 'explicit').returnData
  }

  test('is hashed with tag, epoch and entropy before network version 21', () => {
    const words = new DataView(new ArrayBuffer(16))
    words.setBigInt64(0, 5n)
    words.setBigInt64(8, EPOCH)
    const [tag, epoch] = [new Uint8Array(words.buffer, 0, 8), new Uint8Array(words.buffer, 8)]
    const expected = blake2b256(concatBytes(tag, drawn, epoch, encodeUtf8('entropy')))
    const args = `(i64.const 5) (i64.const ${EPOCH}) (i32.const 8) (i32.const 7)`
    expect(draw(18, 'i64 i64 i32 i32', args)).toEqual(expected)
  })

  test('is what was drawn since', () => expect(draw(21, 'i64', `(i64.const ${EPOCH})`)).toEqual(drawn))
})

describe('events that actors encode', () => {
  const entry = (key: string, size: number, codec = 0x55) => [3, key, codec, new Uint8Array(size)]
  const many = (count: number) => Array.from({ length: count }, () => entry('k', 1))
  const { IllegalArgument, IllegalCodec } = ErrorNumber

  test('have 256 entries, keys of 32 bytes, values of 8192 together', () => {
    expect(decodeEncodedEvent(encodeCbor(many(256)))).toHaveLength(256)
    expect(decodeEncodedEvent(encodeCbor([entry('k'.repeat(32), 4096), entry('l', 4096)]))).toHaveLength(2)
  })

  test.each([
    ['257 entries', many(257), IllegalArgument],
    ['a key of 33 bytes', [entry('k'.repeat(33), 1)], IllegalArgument],
    ['a key of 33 bytes in fewer letters', [entry(`${'ż'.repeat(16)}k`, 1)], IllegalArgument],
    ['values of 8193 bytes', [entry('k', 4096), entry('l', 4097)], IllegalArgument],
    ['another codec', [entry('k', 1, 0x51)], IllegalCodec],
    ['three fields', [[3, 'k', 0x55]], IllegalArgument],
  ])('have not %s', (_, entries, errno) => {
    expect(() => decodeEncodedEvent(encodeCbor(entries))).toThrow(expect.objectContaining({ errno }))
  })
})
