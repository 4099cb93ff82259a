/**
 * Actors of random code, in a machine: whatever they do, their messages have receipts, and the same ones in a new machine, with
 * modules compiled before, and with a trace.
 */
import { SYSCALLS_B, SYSCALLS_C } from '../../../devnet/engine/syscalls/table.ts'
import { HOSTILE_DATA, PLACES } from '../hostile-data.ts'
import { type Imported, makeProgram } from '../program.ts'
import { Choices } from '../random.ts'
import { playRepeatedly } from '../repeat.ts'
import type { Target } from '../target.ts'
import { encodeWasm, type Instruction, type WasmModule } from '../wasm.ts'
import { FIRST_ACTOR, plainModule, type Script } from '../world.ts'

const VERSIONS = [21, 28, 25, 18]
const GAS_LIMITS = [100_000_000n, 5_000_000n, 1_000_000n, 30_000_000n, 300_000_000n]

/** Random programs that call the system now and then. */
export const actors: Target = {
  name: 'actors',
  generate: (random) => random.bytes(40 + random.below(500)),
  run(input) {
    return playRepeatedly(makeScript(new Choices(input), makeRandomProgram))
  },
}

/** One system call after the other, with arguments that nearly make sense. */
export const syscalls: Target = {
  name: 'syscalls',
  generate: (random) => random.bytes(40 + random.below(400)),
  run(input) {
    return playRepeatedly(makeScript(new Choices(input), callSystem))
  },
}

/** The bytes of an actor of either kind, for the machines of today. */
export function makeActor(choices: Choices): Uint8Array {
  const make = choices.below(2) === 0 ? callSystem : makeRandomProgram
  return encodeWasm(make(choices, importsOf(VERSIONS[0]!)))
}

function makeRandomProgram(choices: Choices, imports: readonly Imported[]): WasmModule {
  return makeProgram(choices, { imports, data: HOSTILE_DATA })
}

type Maker = (choices: Choices, imports: readonly Imported[]) => WasmModule

function makeScript(choices: Choices, make: Maker): Script {
  const networkVersion = choices.pick(VERSIONS)
  const imports = importsOf(networkVersion)
  const debugging = choices.below(4) === 0
  const messages = Array.from({ length: 1 + choices.below(3) }, () => ({
    to: FIRST_ACTOR + BigInt(choices.below(2)),
    method: BigInt(choices.below(4)),
    params: HOSTILE_DATA.slice(choices.below(40), 40 + choices.below(40)),
    value: BigInt(choices.below(3)),
    gasLimit: choices.pick(GAS_LIMITS),
  }))
  const codes = [make(choices, imports), make(choices, imports)].map(encodeWasm)
  return { networkVersion, debugging, codes, messages }
}

const IMPORTS = [SYSCALLS_B, SYSCALLS_C].map((table) =>
  Object.entries(table).flatMap(([module, calls]) =>
    Object.entries(calls).map(([name, { params }]): Imported => ({ module, name, params })),
  ),
)

function importsOf(networkVersion: number): readonly Imported[] {
  return IMPORTS[networkVersion < 21 ? 0 : 1]!
}

// biome-ignore format: a list
const WORDS = [0, 1, 2, 3, -1, 8, 20, 32, 38, 65, 100, 1000, 0x8000, 0x9000, 65_535, 65_536, 65_516, 0x7fff_ffff, -0x8000_0000, 131_072]
// biome-ignore format: a list
const LONGS = [
  0n, 1n, 2n, 0x71n, 0x55n, 0x51n, 0xb220n, 0x12n, 0x1bn, 0xb240n, 0x1053n, 100n, 999n, 1000n, 1001n, 1002n, 77_777n, 500_000n, -1n,
  1n << 62n, -(1n << 63n), 0x1_0000_0071n, 8n, 9n,
]

function callSystem(choices: Choices, imports: readonly Imported[]): WasmModule {
  const code: Instruction[] = []
  const i32 = (value: number) => code.push({ op: 0x41, a: value })
  const params = (types: Imported['params']) => {
    for (let i = 0; i < types.length; i++) {
      if (types[i] === 'i64') {
        code.push({ op: 0x42, a: choices.below(8) === 0 ? choices.u64() : choices.pick(LONGS) })
      } else if (i + 1 < types.length && types[i + 1] === 'i32' && choices.below(3) !== 0) {
        const { at, size } = choices.pick(PLACES)
        i32(at)
        i32(choices.below(6) === 0 ? choices.pick(WORDS) : size)
        i++
      } else i32(choices.below(3) === 0 ? choices.pick(PLACES).at : choices.pick(WORDS))
    }
  }
  const calls = 1 + choices.below(24)
  for (let i = 0; i < calls && !choices.isAtEnd; i++) {
    const index = choices.below(imports.length)
    i32(0xa000 + 4 * i)
    const { params: types } = imports[index]!
    // Results go where the next calls may read them.
    if (types[0] === 'i32' && choices.below(4) !== 0) {
      i32(choices.pick([0x8000, 0x9000, 0xb000]))
      params(types.slice(1))
    } else params(types)
    code.push({ op: 0x10, a: index }, { op: 0x36, a: 2, b: 0 })
  }
  i32(choices.below(4))
  code.push({ op: 0x0b })
  const module = plainModule(code)
  return {
    ...module,
    types: [...imports.map(({ params: of }) => ({ params: of, results: ['i32'] as const })), ...module.types],
    imports: imports.map(({ module: from, name }, type) => ({ module: from, name, type })),
    functions: [{ type: imports.length, locals: [], code }],
    exports: [
      { name: 'invoke', kind: 0, index: imports.length },
      { name: 'memory', kind: 2, index: 0 },
    ],
    data: [{ at: 0, bytes: HOSTILE_DATA }],
  }
}
