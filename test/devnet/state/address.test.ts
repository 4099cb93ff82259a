import fc from 'fast-check'
import * as iso from 'iso-filecoin/address'
import { describe, expect, test } from 'vitest'
import { concatBytes, fromBinary, fromHex, toHex } from '../../../devnet/primitives/bytes.ts'
import { writeVarint } from '../../../devnet/primitives/varint.ts'
import type { ActorId } from '../../../devnet/state/actor.ts'
import * as address from '../../../devnet/state/address.ts'

const U64_MAX = (1n << 64n) - 1n
const ETH = fromHex('d388ab098ed3e84c0d808776440b48f685198498')

// Addresses that ref-fvm's own tests expect (`shared/tests/address_test.rs`).
describe('text is that of the reference', () => {
  test.each<[address.Address, string]>([
    [address.idAddress(0n), 'f00'],
    [address.idAddress(150n), 'f0150'],
    [address.idAddress(1024n), 'f01024'],
    [address.idAddress(999999n), 'f0999999'],
    [address.idAddress(U64_MAX), 'f018446744073709551615'],
    [
      address.secpAddress(
        fromHex(
          '049402fac37e6432a416a3a0ca5426b5185ab3b24f6134efa25ce487c82d2e4e13bf452511e0d2245421f8613bc10d72fa216666a96c3bc13920d3ff233fd0bc05',
        ),
      ),
      'f15ihq5ibzwki2b4ep2f46avlkrqzhpqgtga7pdrq',
    ],
    [
      address.actorAddress(fromHex('76128190cdf068d1418044acc03e0b6781970d60')),
      'f24vg6ut43yw2h2jqydgbg2xq7x6f4kub3bg6as6i',
    ],
    [
      address.blsAddress(
        fromHex('ad58df696e2d4e91ea86c881e938ba4ea81b395e12797b84b9cf314b9546705e839c7a99d606b247ddb4f9ac7a3414dd'),
      ),
      'f3vvmn62lofvhjd2ugzca6sof2j2ubwok6cj4xxbfzz4yuxfkgobpihhd2thlanmsh3w2ptld2gqkn2jvlss4a',
    ],
    [address.ethAddressToDelegated(ETH), 'f410f2oekwcmo2pueydmaq53eic2i62crtbeyuzx2gmy'],
  ])('%j', (value, text) => {
    expect(address.formatAddress(value, 'f')).toBe(text)
    expect(address.formatAddress(value, 't')).toBe(`t${text.slice(1)}`)
    expect(address.parseAddress(text)).toBe(value)
    expect(address.parseAddress(`t${text.slice(1)}`)).toBe(value)
    expect(address.decodeAddress(address.addressBytes(value))).toBe(value)
  })
})

test.each([
  ['f01024', '008008'],
  ['f01729', '00c10d'],
  ['f0999999', '00bf843d'],
  ['f15ihq5ibzwki2b4ep2f46avlkrqzhpqgtga7pdrq', '01ea0f0ea039b291a0f08fd179e0556a8c3277c0d3'],
  ['f410f2oekwcmo2pueydmaq53eic2i62crtbeyuzx2gmy', `040a${toHex(ETH)}`],
])('%s is %s', (text, hex) => expect(toHex(fromBinary(address.parseAddress(text)))).toBe(hex))

const hash = fc.uint8Array({ minLength: 20, maxLength: 20 })
const anyAddress: fc.Arbitrary<address.Address> = fc.oneof(
  fc.bigInt(0n, U64_MAX).map(address.idAddress),
  fc.uint8Array({ minLength: 65, maxLength: 65 }).map(address.secpAddress),
  fc.uint8Array().map(address.actorAddress),
  fc.uint8Array({ minLength: 48, maxLength: 48 }).map(address.blsAddress),
  fc
    .tuple(fc.bigInt(0n, U64_MAX), fc.uint8Array({ maxLength: 54 }))
    .map(([namespace, sub]) => address.delegatedAddress(namespace, sub)),
  hash.map(address.ethAddressToDelegated),
)

test('every address round trips through bytes and text', () => {
  fc.assert(
    fc.property(anyAddress, fc.constantFrom('f' as const, 't' as const), (each, prefix) => {
      expect(each.length).toBeLessThanOrEqual(address.ADDRESS_SIZE_MAX)
      expect(address.decodeAddress(fromBinary(each))).toBe(each)
      expect(address.parseAddress(address.formatAddress(each, prefix))).toBe(each)
    }),
  )
})

test('another implementation writes the same text', () => {
  const known = anyAddress.filter((each) => (address.delegatedParts(each)?.namespace ?? 10n) === 10n)
  fc.assert(
    fc.property(known, (each) => {
      fc.pre(address.delegatedParts(each)?.subaddress.length !== 0)
      fc.pre((address.addressId(each) ?? 0n) < 1n << 53n)
      expect(iso.fromBytes(fromBinary(each), 'mainnet').toString()).toBe(address.formatAddress(each, 'f'))
    }),
  )
})

test('one mistyped character is noticed', () => {
  fc.assert(
    fc.property(anyAddress, fc.nat(), fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz234567'), (each, at, char) => {
      fc.pre(address.addressProtocol(each) !== address.PROTOCOL_ID)
      const text = address.formatAddress(each, 'f')
      const i = text.lastIndexOf('f', 24) + 1 + (at % 20) + 2
      fc.pre(i < text.length && text[i] !== char)
      const mistyped = text.slice(0, i) + char + text.slice(i + 1)
      expect(() => address.parseAddress(mistyped)).toThrow(address.AddressError)
    }),
  )
})

describe('parsing refuses', () => {
  test.each([
    ['Q2gfvuyh7v2sx3patm5k23wdzmhyhtmqctasbr23y', 'SYNTAX'],
    ['f2gfvuyh7v2sx3patm5k23wdzmhyhtmqctasbr24y', 'CHECKSUM'],
    ['f2gfvuyh7v2sx3patm1k23wdzmhyhtmqctasbr24y', 'SYNTAX'],
    ['f2gfvuyh7v2sx3paTm5k23wdzmhyhtmqctasbr23y', 'SYNTAX'],
    ['f4gfvuyh7v2sx3patm5k23wdzmhyhtmqctasbr23y', 'SYNTAX'],
    ['f5gfvuyh7v2sx3patm5k23wdzmhyhtmqctasbr23y', 'PROTOCOL'],
    ['f0banananananannnnnnnn', 'SYNTAX'],
    ['f018446744073709551616', 'PAYLOAD'],
    ['f0-1', 'SYNTAX'],
    ['f0', 'SYNTAX'],
    ['f2', 'SYNTAX'],
    ['f2aaaa', 'PAYLOAD'],
    ['f007', 'SYNTAX'],
    ['f4f2oekwcm', 'SYNTAX'],
    ['f41x', 'SYNTAX'],
    ['', 'SYNTAX'],
    ['0x1234', 'SYNTAX'],
    ['0xzz88ab098ed3e84c0d808776440b48f685198498', 'SYNTAX'],
  ])('%s', (text, code) => {
    expect(() => address.parseAddress(text)).toThrow(expect.objectContaining({ code, text }))
  })
})

describe('decoding', () => {
  test.each([
    ['nothing', ''],
    ['a protocol alone', '01'],
    ['another protocol', `05${'00'.repeat(20)}`],
    ['an id with bytes after it', '008000'],
    ['an id that is cut off', '0080'],
    ['an id in long form', '00800000'],
    ['a short hash', `01${'00'.repeat(19)}`],
    ['a long hash', `02${'00'.repeat(21)}`],
    ['a short BLS key', `03${'00'.repeat(47)}`],
    ['a long BLS key', `03${'00'.repeat(49)}`],
    ['a subaddress of 55 bytes', `040a${'00'.repeat(55)}`],
    ['a namespace that is cut off', '0480'],
  ])('refuses %s', (_, hex) => expect(address.decodeAddress(fromHex(hex))).toBeUndefined())

  test('takes the laxness of varints, and forgets it', () => {
    expect(address.decodeAddress(fromHex('0081808080808080808002'))).toBe(address.idAddress(1n))
    expect(address.decodeAddress(fromHex('048a808080808080808002ff'))).toBe(
      address.delegatedAddress(10n, Uint8Array.of(255)),
    )
    expect(address.decodeAddress(fromHex('040a'))).toBe(address.delegatedAddress(10n, new Uint8Array()))
  })
})

test('an ID address knows its id, and no other does', () => {
  for (const id of [0n, 127n, 128n, 1000n, U64_MAX] as ActorId[])
    expect(address.addressId(address.idAddress(id))).toBe(id)
  expect(address.addressId(address.actorAddress(Uint8Array.of(1)))).toBeUndefined()
})

describe('Ethereum', () => {
  test('an address is an f410, both ways', () => {
    const delegated = address.ethAddressToDelegated(ETH)
    expect(address.parseAddress(`0x${toHex(ETH)}`)).toBe(delegated)
    expect(address.parseAddress(`0x${toHex(ETH).toUpperCase()}`)).toBe(delegated)
    expect(address.delegatedToEthAddress(delegated)).toEqual(ETH)
    expect(address.delegatedParts(delegated)).toEqual({ namespace: 10n, subaddress: ETH })
    expect(address.delegatedToEthAddress(address.delegatedAddress(11n, ETH))).toBeUndefined()
    expect(address.delegatedToEthAddress(address.delegatedAddress(10n, ETH.subarray(1)))).toBeUndefined()
    expect(address.delegatedParts(address.idAddress(1n))).toBeUndefined()
  })

  test('an address that masks an id is that ID address', () => {
    const masked = concatBytes(fromHex('ff0000000000000000000000'), fromHex('00000000000004d2'))
    expect(address.ethAddressToFilecoin(masked)).toBe(address.idAddress(1234n))
    expect(address.parseAddress(`0x${toHex(masked)}`)).toBe(address.idAddress(1234n))
  })
})

test('makers refuse payloads of a wrong size', () => {
  expect(() => address.blsAddress(new Uint8Array(47))).toThrow(address.AddressError)
  expect(() => address.delegatedAddress(1n, new Uint8Array(55))).toThrow(address.AddressError)
  expect(() => address.ethAddressToDelegated(new Uint8Array(19))).toThrow(address.AddressError)
  expect(() => writeVarint(-1n)).toThrow(RangeError)
})
