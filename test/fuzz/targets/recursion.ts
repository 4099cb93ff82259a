/**
 * Actors that take stack: functions with many locals that call themselves, at whose end the actor calls itself by a message. Where that
 * ends may not depend on how large the frames of the machine code are, which change as code gets warm.
 */
import { HOSTILE_DATA, PLACES } from '../hostile-data.ts'
import { Choices } from '../random.ts'
import { playRepeatedly } from '../repeat.ts'
import type { Target } from '../target.ts'
import { encodeWasm, type Instruction, type ValueType } from '../wasm.ts'
import { FIRST_ACTOR, plainModule } from '../world.ts'

const LOCALS = [0, 10, 200, 1000, 2000, 5000, 20_000, 49_990]
const DEPTHS = [1, 50, 100, 200, 300, 400, 600]
/** Enough for code to be compiled a second time. */
const WARM_RUNS = 5
/** Where the id address of the first actor lies. */
const SELF = PLACES[11]!
/** Place and size of a signature's parts: signature, address, plaintext. */
const SIGNED = [PLACES[20]!, PLACES[14]!, PLACES[22]!]
const SEND = 0
const VERIFY = 1
/** What is computed before a call and again after it: optimised code keeps all of it in its frame meanwhile. */
const TERMS = 1500

export const recursion: Target = {
  name: 'recursion',
  generate: (random) => random.bytes(12),
  run(input) {
    const choices = new Choices(input)
    const code = makeModule(choices, [])
    return playMessage(code, choices.pick([400_000_000n, 100_000_000n]))
  },
}

/** The same with frames that are small in baseline code and large in optimised code, of which a thread holds fewer than are allowed. */
export const optimisedFrames: Target = {
  name: 'optimised-frames',
  generate: (random) => random.bytes(12),
  run: (input) => playMessage(makeModule(new Choices(input), computeTerms()), 5_000_000_000n),
}

function playMessage(code: Uint8Array, gasLimit: bigint): string {
  const message = { to: FIRST_ACTOR, method: 2n, params: new Uint8Array(), value: 0n, gasLimit }
  return playRepeatedly({ networkVersion: 21, debugging: false, codes: [code], messages: [message] }, WARM_RUNS)
}

/** `terms` are run before the recursive call and after it. */
function makeModule(choices: Choices, terms: readonly Instruction[]): Uint8Array {
  const locals = choices.pick(LOCALS)
  const type = choices.pick<ValueType>(['i64', 'f64', 'i32'])
  const i32 = (a: number): Instruction => ({ op: 0x41, a })
  const i64 = (a: bigint): Instruction => ({ op: 0x42, a })
  const call = (a: number): Instruction => ({ op: 0x10, a })
  const end = { op: 0x0b }
  const drop = { op: 0x1a }
  const send = [
    i32(0x8000),
    i32(SELF.at),
    i32(SELF.size),
    i64(5n),
    i32(0),
    i64(0n),
    i64(0n),
    i64(-1n),
    i64(0n),
    call(SEND),
  ]
  const verify = [i32(0x8000), i32(1), ...SIGNED.flatMap(({ at, size }) => [i32(at), i32(size)]), call(VERIFY)]
  const first = [...(choices.below(2) === 0 ? [...verify, drop] : []), ...send, drop]
  // Half of them use their locals after the call, so that these stay.
  const uses = choices.below(2) === 0 ? [] : keep(locals)
  const deeper = [...terms, { op: 0x20, a: 0 }, i32(1), { op: 0x6b }, call(3), ...terms, ...uses]
  const recursive = [
    { op: 0x20, a: 0 },
    { op: 0x45 },
    { op: 0x04, a: 0x40 },
    call(2),
    { op: 0x05 },
    ...deeper,
    end,
    end,
  ]
  const invoke = [i32(choices.pick(DEPTHS)), call(3), i32(0), end]
  const wordsOf = (params: string): ValueType[] => [...params].map((letter) => (letter === 'I' ? 'i64' : 'i32'))
  return encodeWasm({
    ...plainModule([]),
    types: [
      { params: wordsOf('iiiIiIIII'), results: ['i32'] },
      { params: wordsOf('iiiiiiii'), results: ['i32'] },
      { params: [], results: [] },
      { params: ['i32'], results: [] },
      { params: ['i32'], results: ['i32'] },
    ],
    imports: [
      { module: 'send', name: 'send', type: 0 },
      { module: 'crypto', name: 'verify_signature', type: 1 },
    ],
    functions: [
      { type: 2, locals: [], code: [...first, end] },
      { type: 3, locals: [[locals, type]], code: recursive },
      { type: 4, locals: [], code: invoke },
    ],
    exports: [
      { name: 'invoke', kind: 0, index: 4 },
      { name: 'memory', kind: 2, index: 0 },
    ],
    data: [{ at: 0, bytes: HOSTILE_DATA }],
  })
}

/** Stores the parameter, each time with other bits turned. */
function computeTerms(): Instruction[] {
  return Array.from({ length: TERMS }, (_, i): Instruction[] => [
    { op: 0x41, a: 0x8800 },
    { op: 0x20, a: 0 },
    { op: 0x41, a: 977 * i + 13 },
    { op: 0x73 },
    { op: 0x36, a: 2, b: 0 },
  ]).flat()
}

/** Moves each local to its neighbour; the parameter is none of them. */
function keep(locals: number): Instruction[] {
  return Array.from({ length: Math.max(0, Math.min(locals, 2000) - 1) }, (_, i) => [
    { op: 0x20, a: i + 1 },
    { op: 0x21, a: i + 2 },
  ]).flat()
}
