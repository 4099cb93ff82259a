/**
 * Method names to numbers.
 *
 * @source FIPs `FRCs/frc-0042.md`
 */
import { blake2b } from '@noble/hashes/blake2.js'

const NAME = /^[A-Z_][A-Za-z0-9_]*$/
/** Numbers below this are for explicit use. */
const FIRST_NUMBER = 1 << 24

/** Whether FRC-0042 gives `name` a number. */
export function isMethodName(name: string): boolean {
  return NAME.test(name)
}

/**
 * The number of an exported method: the first four big-endian bytes of blake2b-512("1|" ‖ name) that are at least 2^24.
 * `Constructor` is 1.
 */
export function methodNumber(name: string): number {
  if (!isMethodName(name)) throw new RangeError(`FRC-0042 names match ${NAME.source}; got ${JSON.stringify(name)}`)
  if (name === 'Constructor') return 1
  const digest = blake2b(new TextEncoder().encode(`1|${name}`), { dkLen: 64 })
  const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength)
  for (let at = 0; at < digest.length; at += 4) {
    const number = view.getUint32(at)
    if (number >= FIRST_NUMBER) return number
  }
  throw new RangeError(`no method number in the digest of ${name}`)
}
