import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../devnet/primitives/bytes.ts'
import { blake2b256, keccak256 } from '../../../devnet/primitives/hash.ts'
import * as keys from '../../../devnet/primitives/keys.ts'

const implementations = Object.entries({ native: keys.nativeSecp, noble: keys.nobleSecp }).flatMap(([name, secp]) =>
  secp === undefined ? [] : [{ name, secp }],
)

test('the addon is used when it loads', () => {
  expect(keys.secpBackend).toBe(keys.nativeSecp === undefined ? 'noble' : 'native')
})

describe.each(implementations)('secp256k1 ($name)', ({ secp }) => {
  const SECRET = fromHex('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')

  test('a secret has the public key, and with it the address, that wallets know', () => {
    const address = toHex(keccak256(secp.publicKey(SECRET).subarray(1)).subarray(12))
    expect(address).toBe('f39fd6e51aad88f6f4ce6ab8827279cfffb92266')
  })

  test('who signed is recovered, whichever half s is in', () => {
    for (let i = 0; i < 20; i++) {
      const digest = blake2b256(Uint8Array.of(i))
      const signature = secp.sign(digest, SECRET)
      expect(signature).toHaveLength(65)
      expect(signature[32]! < 0x80).toBe(true)
      const flipped = flipS(signature)
      for (const each of [signature, flipped]) {
        expect(keys.recoverPublicKey(digest, each, secp)).toEqual(secp.publicKey(SECRET))
      }
    }
  })

  test('signing is deterministic (RFC 6979) and the same everywhere', () => {
    const digest = blake2b256(Uint8Array.of(1, 2, 3))
    expect(secp.sign(digest, SECRET)).toEqual(keys.nobleSecp.sign(digest, SECRET))
  })

  // Answers of the reference itself.
  test.each<[string, string, string, string | undefined]>([
    [
      'x beyond the order: id 2',
      'a89fcaa48aa8494b1540cbbf4c0c011d92b2764f65bc31304fdfa95913d5b7b2',
      '0000000000000000000000000000000000000000000000000000000000000002000000000000000000000000000000000000000000000000ab54a98ceb1f0ad202',
      '049f10661a50b9a176ac6d00a1531c872d30d3cbed8676fda9f538bb11facda5d76c5bb8d3351712bc804343202c4671aed6478f81d07b678ab366cd88f9bc88ad',
    ],
    [
      'high s, as go-ethereum tests it',
      '18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c',
      '73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75feeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c454901',
      '043a514176466fa815ed481ffad09110a2d344f6c9b78c1d14afc351c3a51be33d8072e77939dc03ba44790779b7a1025baf3003f6732430e20cd9b76d953391b3',
    ],
    [
      'high s',
      'd19ce053683a307a606345d90c8419ff6b3b3229b996b2033a89b235a2a7b9cf',
      'b171773fa7a658c9e26b3fb42e81ba96a3a49f137e37e9f967722c260d8d6897f74a4a0efe5bcb3a7220dcec1b6f323a803ebafca0fef28a0e45064fa070dcf100',
      '044f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa385b6b1b8ead809ca67454d9683fcf2ba03456d6fe2c4abe2b07f0fbdbb2f1c1',
    ],
    [
      'a digest of zeros',
      '0000000000000000000000000000000000000000000000000000000000000000',
      'e0a180fdd0fe38037cc878c03832861b40a29d32bd7b40b10c9e1efc8c1468a05ae06d1624896d0d29f4b31e32772ea3cb1b4d7ed4e077e5da28dcc33c0e781201',
      '044f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa385b6b1b8ead809ca67454d9683fcf2ba03456d6fe2c4abe2b07f0fbdbb2f1c1',
    ],
    [
      'an r that is no x coordinate',
      'd19ce053683a307a606345d90c8419ff6b3b3229b996b2033a89b235a2a7b9cf',
      '000000000000000000000000000000000000000000000000000000000000000508b5b5f101a434c58ddf2313e490cdc43a7021ea0e49adb1b18d583d2fc5645001',
      undefined,
    ],
    [
      's = n',
      'd19ce053683a307a606345d90c8419ff6b3b3229b996b2033a89b235a2a7b9cf',
      'b171773fa7a658c9e26b3fb42e81ba96a3a49f137e37e9f967722c260d8d6897fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd036414101',
      undefined,
    ],
    [
      's = 0',
      'd19ce053683a307a606345d90c8419ff6b3b3229b996b2033a89b235a2a7b9cf',
      'b171773fa7a658c9e26b3fb42e81ba96a3a49f137e37e9f967722c260d8d6897000000000000000000000000000000000000000000000000000000000000000001',
      undefined,
    ],
    [
      'an id that does not fit',
      'd19ce053683a307a606345d90c8419ff6b3b3229b996b2033a89b235a2a7b9cf',
      'b171773fa7a658c9e26b3fb42e81ba96a3a49f137e37e9f967722c260d8d689708b5b5f101a434c58ddf2313e490cdc43a7021ea0e49adb1b18d583d2fc5645002',
      undefined,
    ],
    [
      'Ethereum’s v of 27',
      'd19ce053683a307a606345d90c8419ff6b3b3229b996b2033a89b235a2a7b9cf',
      'b171773fa7a658c9e26b3fb42e81ba96a3a49f137e37e9f967722c260d8d689708b5b5f101a434c58ddf2313e490cdc43a7021ea0e49adb1b18d583d2fc564501b',
      undefined,
    ],
    [
      'v = 255',
      'd19ce053683a307a606345d90c8419ff6b3b3229b996b2033a89b235a2a7b9cf',
      'b171773fa7a658c9e26b3fb42e81ba96a3a49f137e37e9f967722c260d8d689708b5b5f101a434c58ddf2313e490cdc43a7021ea0e49adb1b18d583d2fc56450ff',
      undefined,
    ],
  ])('recovers from %s', (_, digest, signature, tail) => {
    const key = keys.recoverPublicKey(fromHex(digest), fromHex(signature), secp)
    expect(key && toHex(key).slice(0, tail?.length)).toBe(tail)
  })

  test('a signature or digest of another size is nobody’s', () => {
    const digest = blake2b256(Uint8Array.of(9))
    const signature = secp.sign(digest, SECRET)
    expect(keys.recoverPublicKey(digest, signature.subarray(0, 64), secp)).toBeUndefined()
    expect(keys.recoverPublicKey(digest, new Uint8Array([...signature, 0]), secp)).toBeUndefined()
    expect(keys.recoverPublicKey(digest.subarray(1), signature, secp)).toBeUndefined()
    expect(keys.recoverPublicKey(digest, new Uint8Array(), secp)).toBeUndefined()
  })
})

/** The other signature of the same key: s → n − s, and v's low bit flipped. */
function flipS(signature: Uint8Array): Uint8Array {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  const s = order - BigInt(`0x${toHex(signature.subarray(32, 64))}`)
  return fromHex(
    toHex(signature.subarray(0, 32)) + s.toString(16).padStart(64, '0') + toHex(Uint8Array.of(signature[64]! ^ 1)),
  )
}

// Answers of the reference itself.
describe('BLS', () => {
  const SECOND = {
    signature:
      '920c98e8885324a41bf97fbe739c15bcf830c3b792e5d4e9b99c540c1eeaba613fec2d8c8281b047647c1ec2d9754ee601ce6e1ff434bd482c0cb708975d46052b3fa4246c8915ed8f16e6a6d6b973884f76d34869ef876f16d45a0d4845a056',
    key: '8004066a1a5cb9cdf244e45f0a59cf579a78d90ac0bc24663565264601c1c9251c0aa3dfb9835b520e0ba0f211a6696c',
    text: 'second',
  }

  test('a valid signature is valid for its key and text only', () => {
    const [signature, key] = [fromHex(SECOND.signature), fromHex(SECOND.key)]
    expect(keys.verifyBls(signature, text('second'), key)).toBe(true)
    expect(keys.verifyBls(signature, text('secund'), key)).toBe(false)
    expect(keys.verifyBls(signature, text('second'), fromHex(KEYS[0]!))).toBe(false)
  })

  test.each([
    {
      title: 'nothing signed',
      valid: true,
      signature:
        'af2b37bde342fd3a9513283c469fe0e56a63932271b32553569e28340ed01d8a8414e8cf4e5f6e91910a6085545e2a3b122eb2a32c08c2e845711ba63120b4f0052527c015462c4ff8ca37b68f222b73823db5048e578387765b03314b69dce8',
      key: 'a355519968b7db86b1ceb2261e179f6cde1a6010b8588e4a1a59eae804c9eed5f3e3d433a69dabb1eb7403c9c2721116',
      message: '',
    },
    {
      title: 'a key whose x is the field modulus',
      valid: false,
      signature:
        'b9e005c359f8afbd18479306d31c475bb603a4c125dde38a5ef7bf9eb74f5474fd772a4e62f933f662a075050e4f06f214723d0fd7fff3b23fedb5266981b4edea73230a82a413574fa720d845d41cf2c397d6f649e216b315658fafb3818935',
      key: '9a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab',
      message: '6669727374206d657373616765',
    },
    {
      title: 'a key without the compression bit',
      valid: false,
      signature:
        'b9e005c359f8afbd18479306d31c475bb603a4c125dde38a5ef7bf9eb74f5474fd772a4e62f933f662a075050e4f06f214723d0fd7fff3b23fedb5266981b4edea73230a82a413574fa720d845d41cf2c397d6f649e216b315658fafb3818935',
      key: '000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000004',
      message: '6669727374206d657373616765',
    },
    {
      title: 'a key outside the group',
      valid: false,
      signature:
        'b9e005c359f8afbd18479306d31c475bb603a4c125dde38a5ef7bf9eb74f5474fd772a4e62f933f662a075050e4f06f214723d0fd7fff3b23fedb5266981b4edea73230a82a413574fa720d845d41cf2c397d6f649e216b315658fafb3818935',
      key: '800000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000004',
      message: '6669727374206d657373616765',
    },
    {
      title: 'a key that is no point',
      valid: false,
      signature:
        'b9e005c359f8afbd18479306d31c475bb603a4c125dde38a5ef7bf9eb74f5474fd772a4e62f933f662a075050e4f06f214723d0fd7fff3b23fedb5266981b4edea73230a82a413574fa720d845d41cf2c397d6f649e216b315658fafb3818935',
      key: '800000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001',
      message: '6669727374206d657373616765',
    },
    {
      title: 'the negated key',
      valid: false,
      signature:
        'b9e005c359f8afbd18479306d31c475bb603a4c125dde38a5ef7bf9eb74f5474fd772a4e62f933f662a075050e4f06f214723d0fd7fff3b23fedb5266981b4edea73230a82a413574fa720d845d41cf2c397d6f649e216b315658fafb3818935',
      key: '8a1a1c26055a329817a5759d877a2795f9499b97d6056edde0eea39512f24e8bc874b4471f0501127abb1ea0d9f68ac1',
      message: '6669727374206d657373616765',
    },
    {
      title: 'the negated signature',
      valid: false,
      signature:
        '99e005c359f8afbd18479306d31c475bb603a4c125dde38a5ef7bf9eb74f5474fd772a4e62f933f662a075050e4f06f214723d0fd7fff3b23fedb5266981b4edea73230a82a413574fa720d845d41cf2c397d6f649e216b315658fafb3818935',
      key: 'aa1a1c26055a329817a5759d877a2795f9499b97d6056edde0eea39512f24e8bc874b4471f0501127abb1ea0d9f68ac1',
      message: '6669727374206d657373616765',
    },
    {
      title: 'a signature outside the group',
      valid: false,
      signature:
        '800000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000002',
      key: 'aa1a1c26055a329817a5759d877a2795f9499b97d6056edde0eea39512f24e8bc874b4471f0501127abb1ea0d9f68ac1',
      message: '6669727374206d657373616765',
    },
    {
      title: 'a signature that is no point',
      valid: false,
      signature:
        '800000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001',
      key: 'aa1a1c26055a329817a5759d877a2795f9499b97d6056edde0eea39512f24e8bc874b4471f0501127abb1ea0d9f68ac1',
      message: '6669727374206d657373616765',
    },
    {
      title: 'a short signature',
      valid: false,
      signature:
        'b9e005c359f8afbd18479306d31c475bb603a4c125dde38a5ef7bf9eb74f5474fd772a4e62f933f662a075050e4f06f214723d0fd7fff3b23fedb5266981b4edea73230a82a413574fa720d845d41cf2c397d6f649e216b315658fafb38189',
      key: 'aa1a1c26055a329817a5759d877a2795f9499b97d6056edde0eea39512f24e8bc874b4471f0501127abb1ea0d9f68ac1',
      message: '6669727374206d657373616765',
    },
  ])('$title: $valid', ({ signature, key, message, valid }) => {
    expect(keys.verifyBls(fromHex(signature), fromHex(message), fromHex(key))).toBe(valid)
  })

  const KEYS = [
    'aa1a1c26055a329817a5759d877a2795f9499b97d6056edde0eea39512f24e8bc874b4471f0501127abb1ea0d9f68ac1',
    '8004066a1a5cb9cdf244e45f0a59cf579a78d90ac0bc24663565264601c1c9251c0aa3dfb9835b520e0ba0f211a6696c',
    'a355519968b7db86b1ceb2261e179f6cde1a6010b8588e4a1a59eae804c9eed5f3e3d433a69dabb1eb7403c9c2721116',
  ]
  const THREE =
    '9932539c5341e34b06c3ffab0c2a287e40b257bcf21eb059cbfba49f6b891cf78e542b46902509bb142a3790fe6a27f302c17a9e316c571c2c9ed44867fcd2aebb092777fa53cb0b3c58f726baeaf68ac888924f4438ef49dc7a33f77d919cc7'
  const SAME_KEY =
    'a58ca1898389a8aaa54bbbcb0eeb3fc4c0db5fa522ed9d7a1f98ead8dd4b7ad5a924970de2822771dd0ea7a7371fff0f17f121ac4e94f806d344d693e9be94870495b80bfa02420203add7779dcf3b8471af1bf624054de3d92830bc4ff27517'
  const ZERO_KEY = `c0${'00'.repeat(47)}`
  const ZERO_SIGNATURE = `c0${'00'.repeat(95)}`

  test.each<[string, string, readonly string[], readonly string[], boolean]>([
    ['three signers, one of an empty text', THREE, ['first message', 'second', ''], KEYS, true],
    [
      'signers and texts in another order, together',
      THREE,
      ['', 'first message', 'second'],
      KEYS.slice(2).concat(KEYS.slice(0, 2)),
      true,
    ],
    ['texts exchanged between signers', THREE, ['second', 'first message', ''], KEYS, false],
    ['a signer too few', THREE, ['first message', 'second'], KEYS.slice(0, 2), false],
    ['one key under two texts', SAME_KEY, ['first message', 'second'], [KEYS[0]!, KEYS[0]!], true],
    ['two equal texts', THREE, ['same', 'same', ''], KEYS, false],
    ['a zero key besides good ones', THREE, ['first message', 'second', '', 'more'], [...KEYS, ZERO_KEY], false],
    ['the zero signature', ZERO_SIGNATURE, ['first message'], [KEYS[0]!], false],
    ['nobody, with any signature', 'abcd', [], [], true],
    ['more texts than keys', THREE, ['first message', 'second', '', 'more'], KEYS, false],
    ['a key of 47 bytes', THREE, ['first message'], [KEYS[0]!.slice(2)], false],
  ])('an aggregate of %s', (_, signature, texts, publicKeys, valid) => {
    expect(keys.verifyBlsAggregate(fromHex(signature), texts.map(text), publicKeys.map(fromHex))).toBe(valid)
  })
})

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}
