// Unsigned varints: seven bits a byte, least significant first, as in multiformats. At most ten bytes.
// Of a tenth byte only bit 0 counts; its other bits are dropped, as the reference drops them.

/**
 * Reads a varint. Undefined when it runs off the end, has more than ten bytes, or ends in a zero byte
 * that is not its only one.
 *
 * @source `unsigned-varint` crate, `decode::u64`
 */
export function readVarint(bytes: Uint8Array, offset: number): { value: bigint; next: number } | undefined {
  const small = readSmall(bytes, offset)
  if (small !== undefined) return small
  let value = 0n
  for (let i = 0; i < 10; i++) {
    const byte = bytes[offset + i]
    if (byte === undefined) return undefined
    value |= BigInt(byte & 0x7f) << BigInt(7 * i)
    if (byte < 0x80) return byte === 0 ? undefined : { value: BigInt.asUintN(64, value), next: offset + i + 1 }
  }
  return undefined
}

/** Up to four bytes, which is all that most varints have. Undefined: not that short, or malformed. */
function readSmall(bytes: Uint8Array, offset: number): { value: bigint; next: number } | undefined {
  let value = 0
  for (let i = 0; i < 4; i++) {
    const byte = bytes[offset + i]
    if (byte === undefined) return undefined
    value |= (byte & 0x7f) << (7 * i)
    if (byte < 0x80) return byte === 0 && i > 0 ? undefined : { value: BigInt(value), next: offset + i + 1 }
  }
  return undefined
}

/** The shortest varint of `value`, which is between 0 and 2^64 − 1. */
export function writeVarint(value: bigint | number): Uint8Array {
  if (value < 0 || value > 0xffff_ffff_ffff_ffffn) throw new RangeError(`not an unsigned 64-bit integer: ${value}`)
  const out: number[] = []
  let rest = BigInt(value)
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  out.push(Number(rest))
  return Uint8Array.from(out)
}
