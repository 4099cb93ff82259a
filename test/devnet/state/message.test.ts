import fc from 'fast-check'
import { Message as IsoMessage } from 'iso-filecoin/message'
import { describe, expect, test } from 'vitest'
import { cidBytes, formatCid } from '../../../devnet/ipld/cid.ts'
import { type CborInput, encodeCbor } from '../../../devnet/ipld/dag-cbor.ts'
import { concatBytes, fromBinary, fromHex, toHex } from '../../../devnet/primitives/bytes.ts'
import { formatAddress, idAddress, parseAddress } from '../../../devnet/state/address.ts'
import * as messages from '../../../devnet/state/message.ts'
import { parseFil, type TokenAmount, ZERO_TOKENS } from '../../../devnet/state/token.ts'
import * as any from './arbitraries.ts'

const MESSAGE: messages.Message = {
  version: 0n,
  to: parseAddress('f01234'),
  from: parseAddress('f15ihq5ibzwki2b4ep2f46avlkrqzhpqgtga7pdrq'),
  sequence: 5n,
  value: parseFil('1'),
  gasLimit: 1_000_000n,
  gasFeeCap: 100n as TokenAmount,
  gasPremium: ZERO_TOKENS,
  method: 3_726_118_371n,
  params: Uint8Array.of(0x81, 0x01),
}
const FIELDS: readonly CborInput[] = [
  0,
  fromHex('00d209'),
  fromBinary(MESSAGE.from),
  5,
  fromHex('000de0b6b3a7640000'),
  1_000_000,
  fromHex('0064'),
  new Uint8Array(),
  3_726_118_371,
  fromHex('8101'),
]

test('the size of a message is known without writing it', () => {
  const edges = [0n, 23n, 24n, 255n, 256n, 65_535n, 65_536n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 56n - 1n]
  const integers = [...edges, 2n ** 63n, 2n ** 64n - 1n]
  const amounts = [...integers, 2n ** 56n, 2n ** 64n, 10n ** 27n].flatMap((amount) => [amount, -amount])
  for (const method of integers) {
    for (const amount of amounts) {
      const message = { ...MESSAGE, method, gasLimit: method, value: amount as TokenAmount }
      expect(messages.messageSize(message)).toBe(messages.encodeMessage(message).length)
    }
  }
  fc.assert(
    fc.property(any.message, (message) => {
      expect(messages.messageSize(message)).toBe(messages.encodeMessage(message).length)
    }),
  )
  for (const method of [-1n, 2n ** 64n]) expect(() => messages.messageSize({ ...MESSAGE, method })).toThrow(RangeError)
})

test('a message is a tuple of ten', () => {
  expect(toHex(messages.encodeMessage(MESSAGE))).toBe(toHex(encodeCbor(FIELDS)))
  expect(messages.decodeMessage(encodeCbor(FIELDS))).toEqual(MESSAGE)
})

test('every message round trips, negative amounts too', () => {
  fc.assert(
    fc.property(any.message, (message) => {
      const bytes = messages.encodeMessage(message)
      expect(messages.decodeMessage(bytes)).toEqual(message)
    }),
  )
})

test('another implementation writes the same bytes and CID', () => {
  const plain = fc.record({
    to: any.anyAddress.filter((each) => each.charCodeAt(0) !== 0),
    sequence: fc.nat(),
    value: fc.bigInt(0n, 1n << 90n),
    gasLimit: fc.nat(),
    gasFeeCap: fc.bigInt(0n, 1n << 40n),
    gasPremium: fc.bigInt(0n, 1n << 40n),
    method: fc.nat(),
    params: fc.uint8Array({ maxLength: 40 }),
  })
  fc.assert(
    fc.property(plain, (fields) => {
      const message = { ...MESSAGE, ...fields, sequence: BigInt(fields.sequence), gasLimit: BigInt(fields.gasLimit) }
      const ours = { ...message, method: BigInt(fields.method) } as messages.Message
      const theirs = new IsoMessage({
        to: formatAddress(ours.to, 'f'),
        from: formatAddress(ours.from, 'f'),
        nonce: fields.sequence,
        value: fields.value.toString(),
        gasLimit: fields.gasLimit,
        gasFeeCap: fields.gasFeeCap.toString(),
        gasPremium: fields.gasPremium.toString(),
        method: fields.method,
        params: Buffer.from(fields.params).toString('base64'),
      })
      expect(toHex(messages.encodeMessage(ours))).toBe(toHex(theirs.serialize()))
      expect(toHex(cidBytes(messages.messageCid(ours)))).toBe(toHex(theirs.cidBytes()))
    }),
  )
})

describe('decoding refuses with a code', () => {
  const change = (index: number, value: CborInput) => encodeCbor(FIELDS.with(index, value))
  test.each([
    ['nothing', new Uint8Array(), 'CBOR'],
    ['nine fields', encodeCbor(FIELDS.slice(0, 9)), 'CBOR'],
    ['eleven fields', encodeCbor([...FIELDS, 0]), 'CBOR'],
    ['bytes after it', concatBytes(encodeCbor(FIELDS), Uint8Array.of(0)), 'CBOR'],
    ['a negative gas limit', change(5, -1), 'CBOR'],
    ['a negative sequence', change(3, -1), 'CBOR'],
    ['a text as params', change(9, 'params'), 'CBOR'],
    ['params as a list of numbers', change(9, [1, 2]), 'CBOR'],
    ['a receiver that is no address', change(1, fromHex('05')), 'CBOR'],
    ['null as sender', change(2, null), 'CBOR'],
    ['a long head', fromHex(toHex(encodeCbor(FIELDS)).replace(/^8a00/, '8a1800')), 'CBOR'],
    ['a value of sign 2', change(4, fromHex('0201')), 'AMOUNT'],
    ['a fee cap of 129 bytes', change(6, new Uint8Array(129)), 'AMOUNT'],
  ])('%s', (_, bytes, code) => {
    expect(() => messages.decodeMessage(bytes)).toThrow(expect.objectContaining({ name: 'MessageError', code }))
  })

  test('whatever the bytes, it is a MessageError', () => {
    const valid = messages.encodeMessage(MESSAGE)
    fc.assert(
      fc.property(fc.nat(valid.length - 1), fc.nat(255), fc.nat(valid.length), (at, byte, cut) => {
        for (const bytes of [valid.with(at, byte), valid.subarray(0, cut)]) {
          try {
            messages.decodeMessage(bytes)
          } catch (error) {
            expect(error).toBeInstanceOf(messages.MessageError)
          }
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('signed', () => {
  const secp: messages.SignedMessage = { message: MESSAGE, signature: { type: 1, data: new Uint8Array(65).fill(9) } }
  const bls: messages.SignedMessage = { message: MESSAGE, signature: { type: 2, data: new Uint8Array(96).fill(9) } }

  test('it is a pair of message and typed signature', () => {
    const typed = concatBytes(Uint8Array.of(1), secp.signature.data)
    expect(messages.encodeSignedMessage(secp)).toEqual(encodeCbor([FIELDS, typed]))
    for (const each of [secp, bls]) {
      expect(messages.decodeSignedMessage(messages.encodeSignedMessage(each))).toEqual(each)
    }
  })

  test('its CID covers the signature, except under BLS', () => {
    expect(messages.signedMessageCid(bls)).toBe(messages.messageCid(MESSAGE))
    expect(messages.signedMessageCid(secp)).not.toBe(messages.messageCid(MESSAGE))
    expect(formatCid(messages.signedMessageCid(secp))).toMatch(/^bafy2bzac/)
  })

  test.each([
    ['no signature', encodeCbor([FIELDS]), 'CBOR'],
    ['an empty one', encodeCbor([FIELDS, new Uint8Array()]), 'SIGNATURE'],
    ['type 0', encodeCbor([FIELDS, fromHex('00aa')]), 'SIGNATURE'],
    ['type 4', encodeCbor([FIELDS, fromHex('04aa')]), 'SIGNATURE'],
    ['201 bytes', encodeCbor([FIELDS, new Uint8Array(201).fill(1)]), 'SIGNATURE'],
    ['a bare message', encodeCbor(FIELDS), 'CBOR'],
  ])('refuses %s', (_, bytes, code) => {
    expect(() => messages.decodeSignedMessage(bytes)).toThrow(expect.objectContaining({ code }))
  })
})

test('an id above 53 bits survives', () => {
  const message = { ...MESSAGE, to: idAddress((1n << 64n) - 1n), sequence: (1n << 64n) - 1n }
  expect(messages.decodeMessage(messages.encodeMessage(message))).toEqual(message)
})
