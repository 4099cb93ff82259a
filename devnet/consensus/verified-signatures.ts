/**
 * Signatures that were found good, so that those of the last commit, which came one by one, are not verified again with the block.
 * What is bad is verified each time it comes.
 */
import { toBinary } from '../primitives/bytes.ts'
import { RecentSet } from '../primitives/recent-set.ts'
import { type VerifyMessage, verifyMessage } from './key.ts'

/** Of each generation. */
const REMEMBERED_MAX = 4096

export function rememberVerified(verify: VerifyMessage = verifyMessage): VerifyMessage {
  const verified = new RecentSet<string>(REMEMBERED_MAX)
  return (key, message, signature) => {
    const name = toBinary(signature) + toBinary(key.value) + toBinary(message)
    if (verified.has(name)) return true
    if (!verify(key, message, signature)) return false
    verified.add(name)
    return true
  }
}
