import { expect, test } from 'vitest'
import { type PrivateKey, publicKeyOf, signMessage } from '../../../devnet/consensus/key.ts'
import { VerifiedSignatures } from '../../../devnet/consensus/verified-signatures.ts'

const keyOf = (byte: number): PrivateKey => ({ kind: 'secp256k1', secret: new Uint8Array(32).fill(byte) })
const MESSAGE = Uint8Array.of(1, 2, 3)

test.each(['made', 'found good'])('a signature that was %s is good for its key and message alone', (how) => {
  const signatures = new VerifiedSignatures()
  const [own, other] = [keyOf(1), keyOf(2)]
  const key = publicKeyOf(own)
  const signature = how === 'made' ? signatures.sign(own, key, MESSAGE) : signMessage(own, MESSAGE)
  expect(signature).toEqual(signMessage(own, MESSAGE))
  const flipped = signature.map((byte, i) => (i === 40 ? byte ^ 1 : byte))
  for (let again = 0; again < 2; again++) {
    expect(signatures.verify(key, MESSAGE, signature)).toBe(true)
    expect(signatures.verify(key, MESSAGE, flipped)).toBe(false)
    expect(signatures.verify(key, Uint8Array.of(1, 2, 4), signature)).toBe(false)
    expect(signatures.verify(publicKeyOf(other), MESSAGE, signature)).toBe(false)
  }
})
