// BLAKE2b (RFC 7693), unkeyed, as a WebAssembly function of our own making: 64-bit words are native there and a pair
// of halves in JavaScript. This file writes the function's bytes, unrolled, and feeds blocks to it.

import { sliceBinary } from './bytes.ts'

const BLOCK_SIZE = 128
const STATE_SIZE = 64

/** Layout of the module's one page of memory: the eight words of state, then the block. */
const STATE_AT = 0
const BLOCK_AT = STATE_SIZE

/** The square roots of the first eight primes, as SHA-512 begins. RFC 7693 §2.6 */
const IV = [
  0x6a09e667f3bcc908n,
  0xbb67ae8584caa73bn,
  0x3c6ef372fe94f82bn,
  0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n,
  0x9b05688c2b3e6c1fn,
  0x1f83d9abfb41bd6bn,
  0x5be0cd19137e2179n,
] as const

/** Which words of the block a round mixes, in order. Rounds 10 and 11 repeat 0 and 1. RFC 7693 §2.7 */
const SIGMA = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
] as const
const ROUNDS = 12

/** The columns and the diagonals of the working matrix that one round mixes. */
const LANES = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const

const I32 = 0x7f
const I64 = 0x7e
const op = {
  end: 0x0b,
  get: 0x20,
  set: 0x21,
  load: 0x29,
  store: 0x37,
  i32Const: 0x41,
  i64Const: 0x42,
  add: 0x7c,
  sub: 0x7d,
  xor: 0x85,
  rotateRight: 0x8a,
  extendUnsigned: 0xad,
} as const

/** Local variables of the function: its two parameters, the working matrix v, the block's words m. */
const COUNTER = 0
const IS_LAST = 1
const V = 2
const M = V + 16

const { memory, compress } = instantiate()
const INITIAL_STATE = initialState()

/** The digest of `size` bytes, 1 to 64. */
export function hashBlake2b(bytes: Uint8Array, size: number): Uint8Array {
  absorb(bytes, size)
  return memory.slice(STATE_AT, STATE_AT + size)
}

/** The digest as a binary string. */
export function hashBlake2bBinary(bytes: Uint8Array, size: number): string {
  absorb(bytes, size)
  return sliceBinary(memory, STATE_AT, STATE_AT + size)
}

/** Leaves the digest at the start of the state. Nothing is kept from call to call, so one memory serves all. */
function absorb(bytes: Uint8Array, size: number): void {
  if (!Number.isInteger(size) || size < 1 || size > STATE_SIZE) throw new RangeError(`a digest of ${size} bytes`)
  memory.set(INITIAL_STATE, STATE_AT)
  memory[STATE_AT]! ^= size
  let at = 0
  for (; bytes.length - at > BLOCK_SIZE; at += BLOCK_SIZE) {
    memory.set(bytes.subarray(at, at + BLOCK_SIZE), BLOCK_AT)
    compress(at + BLOCK_SIZE, 0)
  }
  memory.fill(0, BLOCK_AT + bytes.length - at, BLOCK_AT + BLOCK_SIZE)
  memory.set(at === 0 ? bytes : bytes.subarray(at), BLOCK_AT)
  compress(bytes.length, 1)
}

/** IV, with the parameters of an unkeyed hash (fan-out and depth 1) in word 0; the digest's size comes later. */
function initialState(): Uint8Array {
  const words = BigUint64Array.from(IV)
  words[0]! ^= 0x0101_0000n
  return new Uint8Array(words.buffer)
}

/** `compress(counter, isLast)`: mixes the block into the state; `counter` is the count of bytes so far, below 2^32. */
type Compress = (counter: number, isLast: 0 | 1) => void

function instantiate(): { memory: Uint8Array; compress: Compress } {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(writeModule()))
  const exports = instance.exports as unknown as { m: { buffer: ArrayBuffer }; c: Compress }
  return { memory: new Uint8Array(exports.m.buffer), compress: exports.c }
}

function writeModule(): Uint8Array<ArrayBuffer> {
  const body = [1, 32, I64, ...writeCompress(), op.end]
  const section = (id: number, ...content: readonly number[]) => [id, ...leb(content.length), ...content]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, 1, 0x60, 2, I32, I32, 0), // type 0: (i32, i32) → ()
    ...section(3, 1, 0), // function 0 has type 0
    ...section(5, 1, 0, 1), // one page of memory
    ...section(7, 2, 1, 0x6d, 2, 0, 1, 0x63, 0, 0), // exports "m" and "c"
    ...section(10, 1, ...leb(body.length), ...body),
  ])
}

function writeCompress(): number[] {
  const code: number[] = []
  const load = (at: number) => code.push(op.i32Const, 0, op.load, 3, ...leb(at))
  for (let i = 0; i < 8; i++) {
    load(STATE_AT + 8 * i)
    code.push(op.set, V + i, op.i64Const, ...signedLeb(BigInt.asIntN(64, IV[i]!)), op.set, V + 8 + i)
  }
  for (let i = 0; i < 16; i++) {
    load(BLOCK_AT + 8 * i)
    code.push(op.set, M + i)
  }
  // v12 ^= counter; v14 = ~v14 in the last block, by xor with 0 − isLast.
  code.push(op.get, COUNTER, op.extendUnsigned, op.get, V + 12, op.xor, op.set, V + 12)
  code.push(op.i64Const, 0, op.get, IS_LAST, op.extendUnsigned, op.sub, op.get, V + 14, op.xor, op.set, V + 14)
  for (let round = 0; round < ROUNDS; round++) {
    const sigma = SIGMA[round % SIGMA.length]!
    for (const [lane, [a, b, c, d]] of LANES.entries()) {
      const half = (x: number, rotateD: number, rotateB: number) => {
        code.push(op.get, V + a, op.get, V + b, op.add, op.get, M + x, op.add, op.set, V + a)
        code.push(op.get, V + d, op.get, V + a, op.xor, op.i64Const, rotateD, op.rotateRight, op.set, V + d)
        code.push(op.get, V + c, op.get, V + d, op.add, op.set, V + c)
        code.push(op.get, V + b, op.get, V + c, op.xor, op.i64Const, rotateB, op.rotateRight, op.set, V + b)
      }
      half(sigma[lane * 2]!, 32, 24)
      half(sigma[lane * 2 + 1]!, 16, 63)
    }
  }
  for (let i = 0; i < 8; i++) {
    code.push(op.i32Const, 0)
    load(STATE_AT + 8 * i)
    code.push(op.get, V + i, op.xor, op.get, V + 8 + i, op.xor, op.store, 3, ...leb(STATE_AT + 8 * i))
  }
  return code
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)]
}

function signedLeb(value: bigint): number[] {
  const low = Number(value & 0x7fn)
  const rest = value >> 7n
  const done = (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40)
  return done ? [low] : [low | 0x80, ...signedLeb(rest)]
}
