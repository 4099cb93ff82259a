// SHA-256 (FIPS 180-4) of what is short: writes the compression function as WebAssembly. Node's own takes most of a
// microsecond to be asked, and is the faster one from three blocks on, since it has the processor's instructions.

import { sliceBinary } from './bytes.ts'
import { I32, instantiateFunction, leb, NO_TYPE, op, signedLeb } from './wasm-function.ts'

const BLOCK_SIZE = 64
const DIGEST_SIZE = 32
/** The byte 0x80 and the count of bits, which follow the input. */
const PADDING_MIN = 9
const ROUNDS = 64

/** The longest input that this file takes: two blocks with the padding. */
export const SHORT_SIZE_MAX = 2 * BLOCK_SIZE - PADDING_MIN

/** Layout of the module's one page of memory: the digest, then the padded input. */
const DIGEST_AT = 0
const BLOCKS_AT = 64

/** Local variables of the function: its two parameters, the state, the working variables, 16 words of the schedule, a scratch. */
const AT = 0
const END = 1
const H = 2
const V = H + 8
const W = V + 8
const SCRATCH = W + 16

const PRIMES = listPrimes(ROUNDS)

const { memory, call: compress } = instantiateFunction({
  parameters: 2,
  locals: new Array<typeof I32>(8 + 8 + 16 + 1).fill(I32),
  code: writeCompress(),
})

/** The digest of at most `SHORT_SIZE_MAX` bytes. */
export function hashShortSha256(bytes: Uint8Array): Uint8Array {
  absorb(bytes)
  return memory.slice(DIGEST_AT, DIGEST_AT + DIGEST_SIZE)
}

/** The digest as a binary string. */
export function hashShortSha256Binary(bytes: Uint8Array): string {
  absorb(bytes)
  return sliceBinary(memory, DIGEST_AT, DIGEST_AT + DIGEST_SIZE)
}

function absorb(bytes: Uint8Array): void {
  const size = bytes.length
  if (size > SHORT_SIZE_MAX) throw new RangeError(`${size} bytes are not short`)
  const end = BLOCKS_AT + Math.ceil((size + PADDING_MIN) / BLOCK_SIZE) * BLOCK_SIZE
  memory.set(bytes, BLOCKS_AT)
  memory.fill(0, BLOCKS_AT + size, end)
  memory[BLOCKS_AT + size] = 0x80
  const bits = size * 8
  memory[end - 2] = bits >> 8
  memory[end - 1] = bits
  compress(BLOCKS_AT, end)
}

/** `compress(at, end)` writes the digest of the padded input between two places. Rounds are unrolled. */
function writeCompress(): number[] {
  const code: number[] = []
  const get = (local: number) => code.push(op.get, local)
  const set = (local: number) => code.push(op.set, local)
  const constant = (value: number) => code.push(op.i32Const, ...signedLeb(BigInt(value | 0)))
  for (const [i, word] of fractions(PRIMES.slice(0, 8), 2n).entries()) {
    constant(word)
    set(H + i)
  }
  code.push(op.loop, NO_TYPE)
  for (let i = 0; i < 8; i++) {
    get(H + i)
    set(V + i)
  }
  for (let i = 0; i < 16; i++) {
    code.push(op.get, AT, op.load32, 2, ...leb(4 * i))
    writeSwap(code)
    set(W + i)
  }
  for (const [i, k] of fractions(PRIMES, 3n).entries()) {
    const [a, b, c, d, e, f, g, h] = Array.from({ length: 8 }, (_, lane) => V + ((lane - i + ROUNDS) % 8)) as Lanes
    if (i >= 16) writeSchedule(code, i)
    // h += Σ1(e) + ((f ^ g) & e ^ g) + k + w
    get(h)
    writeSigma(code, e, [6, 11, 25])
    code.push(op.add32, op.get, f, op.get, g, op.xor32, op.get, e, op.and32, op.get, g, op.xor32, op.add32)
    constant(k)
    code.push(op.add32, op.get, W + (i % 16), op.add32)
    set(h)
    code.push(op.get, d, op.get, h, op.add32, op.set, d)
    // h += Σ0(a) + ((a ^ b) & (b ^ c) ^ b)
    get(h)
    writeSigma(code, a, [2, 13, 22])
    code.push(op.add32, op.get, a, op.get, b, op.xor32, op.get, b, op.get, c, op.xor32, op.and32, op.get, b)
    code.push(op.xor32, op.add32, op.set, h)
  }
  for (let i = 0; i < 8; i++) code.push(op.get, H + i, op.get, V + i, op.add32, op.set, H + i)
  code.push(op.get, AT, op.i32Const, ...signedLeb(BigInt(BLOCK_SIZE)), op.add32, op.set, AT)
  code.push(op.get, AT, op.get, END, op.lessThan32, op.branchIf, 0, op.end)
  for (let i = 0; i < 8; i++) {
    code.push(op.i32Const, 0, op.get, H + i)
    writeSwap(code)
    code.push(op.store32, 2, ...leb(DIGEST_AT + 4 * i))
  }
  return code

  /** w[i] = w[i − 16] + σ0(w[i − 15]) + w[i − 7] + σ1(w[i − 2]), over the sixteen that are kept. */
  function writeSchedule(code: number[], i: number): void {
    const word = (back: number) => W + ((i - back) % 16)
    get(word(16))
    writeSigma(code, word(15), [7, 18], 3)
    code.push(op.add32, op.get, word(7), op.add32)
    writeSigma(code, word(2), [17, 19], 10)
    code.push(op.add32)
    set(word(16))
  }

  /** Big-endian words: (x <<< 8 & 00ff00ff) | (x <<< 24 & ff00ff00). */
  function writeSwap(code: number[]): void {
    set(SCRATCH)
    code.push(op.get, SCRATCH, op.i32Const, 8, op.rotateLeft32)
    constant(0x00ff00ff)
    code.push(op.and32, op.get, SCRATCH, op.i32Const, 24, op.rotateLeft32)
    constant(0xff00ff00)
    code.push(op.and32, op.xor32)
  }
}

type Lanes = [number, number, number, number, number, number, number, number]

/** The xor of `local` turned right by each of `turns`, and of what a shift leaves of it. */
function writeSigma(code: number[], local: number, turns: readonly number[], shift?: number): void {
  for (const [i, turn] of turns.entries()) {
    code.push(op.get, local, op.i32Const, turn, op.rotateRight32)
    if (i > 0) code.push(op.xor32)
  }
  if (shift !== undefined) code.push(op.get, local, op.i32Const, shift, op.shiftRight32, op.xor32)
}

function listPrimes(count: number): number[] {
  const primes: number[] = []
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n)
  return primes
}

/** The first 32 bits after the point of each number's square (2) or cube (3) root. FIPS 180-4 §4.2.2, §5.3.3 */
function fractions(numbers: readonly number[], degree: bigint): number[] {
  return numbers.map((number) => {
    const scaled = BigInt(number) << (32n * degree)
    let root = 0n
    for (let bit = 1n << 37n; bit > 0n; bit >>= 1n) if ((root + bit) ** degree <= scaled) root += bit
    return Number(root & 0xffff_ffffn)
  })
}
