/** A trace, which is a list of what happened, as the tree of calls that it was. Pure. */

/** What `troupe_trace` answers for each event. Gas in milligas, as decimal text. */
export type TraceJson =
  | { readonly kind: 'gas'; readonly name: string; readonly milligas: string }
  | {
      readonly kind: 'call'
      readonly from: string
      readonly to: string
      readonly method: string
      readonly value: string
      readonly gas: string
      readonly readOnly: boolean
      readonly params: string | null
    }
  | { readonly kind: 'invoke'; readonly id: string; readonly code: string }
  | { readonly kind: 'return'; readonly exitCode: number; readonly codec: number | null; readonly data: string }
  | { readonly kind: 'error'; readonly errno: number }
  | { readonly kind: 'get' | 'put'; readonly cid: string; readonly size: number }
  | { readonly kind: 'log' | 'note'; readonly text: string }
  | { readonly kind: 'enter'; readonly name: string }
  | { readonly kind: 'syscall'; readonly name: string; readonly errno: number }

export interface ChargeStep {
  readonly kind: 'charge'
  readonly name: string
  readonly milligas: bigint
}

export interface SyscallStep {
  readonly kind: 'syscall'
  readonly name: string
  /** 0 when it went well. */
  errno: number
  readonly steps: Step[]
}

/** One call, with everything that happened until it returned, in order. */
export interface Frame {
  readonly kind: 'call'
  readonly from: string
  readonly to: string
  readonly method: string
  /** attoFIL. */
  readonly value: string
  /** What it might have used. */
  readonly gasLimit: string
  readonly readOnly: boolean
  readonly params: string | null
  /** The actor behind `to`; null when the call was not made. */
  id: string | null
  /** Null when the call could not be made, or nothing was left to pay for its end. */
  exitCode: number | null
  errno: number | null
  codec: number | null
  data: string
  readonly steps: Step[]
}

export type Step =
  | ChargeStep
  | SyscallStep
  | Frame
  | { readonly kind: 'block'; readonly access: 'get' | 'put'; readonly cid: string; readonly size: number }
  | { readonly kind: 'text'; readonly from: 'log' | 'note'; readonly text: string }

/** The charge for instructions: with it, whatever syscall ran before is over. */
const EXECUTION = 'wasm_exec'

/** What happened outside of any call, such as the charge for inclusion, and the outermost call. */
export function buildTree(trace: readonly TraceJson[]): Step[] {
  const top: Step[] = []
  /** Open calls, each with the syscall that is under way in it. */
  const open: { readonly frame: Frame; syscall: SyscallStep | null }[] = []
  const here = (): Step[] => {
    const last = open.at(-1)
    return last === undefined ? top : (last.syscall?.steps ?? last.frame.steps)
  }
  for (const event of trace) {
    const last = open.at(-1)
    switch (event.kind) {
      case 'gas':
        if (event.name === EXECUTION && last !== undefined) last.syscall = null
        here().push({ kind: 'charge', name: event.name, milligas: BigInt(event.milligas) })
        break
      case 'enter': {
        if (last === undefined) break
        const syscall: SyscallStep = { kind: 'syscall', name: event.name, errno: 0, steps: [] }
        last.frame.steps.push(syscall)
        last.syscall = syscall
        break
      }
      case 'syscall':
        if (last?.syscall != null) last.syscall.errno = event.errno
        break
      case 'call': {
        const { from, to, method, value, gas, readOnly, params } = event
        const frame: Frame = {
          kind: 'call',
          from,
          to,
          method,
          value,
          gasLimit: gas,
          readOnly,
          params,
          id: null,
          exitCode: null,
          errno: null,
          codec: null,
          data: '0x',
          steps: [],
        }
        here().push(frame)
        open.push({ frame, syscall: null })
        break
      }
      case 'invoke':
        if (last !== undefined) last.frame.id = event.id
        break
      case 'return':
        if (last !== undefined)
          Object.assign(last.frame, { exitCode: event.exitCode, codec: event.codec, data: event.data })
        open.pop()
        break
      case 'error':
        if (last !== undefined) last.frame.errno = event.errno
        open.pop()
        break
      case 'get':
      case 'put':
        here().push({ kind: 'block', access: event.kind, cid: event.cid, size: event.size })
        break
      default:
        here().push({ kind: 'text', from: event.kind, text: event.text })
    }
  }
  return top
}

/** Milligas of everything below. */
export function totalOf(steps: readonly Step[]): bigint {
  let sum = 0n
  for (const step of steps) {
    if (step.kind === 'charge') sum += step.milligas
    else if (step.kind === 'syscall' || step.kind === 'call') sum += totalOf(step.steps)
  }
  return sum
}

/** Milligas of a call without the calls that it made. */
export function ownOf(steps: readonly Step[]): bigint {
  return totalOf(steps) - callsIn(steps).reduce((sum, frame) => sum + totalOf(frame.steps), 0n)
}

/** The calls made directly, in order. */
export function callsIn(steps: readonly Step[]): Frame[] {
  return steps.flatMap((step) => (step.kind === 'call' ? [step] : step.kind === 'syscall' ? callsIn(step.steps) : []))
}

export interface Cost {
  readonly name: string
  readonly count: number
  readonly milligas: bigint
}

/** By the name of the charge, dearest first. */
export function sumCharges(steps: readonly Step[]): Cost[] {
  const sums = new Sums()
  walk(steps, (charge) => sums.add(charge.name, charge.milligas))
  return sums.sorted()
}

/** By syscall; what no syscall caused keeps the name of its charge. Calls that a syscall made are counted in themselves. */
export function sumSyscalls(steps: readonly Step[]): Cost[] {
  const sums = new Sums()
  const visit = (list: readonly Step[], owner: string | null): void => {
    for (const step of list) {
      if (step.kind === 'charge') {
        if (owner === null) sums.add(step.name, step.milligas)
        else sums.more(owner, step.milligas)
      } else if (step.kind === 'syscall') {
        sums.add(step.name, 0n)
        visit(step.steps, step.name)
      } else if (step.kind === 'call') visit(step.steps, null)
    }
  }
  visit(steps, null)
  return sums.sorted()
}

function walk(steps: readonly Step[], visit: (charge: ChargeStep) => void): void {
  for (const step of steps) {
    if (step.kind === 'charge') visit(step)
    else if (step.kind === 'syscall' || step.kind === 'call') walk(step.steps, visit)
  }
}

class Sums {
  readonly #costs = new Map<string, { count: number; milligas: bigint }>()

  add(name: string, milligas: bigint): void {
    this.more(name, milligas)
    this.#costs.get(name)!.count++
  }

  more(name: string, milligas: bigint): void {
    const cost = this.#costs.get(name) ?? { count: 0, milligas: 0n }
    cost.milligas += milligas
    this.#costs.set(name, cost)
  }

  sorted(): Cost[] {
    return [...this.#costs]
      .map(([name, cost]) => ({ name, ...cost }))
      .sort((a, b) => (a.milligas === b.milligas ? (a.name < b.name ? -1 : 1) : a.milligas > b.milligas ? -1 : 1))
  }
}

// --- stacks, for profilers ---------------------------------------------------------------------------------------

/** Gas that was spent under a stack of names, outermost first. */
export interface Sample {
  readonly stack: readonly string[]
  readonly milligas: bigint
}

/** In the order of spending. `nameCall` says how a call is called. */
export function sampleStacks(steps: readonly Step[], nameCall: (frame: Frame) => string): Sample[] {
  const samples: Sample[] = []
  const visit = (list: readonly Step[], stack: readonly string[]): void => {
    for (const step of list) {
      if (step.kind === 'charge') {
        if (step.milligas > 0n) samples.push({ stack: [...stack, step.name], milligas: step.milligas })
      } else if (step.kind === 'syscall') visit(step.steps, [...stack, step.name])
      else if (step.kind === 'call') visit(step.steps, [...stack, nameCall(step)])
    }
  }
  visit(steps, [])
  return samples
}
