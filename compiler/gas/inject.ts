/**
 * Pass G, second half: a body that pays before it runs. A block's price is subtracted from a global of the module itself, in line.
 *
 * Whether the gas has run out is asked less often than the reference asks. A message that runs out of gas has one outcome wherever it
 * stops, and the host looks at the global before every system call and at the end; so it is enough that nothing can run for long below
 * zero: the question comes where functions that call others begin, where loops begin, and where a length is paid. That argument needs
 * prices that cannot lift the counter above zero again; a module with an enormous price asks at every block, like the reference.
 * @source spec/fvm.md 8.4, 8.5, 8.7
 */
import type { Instructions } from '../wasm/code.ts'
import type { Global, LocalGroup } from '../wasm/module.ts'
import { BYTE, OP, OPCODE_SLOTS } from '../wasm/opcodes.ts'
import { LOCALS_MAX } from '../wasm/validate-body.ts'
import {
  createSink,
  type Sink,
  sinkBytes,
  writeByte,
  writeBytes,
  writeRange,
  writeS32,
  writeS64,
  writeU32,
} from '../wasm/writer.ts'
import type { Metering, Milligas } from './blocks.ts'
import { NAN_F32, NAN_RESULT, NO_NAN, writeCanonicalNan, writeCanonicalOfLocal } from './nan.ts'
import { STACK_HEIGHT_MAX, UNIT_MILLIGAS } from './rules.ts'

/** A function whose blocks sum to less can be paid without asking at each: 2²⁴ frames of it stay far above −2⁶³. */
const LAZY_MILLIGAS_MAX = 2 ** 38

/** What injected code refers to: indices in the module that comes out. */
export interface Targets {
  readonly source: Uint8Array
  /** Functions below are imports of the raw module; the others moved up by `shift`. */
  readonly importedFunctions: number
  readonly shift: number
  /** By function index of the raw module: what a call adds to the stack height. */
  readonly stackCosts: readonly number[]
  readonly gasGlobal: number
  readonly heightGlobal: number
  /** By unit price: a function (length) → length that pays for it. */
  readonly charges: ReadonlyMap<number, number>
  readonly canonicalF32: number
  readonly canonicalF64: number
  readonly memoryGrow: number
  readonly tableGrow: number
  /** By function index of the raw module: what crowded functions call in its place. */
  readonly standIns: ReadonlyMap<number, number>
  /** Ask at every block whether gas has run out. */
  readonly asking: 'every block' | 'seldom'
  /** Watches what runs in place of metering it. */
  readonly watch: Watch | null
}

/** What a watched module tells of itself. */
export interface Watch {
  /** Index of the function (block) → block that hears of every block that begins. */
  readonly tell: number
  /** By block: the offset of its first instruction in the raw module. */
  readonly blocks: number[]
  readonly runs: Run[]
}

/** From `written` in the code that is written stands what is at `raw` in the raw module: a copy, or what one instruction became. */
export interface Run {
  readonly written: number
  readonly raw: number
  readonly isCopy: boolean
}

/** Whether the prices in `metering` are small enough to ask seldom. */
export function isModest(metering: Metering): boolean {
  let sum = 0
  for (const cost of metering.costs) sum += Number(cost)
  return sum < LAZY_MILLIGAS_MAX
}

/** Locals that injected code keeps in a function; a crowded function has none. */
interface Temporaries {
  /** Index of the next local, and the types of those added so far. */
  next: number
  readonly added: number[]
  /** Always equal to the gas global: what loops read instead of it. */
  readonly gas: number
  /** Height on entry, in functions that call. */
  readonly height: number
  f32: number
  f64: number
}

const NONE = -1
/** Gas, height, and a float of either type. */
const TEMPORARIES_MAX = 4

/** Whether a function of `count` parameters and locals has no room for temporaries. */
export function isCrowded(count: number): boolean {
  return count > LOCALS_MAX - TEMPORARIES_MAX
}

/** Writes the body: size, locals, instructions. `count` includes the parameters. */
export function writeMeteredBody(
  out: Sink,
  targets: Targets,
  code: Instructions,
  metering: Metering,
  locals: { readonly groups: readonly LocalGroup[]; readonly count: number },
): void {
  const instructions = createSink(256 + 2 * (code.starts[code.count]! - code.starts[0]!))
  const temporaries = createTemporaries(locals.count, metering.calls)
  const firstRun = targets.watch?.runs.length ?? 0
  writeInstructions(instructions, targets, code, metering, temporaries)
  const header = createSink(64)
  writeLocals(header, locals.groups, temporaries.added)
  writeU32(out, header.size + instructions.size)
  writeBytes(out, sinkBytes(header))
  if (targets.watch !== null) moveRuns(targets.watch.runs, firstRun, out.size)
  writeBytes(out, sinkBytes(instructions))
}

/** Runs from index `first` were noted from the start of their body, which turned out to be at `start`. */
function moveRuns(runs: Run[], first: number, start: number): void {
  for (let index = first; index < runs.length; index++) {
    const run = runs[index]!
    runs[index] = { ...run, written: run.written + start }
  }
}

function createTemporaries(count: number, calls: boolean): Temporaries {
  const none = { next: count, added: [], gas: NONE, height: NONE, f32: NONE, f64: NONE }
  if (isCrowded(count)) return none
  if (!calls) return { ...none, next: count + 1, added: [BYTE.i64], gas: count }
  return { ...none, next: count + 2, added: [BYTE.i64, BYTE.i32], gas: count, height: count + 1 }
}

const TYPE_BYTE = { i32: BYTE.i32, i64: BYTE.i64, f32: BYTE.f32, f64: BYTE.f64, funcref: BYTE.funcref } as const

/** The function's own groups, then a group of one for each temporary. */
function writeLocals(out: Sink, groups: readonly LocalGroup[], added: readonly number[]): void {
  writeU32(out, groups.length + added.length)
  for (const { count, type } of groups) {
    writeU32(out, count)
    writeByte(out, TYPE_BYTE[type])
  }
  for (const byte of added) {
    writeByte(out, 1)
    writeByte(out, byte)
  }
}

function writeInstructions(
  out: Sink,
  targets: Targets,
  code: Instructions,
  metering: Metering,
  temporaries: Temporaries,
): void {
  const { count, slots, starts, first } = code
  const { blockAt, costs, prepaid, sites, loops } = metering
  const { source } = targets
  const { watch } = targets
  if (watch !== null) {
    writeWatchedInstructions(out, { ...targets, watch }, code, metering, temporaries)
    return
  }
  const everywhere = targets.asking === 'every block'
  let copied = starts[0]!
  let site = 0
  let loop = 0
  writeEntry(out, targets, temporaries)
  for (let at = 0; at < count; at++) {
    const slot = slots[at]!
    const block = blockAt[at]!
    const begins = loops[loop] === at
    if (begins) loop++
    const asks = !everywhere && (begins || (at === 0 && metering.calls))
    const pays = sites[site] === at
    if (pays) site++
    if (block !== 0 || asks || pays || EXPANDED[slot] !== 0) {
      writeRange(out, source, copied, starts[at]!)
      copied = starts[at]!
      if (block !== 0) writeCharge(out, targets, temporaries, costs[block - 1]!)
      if (asks || (block !== 0 && (everywhere || prepaid[block - 1]!))) writeQuestion(out, targets, temporaries)
      if (pays) {
        writeIndexed(out, OP.call, targets.charges.get(UNIT_MILLIGAS[slot]!)!)
        writeGasRead(out, targets, temporaries)
      }
      if (EXPANDED[slot] !== 0) {
        copied = starts[at + 1]!
        writeExpanded(out, targets, temporaries, { slot, callee: first[at]!, start: starts[at]!, end: copied })
      }
    }
  }
  writeRange(out, source, copied, starts[count]!)
}

/** As `writeInstructions`, for a body that tells of its blocks and pays for none. Blocks end after calls too: one may not come back. */
function writeWatchedInstructions(
  out: Sink,
  targets: Targets & { readonly watch: Watch },
  code: Instructions,
  { blockAt }: Metering,
  temporaries: Temporaries,
): void {
  const { count, slots, starts, first } = code
  const { source, watch } = targets
  let copied = starts[0]!
  writeEntry(out, targets, temporaries)
  for (let at = 0; at < count; at++) {
    const slot = slots[at]!
    const before = at === 0 ? OP.call : slots[at - 1]!
    const begins = blockAt[at] !== 0 || before === OP.call || before === OP.callIndirect
    if (!begins && EXPANDED[slot] === 0) continue
    writeRange(out, source, copied, starts[at]!)
    copied = starts[at]!
    if (begins) writeTell(out, watch, copied)
    if (EXPANDED[slot] !== 0) {
      copied = starts[at + 1]!
      watch.runs.push({ written: out.size, raw: starts[at]!, isCopy: false })
      writeExpanded(out, targets, temporaries, { slot, callee: first[at]!, start: starts[at]!, end: copied })
    }
    watch.runs.push({ written: out.size, raw: copied, isCopy: true })
  }
  writeRange(out, source, copied, starts[count]!)
}

/** Tells of the block that begins at `raw`. */
function writeTell(out: Sink, { tell, blocks }: Watch, raw: number): void {
  writeByte(out, OP.i32Const)
  writeS32(out, blocks.push(raw) - 1)
  writeIndexed(out, OP.call, tell)
  writeByte(out, OP.drop)
}

/** By slot: instructions that are not copied as they are. */
const EXPANDED = Uint8Array.from({ length: OPCODE_SLOTS }, (_, slot) => {
  const calls = slot === OP.call || slot === OP.callIndirect || slot === OP.memoryGrow || slot === OP.tableGrow
  return calls || NAN_RESULT[slot] !== NO_NAN ? 1 : 0
})

interface Expanded {
  readonly slot: number
  readonly callee: number
  readonly start: number
  readonly end: number
}

/** A call, after which the gas has to be read again, or an operation on floats. */
function writeExpanded(out: Sink, targets: Targets, temporaries: Temporaries, instruction: Expanded): void {
  const { slot, callee, start, end } = instruction
  if (NAN_RESULT[slot] !== NO_NAN) {
    writeRange(out, targets.source, start, end)
    writeNan(out, targets, NAN_RESULT[slot]!, temporaries)
    return
  }
  if (slot === OP.memoryGrow) writeIndexed(out, OP.call, targets.memoryGrow)
  else if (slot === OP.tableGrow) writeIndexed(out, OP.call, targets.tableGrow)
  else if (slot === OP.call && callee >= targets.importedFunctions) writeLimitedCall(out, targets, temporaries, callee)
  else {
    // Callees leave the height as their own calls set it; thunks add to it, and the host asks how much stack is in use.
    if ((slot === OP.callIndirect || slot === OP.call) && temporaries.height !== NONE) {
      writeIndexed(out, OP.localGet, temporaries.height)
      writeIndexed(out, OP.globalSet, targets.heightGlobal)
    }
    writeRange(out, targets.source, start, end)
  }
  writeGasRead(out, targets, temporaries)
}

function writeEntry(out: Sink, targets: Targets, temporaries: Temporaries): void {
  writeGasRead(out, targets, temporaries)
  if (temporaries.height === NONE) return
  writeIndexed(out, OP.globalGet, targets.heightGlobal)
  writeIndexed(out, OP.localSet, temporaries.height)
}

/** Brings the local copy of the gas up to date. */
function writeGasRead(out: Sink, { gasGlobal }: Targets, { gas }: Temporaries): void {
  if (gas === NONE) return
  writeIndexed(out, OP.globalGet, gasGlobal)
  writeIndexed(out, OP.localSet, gas)
}

/** `gas -= cost`, in 64 bits: 2⁶³ and more gives gas, as in the reference. */
function writeCharge(out: Sink, { gasGlobal }: Targets, { gas }: Temporaries, cost: Milligas): void {
  if (gas === NONE) writeIndexed(out, OP.globalGet, gasGlobal)
  else writeIndexed(out, OP.localGet, gas)
  writeByte(out, OP.i64Const)
  writeS64(out, cost)
  writeByte(out, OP.i64Sub)
  if (gas !== NONE) writeIndexed(out, OP.localTee, gas)
  writeIndexed(out, OP.globalSet, gasGlobal)
}

/** `if (gas < 0) unreachable` */
function writeQuestion(out: Sink, { gasGlobal }: Pick<Targets, 'gasGlobal'>, { gas }: Pick<Temporaries, 'gas'>): void {
  if (gas === NONE) writeIndexed(out, OP.globalGet, gasGlobal)
  else writeIndexed(out, OP.localGet, gas)
  writeByte(out, OP.i64Const)
  writeByte(out, 0)
  writeByte(out, OP.i64LtS)
  writeTrapIf(out)
}

function writeTrapIf(out: Sink): void {
  writeByte(out, OP.if)
  writeByte(out, BYTE.empty)
  writeByte(out, OP.unreachable)
  writeByte(out, OP.end)
}

/** An instruction and its index. */
function writeIndexed(out: Sink, opcode: number, index: number): void {
  writeByte(out, opcode)
  writeU32(out, index)
}

/**
 * A call of the raw module's function `callee`. The reference adds to the height before and subtracts after; here whoever calls sets the
 * height it means, so that nothing is left to do after. A crowded function has nowhere to keep its own: it calls through a stand-in.
 */
function writeLimitedCall(out: Sink, targets: Targets, { height }: Temporaries, callee: number): void {
  if (height === NONE) {
    writeIndexed(out, OP.call, targets.standIns.get(callee)!)
    return
  }
  writeRaisedHeight(out, targets, height, callee)
  writeIndexed(out, OP.call, callee + targets.shift)
}

/** Sets the height to that of `callee`, called at the height in the local `height`; traps when it is too high. */
function writeRaisedHeight(out: Sink, { heightGlobal, stackCosts }: Targets, height: number, callee: number): void {
  const raised = (): void => {
    writeIndexed(out, OP.localGet, height)
    writeByte(out, OP.i32Const)
    writeS32(out, stackCosts[callee]!)
    writeByte(out, OP.i32Add)
  }
  raised()
  writeIndexed(out, OP.globalSet, heightGlobal)
  raised()
  writeByte(out, OP.i32Const)
  writeS32(out, STACK_HEIGHT_MAX)
  writeByte(out, OP.i32GtU)
  writeTrapIf(out)
}

/** Through a temporary, or, in a crowded function, through a helper. */
function writeNan(out: Sink, targets: Targets, result: number, temporaries: Temporaries): void {
  const type = result === NAN_F32 ? 'f32' : 'f64'
  if (temporaries.gas === NONE) {
    writeIndexed(out, OP.call, result === NAN_F32 ? targets.canonicalF32 : targets.canonicalF64)
    return
  }
  if (temporaries[type] === NONE) {
    temporaries[type] = temporaries.next++
    temporaries.added.push(BYTE[type])
  }
  writeCanonicalNan(out, result, temporaries[type])
}

/**
 * The body of a thunk: pays `cost` in one block, passes its parameters to `callee`, and leaves the height as it was. A stand-in is the
 * same for nothing.
 */
export function writeThunkBody(
  out: Sink,
  targets: Targets,
  thunk: { readonly callee: number; readonly params: number; readonly cost: number },
): void {
  const { callee, params, cost } = thunk
  const body = createSink(64)
  for (const byte of [1, 1, BYTE.i32]) writeByte(body, byte)
  if (cost !== 0) {
    writeCharge(body, targets, NO_TEMPORARIES, cost)
    if (targets.asking === 'every block') writeQuestion(body, targets, NO_TEMPORARIES)
  }
  writeIndexed(body, OP.globalGet, targets.heightGlobal)
  writeIndexed(body, OP.localSet, params)
  for (let param = 0; param < params; param++) writeIndexed(body, OP.localGet, param)
  writeRaisedHeight(body, targets, params, callee)
  writeIndexed(body, OP.call, callee + targets.shift)
  writeIndexed(body, OP.localGet, params)
  writeIndexed(body, OP.globalSet, targets.heightGlobal)
  writeEnd(out, body)
}

const NO_TEMPORARIES: Temporaries = { next: 0, added: [], gas: NONE, height: NONE, f32: NONE, f64: NONE }

/** (length) → length: pays `unit` milligas for each, and asks at once. */
export function writeChargeBody(out: Sink, gasGlobal: number, unit: number): void {
  const body = createSink(64)
  writeByte(body, 0)
  writeIndexed(body, OP.globalGet, gasGlobal)
  writeIndexed(body, OP.localGet, 0)
  writeByte(body, OP.i64ExtendI32U)
  writeByte(body, OP.i64Const)
  writeS64(body, unit)
  writeByte(body, OP.i64Mul)
  writeByte(body, OP.i64Sub)
  writeIndexed(body, OP.globalSet, gasGlobal)
  writeQuestion(body, { gasGlobal }, NO_TEMPORARIES)
  writeIndexed(body, OP.localGet, 0)
  writeEnd(out, body)
}

/** (value) → value, with the canonical NaN for any NaN. */
export function writeCanonicalBody(out: Sink, result: number): void {
  const body = createSink(64)
  writeByte(body, 0)
  writeCanonicalOfLocal(body, result, 0)
  writeEnd(out, body)
}

/** (reference, delta) → old size or −1: grows the table when `allowed` (delta) → i32 says so. */
export function writeTableGrowBody(out: Sink, allowed: number): void {
  const body = createSink(64)
  for (const byte of [0, 0xfc, 0x10, 0, OP.localGet, 1]) writeByte(body, byte)
  writeIndexed(body, OP.call, allowed)
  for (const byte of [OP.if, BYTE.i32, OP.localGet, 0, OP.localGet, 1, 0xfc, 0x0f, 0]) writeByte(body, byte)
  for (const byte of [OP.else, OP.i32Const, 0x7f, OP.end]) writeByte(body, byte)
  writeEnd(out, body)
}

/** () → f64: the gas left. */
export function writeGasGetBody(out: Sink, gasGlobal: number): void {
  const body = createSink(64)
  writeByte(body, 0)
  writeIndexed(body, OP.globalGet, gasGlobal)
  writeByte(body, OP.f64ConvertI64S)
  writeEnd(out, body)
}

/** (f64) → (): sets the gas left; what i64 cannot hold saturates. */
export function writeGasSetBody(out: Sink, gasGlobal: number): void {
  const body = createSink(64)
  for (const byte of [0, OP.localGet, 0, 0xfc, 0x06, OP.globalSet]) writeByte(body, byte)
  writeU32(body, gasGlobal)
  writeEnd(out, body)
}

/** () → (): gives the raw module's globals, and the height, the values they begin with. */
export function writeResetBody(out: Sink, { source, heightGlobal }: Targets, globals: readonly Global[]): void {
  const body = createSink(64)
  writeByte(body, 0)
  for (const [index, { global, initial }] of globals.entries()) {
    if (!global.mutable) continue
    writeRange(body, source, initial.start, initial.end - 1)
    writeIndexed(body, OP.globalSet, index)
  }
  writeByte(body, OP.i32Const)
  writeS32(body, 0)
  writeIndexed(body, OP.globalSet, heightGlobal)
  writeEnd(out, body)
}

function writeEnd(out: Sink, body: Sink): void {
  writeByte(body, OP.end)
  writeU32(out, body.size)
  writeBytes(out, sinkBytes(body))
}
