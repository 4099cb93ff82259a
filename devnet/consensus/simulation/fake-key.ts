/** Keys that sign with a hash: as hard to forge within a simulation as real ones, and far cheaper. */
import { concatBytes, equalBytes } from '../../primitives/bytes.ts'
import { sha256 } from '../../primitives/hash.ts'
import { encodeUtf8 } from '../../primitives/utf8.ts'
import type { VerifyMessage } from '../key.ts'
import type { ReplicaKey } from '../replica-host.ts'
import type { PublicKey } from '../wire.ts'

export interface KeyRing {
  readonly keys: readonly ReplicaKey[]
  readonly verify: VerifyMessage
}

export function makeKeyRing(count: number): KeyRing {
  const secrets = new Map<string, Uint8Array>()
  const keys = Array.from({ length: count }, (_, i): ReplicaKey => {
    const secret = sha256(encodeUtf8(`validator ${i}`))
    const publicKey: PublicKey = { kind: 'secp256k1', value: concatBytes(Uint8Array.of(2), sha256(secret)) }
    secrets.set(nameOf(publicKey), secret)
    return { publicKey, sign: (message) => fakeSignature(secret, message) }
  })
  return {
    keys,
    verify(key, message, signature) {
      const secret = secrets.get(nameOf(key))
      return secret !== undefined && equalBytes(fakeSignature(secret, message), signature)
    },
  }
}

function nameOf({ value }: PublicKey): string {
  return String.fromCharCode(...value)
}

function fakeSignature(secret: Uint8Array, message: Uint8Array): Uint8Array {
  const half = sha256(concatBytes(secret, message))
  return concatBytes(half, half)
}
