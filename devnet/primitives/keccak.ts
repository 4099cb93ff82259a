// Keccak-256 as Ethereum has it (padding 01, before SHA-3 changed it): writes the permutation keccak-f[1600] as
// WebAssembly, and feeds blocks to it. Source: keccak.team, "Keccak specifications summary".

import { I32, I64, instantiateFunction, leb, NO_TYPE, op } from './wasm-function.ts'

const RATE = 136
const DIGEST_SIZE = 32
const LANES = 25
const ROUNDS = 24

/** Layout of the module's one page of memory: 25 lanes of state, the block, the round constants. */
const STATE_AT = 0
const BLOCK_AT = 200
const CONSTANTS_AT = 400

/** Local variables of the function: the round's offset, the lanes A, the lanes B to be, C of five columns. */
const ROUND = 0
const A = 1
const B = A + LANES
const C = B + LANES

/** How far each lane turns. Lane (x, y) is number x + 5y. */
const ROTATIONS = listRotations()

const { memory, call: permute } = instantiateFunction({
  parameters: 0,
  locals: [I32, ...new Array<typeof I64>(LANES + LANES + 5).fill(I64)],
  code: writePermutation(),
})
memory.set(listConstants(), CONSTANTS_AT)

export function hashKeccak256(bytes: Uint8Array): Uint8Array {
  memory.fill(0, STATE_AT, STATE_AT + LANES * 8)
  let at = 0
  for (; bytes.length - at >= RATE; at += RATE) {
    memory.set(bytes.subarray(at, at + RATE), BLOCK_AT)
    permute()
  }
  const rest = bytes.length - at
  memory.fill(0, BLOCK_AT + rest, BLOCK_AT + RATE)
  memory.set(at === 0 ? bytes : bytes.subarray(at), BLOCK_AT)
  memory[BLOCK_AT + rest] = 0x01
  memory[BLOCK_AT + RATE - 1]! |= 0x80
  permute()
  return memory.slice(STATE_AT, STATE_AT + DIGEST_SIZE)
}

/** Adds the block to the state, then runs all rounds on it. The order within a round is θ, ρ and π, χ, ι. */
function writePermutation(): number[] {
  const code: number[] = []
  const get = (local: number) => code.push(op.get, local)
  const set = (local: number) => code.push(op.set, local)
  const load = (at: number) => code.push(op.i32Const, 0, op.load64, 3, ...leb(at))
  for (let i = 0; i < LANES; i++) {
    load(STATE_AT + 8 * i)
    if (8 * i < RATE) {
      load(BLOCK_AT + 8 * i)
      code.push(op.xor64)
    }
    set(A + i)
  }
  code.push(op.i32Const, 0, op.set, ROUND, op.loop, NO_TYPE)
  for (let x = 0; x < 5; x++) {
    get(A + x)
    for (let y = 1; y < 5; y++) code.push(op.get, A + x + 5 * y, op.xor64)
    set(C + x)
  }
  for (let x = 0; x < 5; x++) {
    for (let y = 0; y < 5; y++) {
      // B[y, 2x + 3y] = (A[x, y] ^ C[x − 1] ^ (C[x + 1] <<< 1)) <<< r[x, y]
      get(C + ((x + 1) % 5))
      code.push(op.i64Const, 1, op.rotateLeft, op.get, C + ((x + 4) % 5), op.xor64, op.get, A + x + 5 * y, op.xor64)
      // A constant of one byte is signed: 0 to 63 fit.
      code.push(op.i64Const, ROTATIONS[x + 5 * y]!, op.rotateLeft)
      set(B + y + 5 * ((2 * x + 3 * y) % 5))
    }
  }
  for (let y = 0; y < 5; y++) {
    for (let x = 0; x < 5; x++) {
      // A[x, y] = B[x, y] ^ (~B[x + 1, y] & B[x + 2, y]), where ~ is the xor with −1.
      get(B + x + 5 * y)
      code.push(op.get, B + ((x + 1) % 5) + 5 * y, op.i64Const, 0x7f, op.xor64)
      code.push(op.get, B + ((x + 2) % 5) + 5 * y, op.and64, op.xor64)
      set(A + x + 5 * y)
    }
  }
  code.push(op.get, A, op.get, ROUND, op.load64, 3, ...leb(CONSTANTS_AT), op.xor64, op.set, A)
  code.push(op.get, ROUND, op.i32Const, 8, op.add32, op.set, ROUND)
  code.push(op.get, ROUND, op.i32Const, ...[0xc0, 0x01], op.lessThan32, op.branchIf, 0, op.end) // 8 · 24 = 192
  for (let i = 0; i < LANES; i++) code.push(op.i32Const, 0, op.get, A + i, op.store64, 3, ...leb(STATE_AT + 8 * i))
  return code
}

function listRotations(): number[] {
  const rotations = new Array<number>(LANES).fill(0)
  let [x, y] = [1, 0]
  for (let t = 0; t < 24; t++) {
    rotations[x + 5 * y] = (((t + 1) * (t + 2)) / 2) % 64
    ;[x, y] = [y, (2 * x + 3 * y) % 5]
  }
  return rotations
}

/** Bit 2^j − 1 of constant i is bit j + 7i of a shift register over x^8 + x^6 + x^5 + x^4 + 1. */
function listConstants(): Uint8Array {
  const constants = new BigUint64Array(ROUNDS)
  let register = 1
  for (let i = 0; i < ROUNDS; i++) {
    for (let j = 0; j < 7; j++) {
      if (register & 1) constants[i]! |= 1n << BigInt(2 ** j - 1)
      register = register & 0x80 ? ((register << 1) ^ 0x171) & 0xff : register << 1
    }
  }
  return new Uint8Array(constants.buffer)
}
