/**
 * Signatures that were found good, so that those of the last commit, which came one by one, are not verified again with the block.
 * What is bad is verified each time it comes.
 */
import { toBinary } from '../primitives/bytes.ts'
import { type VerifyMessage, verifyMessage } from './key.ts'

/** Of each of two generations. */
const REMEMBERED_MAX = 4096

export function rememberVerified(verify: VerifyMessage = verifyMessage): VerifyMessage {
  let young = new Set<string>()
  let old = new Set<string>()
  return (key, message, signature) => {
    const name = toBinary(signature) + toBinary(key.value) + toBinary(message)
    if (young.has(name) || old.has(name)) return true
    if (!verify(key, message, signature)) return false
    if (young.size >= REMEMBERED_MAX) {
      old = young
      young = new Set()
    }
    young.add(name)
    return true
  }
}
