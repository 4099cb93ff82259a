/**
 * Signatures that are known to be good, so that those of the last commit, which came one by one, are not verified again with the block,
 * and those that this process made are not verified at all. What is bad is verified each time it comes.
 */
import { toBinary } from '../primitives/bytes.ts'
import { RecentSet } from '../primitives/recent-set.ts'
import { type PrivateKey, signMessage, type VerifyMessage, verifyMessage } from './key.ts'
import type { PublicKey } from './wire.ts'

/** Of each generation. */
const REMEMBERED_MAX = 4096

export class VerifiedSignatures {
  readonly #known = new RecentSet<string>(REMEMBERED_MAX)

  readonly verify: VerifyMessage = (key, message, signature) => {
    const name = nameOf(key, message, signature)
    if (this.#known.has(name)) return true
    if (!verifyMessage(key, message, signature)) return false
    this.#known.add(name)
    return true
  }

  /** Signs; `publicKey` is the key's. */
  sign(key: PrivateKey, publicKey: PublicKey, message: Uint8Array): Uint8Array {
    const signature = signMessage(key, message)
    this.#known.add(nameOf(publicKey, message, signature))
    return signature
  }
}

function nameOf(key: PublicKey, message: Uint8Array, signature: Uint8Array): string {
  return toBinary(signature) + toBinary(key.value) + toBinary(message)
}
