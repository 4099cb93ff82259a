/**
 * Pass G, first half: a function body → its metered blocks. A block is a run of instructions that is paid at its beginning. The stack
 * limiter's instructions are not in the body yet; they would add thirteen paid ones at each direct call and no boundary.
 * @source fvm-wasm-instrument 0.4.0, `gas_metering`; spec/fvm.md 8.5
 */
import type { Instructions } from '../wasm/code.ts'
import { OP } from '../wasm/opcodes.ts'
import { InstrumentError } from './fault.ts'
import { FIXED_MILLIGAS, LIMITED_CALL_MILLIGAS, UNIT_MILLIGAS } from './rules.ts'

/** Milligas below 2⁶⁴, a number as long as that is exact. */
export type Milligas = number | bigint

/** What is paid where in one body; one value serves one body after another. */
export interface Metering {
  /** By instruction: index into `costs` plus one, 0 where no block begins. */
  blockAt: Uint32Array
  readonly costs: Milligas[]
  /** Instructions whose length is known only when they run, ascending. */
  readonly sites: number[]
  /** By block: whether it holds a linear instruction of constant length. */
  readonly prepaid: boolean[]
  /** First instructions of loop bodies, ascending. */
  readonly loops: number[]
  /** Whether the body calls anything but imports. */
  calls: boolean
}

/** An empty result. */
export function createMetering(): Metering {
  return { blockAt: new Uint32Array(1024), costs: [], sites: [], prepaid: [], loops: [], calls: false }
}

/** A `block`, `loop`, `if` or body being read. `lowest`: the outermost block that a branch in it leaves forward. */
interface Control {
  lowest: number
  readonly loop: boolean
  start: number
  cost: Milligas
  prepaid: boolean
}

/** Finds the blocks and sites of `code` into `into`. Functions from `definedFrom` on are called through the limiter. */
export function findBlocks(code: Instructions, definedFrom: number, into: Metering): void {
  const { count, slots, first } = code
  if (into.blockAt.length <= count) into.blockAt = new Uint32Array(2 * count)
  else into.blockAt.fill(0, 0, count + 1)
  into.costs.length = into.sites.length = into.prepaid.length = into.loops.length = 0
  into.calls = false
  const stack: Control[] = []
  open(stack, 0, false)
  /** The constant pushed by the instruction before this one. */
  let constant: number | null = null
  for (let at = 0; at < count; at++) {
    const slot = slots[at]!
    const top = stack[stack.length - 1]!
    const unit = UNIT_MILLIGAS[slot]!
    let cost: Milligas = FIXED_MILLIGAS[slot]!
    if (slot === OP.callIndirect) into.calls = true
    if (slot === OP.call && first[at]! >= definedFrom) {
      into.calls = true
      cost = LIMITED_CALL_MILLIGAS
    } else if (unit !== 0) {
      if (constant === null) into.sites.push(at)
      else {
        if (constant < 0) throw new InstrumentError('NEGATIVE_LENGTH', code.starts[at]!)
        cost = addMilligas(cost, constant * unit, 0)
        top.prepaid = true
      }
    }
    constant = slot === OP.i32Const ? first[at]! : null
    if (cost !== 0) top.cost = addMilligas(top.cost, cost, code.starts[at]!)
    switch (slot) {
      case OP.block:
        open(stack, top.start, false)
        break
      case OP.if:
        open(stack, at + 1, false)
        break
      case OP.loop:
        into.loops.push(at + 1)
        open(stack, at + 1, true)
        break
      case OP.else:
        finishBlock(stack, at, into)
        break
      case OP.end:
        close(stack, at, into)
        break
      case OP.br:
      case OP.brIf:
        finishBlock(stack, at, into)
        leave(stack, stack.length - 1 - first[at]!)
        break
      case OP.brTable:
        finishBlock(stack, at, into)
        leaveByTable(stack, code, at)
        break
      case OP.return:
        finishBlock(stack, at, into)
        leave(stack, 0)
    }
  }
}

/** Exact sum; 2⁶⁴ and more is a load error. A product below 2⁶⁴ of a 31-bit length and a unit is exact as a double. */
function addMilligas(left: Milligas, right: Milligas, offset: number): Milligas {
  if (typeof left === 'number' && typeof right === 'number') {
    const sum = left + right
    if (sum <= Number.MAX_SAFE_INTEGER) return sum
  }
  const sum = BigInt(left) + BigInt(right)
  if (sum >= 1n << 64n) throw new InstrumentError('COST_OVERFLOW', offset)
  return sum
}

/** Joined blocks add without a check in the reference: 64 bits, wrapping. */
function joinMilligas(left: Milligas, right: Milligas): Milligas {
  if (typeof left === 'number' && typeof right === 'number' && left + right <= Number.MAX_SAFE_INTEGER)
    return left + right
  return BigInt.asUintN(64, BigInt(left) + BigInt(right))
}

function open(stack: Control[], start: number, loop: boolean): void {
  stack.push({ lowest: stack.length, loop, start, cost: 0, prepaid: false })
}

/** Ends the top's block before the instruction after `at`. A block that began with its parent's joins it. */
function finishBlock(stack: Control[], at: number, into: Metering): void {
  const top = stack[stack.length - 1]!
  const parent = stack[stack.length - 2]
  const { start, cost, prepaid } = top
  top.start = at + 1
  top.cost = 0
  top.prepaid = false
  if (parent !== undefined && parent.start === start) {
    parent.cost = joinMilligas(parent.cost, cost)
    parent.prepaid ||= prepaid
  } else if (cost > 0) {
    into.blockAt[start] = into.costs.push(cost)
    into.prepaid.push(prepaid)
  }
}

/** The parent's block goes on, unless a branch may have jumped over what follows. */
function close(stack: Control[], at: number, into: Metering): void {
  finishBlock(stack, at, into)
  const closed = stack.pop()!
  const parent = stack[stack.length - 1]
  if (parent === undefined) return
  parent.lowest = Math.min(parent.lowest, closed.lowest)
  if (closed.lowest < stack.length) finishBlock(stack, at, into)
}

/** Notes a branch to the control `target`; branches back to a loop leave nothing. */
function leave(stack: Control[], target: number): void {
  if (stack[target]!.loop) return
  const top = stack[stack.length - 1]!
  top.lowest = Math.min(top.lowest, target)
}

/** The labels of a table but not its default, which the reference forgets. */
function leaveByTable(stack: Control[], code: Instructions, at: number): void {
  const start = code.first[at]!
  const end = start + code.second[at]!
  for (let index = start; index < end; index++) leave(stack, stack.length - 1 - code.labels[index]!)
}
