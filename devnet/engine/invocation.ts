/**
 * Runs one export of an actor's code in a fresh instance.
 *
 * @source ref-fvm `fvm/src/engine/mod.rs` (instantiate), `fvm/src/call_manager/default.rs`; spec fvm §4.8, §8.7–8.9
 */
import type { EntryPoint, ModuleFacts } from '../../compiler/gas/instrument.ts'
import type { Cid } from '../ipld/cid.ts'
import type { CallManager, Entrypoint } from './call-manager.ts'
import { EngineExhausted, ExitCode, ExitSignal, FatalError } from './failure.ts'
import { Guest, type GuestExports } from './guest.ts'
import type { Kernel } from './kernel.ts'
import { isLoaded, type LoadedModule } from './module-cache.ts'
import { LIMITS } from './profile.ts'

const PAGE = 65536

/** The block id that the export returned. Ends otherwise in a signal of `failure.ts`. */
export function invokeActor(
  calls: CallManager,
  kernel: Kernel,
  code: Cid,
  entrypoint: Entrypoint,
  args: readonly number[],
): number {
  const { gas, machine } = calls
  const loaded = loadModule(calls, code)
  const { facts } = loaded
  if (facts.memory === null) throw new FatalError('the code exports no memory')

  const memoryBytes = facts.memory.minimum * PAGE
  if (facts.exportedTable !== null) gas.charge('wasm_table_init', machine.prices.tablePerElement * facts.exportedTable)
  gas.charge('wasm_memory_init', machine.prices.memoryPerByte * memoryBytes)

  const refusal = machine.linker.refusal(facts)
  if (refusal !== undefined) throw new FatalError(`the code cannot be linked: ${refusal}`)

  const { instances } = machine.linker
  const guest = instantiate(calls, kernel, loaded)
  const outer = machine.linker.enter(guest)
  const stackBefore = calls.stackUsed
  calls.stackUsed += LIMITS.callStackBytes + (outer?.stackBytes() ?? 0)
  guest.limitStack(LIMITS.messageStackBytes - calls.stackUsed)
  try {
    runStart(guest)
    const run = exportOf(guest, facts, entrypoint, args.length)
    guest.refresh()
    guest.isRunning = true
    return ending(guest, () => run(...args)) >>> 0
  } finally {
    machine.linker.enter(outer)
    calls.stackUsed = stackBefore
    instances.give(loaded, guest.exports, guest.memory.size)
  }
}

function loadModule({ machine, variant }: CallManager, code: Cid): LoadedModule {
  let loaded = machine.modules.find(code, variant)
  if (loaded === undefined) {
    const bytes = machine.store.get(code)
    if (bytes === undefined) throw new FatalError('the code of the actor is missing')
    loaded = machine.modules.load(code, bytes, variant)
  }
  if (!isLoaded(loaded)) throw new FatalError(`the code of the actor cannot be loaded: ${loaded.reason}`)
  return loaded
}

/** Memory and table count against the message's allowance, then segments are copied: either may fail with exit 4. */
function instantiate(calls: CallManager, kernel: Kernel, loaded: LoadedModule): Guest {
  const { module, facts } = loaded
  const { instances, imports } = calls.machine.linker
  const failed = (message: string) => {
    calls.gas.charge('wasm_exec', 0)
    return new ExitSignal(ExitCode.IllegalInstruction, 0, `the code could not be instantiated: ${message}`)
  }
  const before = calls.memoryUsed
  const used = before + facts.memory!.minimum * PAGE + facts.tableElements * 8
  if (used > LIMITS.messageMemoryBytes) throw failed('the message has no memory left')
  calls.memoryUsed = used
  const idle = instances.take(loaded)
  if (idle !== undefined) return new Guest(kernel, facts, idle, before)
  let exports: GuestExports
  try {
    exports = new WebAssembly.Instance(module, imports).exports as unknown as GuestExports
    instances.note(loaded, exports)
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) throw failed(error.message)
    if (error instanceof RangeError) throw exhausted(calls, error)
    throw new FatalError(`the code could not be instantiated: ${(error as Error).message}`)
  }
  return new Guest(kernel, facts, exports, before)
}

function runStart(guest: Guest): void {
  guest.refreshForStart()
  const { start } = guest.exports
  if (start === undefined) {
    guest.chargeExecution()
    return
  }
  ending(guest, start)
}

/** Runs guest code to its end: out of gas comes before anything else that may have happened. */
function ending<T>(guest: Guest, run: () => T): T {
  let result: T
  try {
    result = run()
  } catch (error) {
    guest.chargeExecution()
    if (error instanceof WebAssembly.RuntimeError) {
      guest.calls.machine.probe?.trapped?.(error)
      throw new ExitSignal(ExitCode.IllegalInstruction, 0, `trap: ${error.message}`)
    }
    if (error instanceof RangeError) throw exhausted(guest.calls, error)
    throw error
  }
  guest.chargeExecution()
  return result
}

/**
 * What the rules allow, but this thread has no room for. In baseline code it is a trap: no limiter sees calls through a reference from
 * a global, and the reference ends such code with exit 4 too, wherever its own stack ends.
 */
function exhausted({ variant }: CallManager, error: RangeError): EngineExhausted | ExitSignal {
  // Hardly any stack is left here: compiling a pattern would overflow it again.
  const resource = error.message.includes('stack') ? 'stack' : 'memory'
  if (resource === 'memory' || variant !== 'baseline') return new EngineExhausted(resource)
  return new ExitSignal(ExitCode.IllegalInstruction, 0, 'trap: call stack exhausted')
}

/** Finds the export; one of the wrong type fails when it is called, after the sync that precedes it. */
function exportOf(
  guest: Guest,
  facts: ModuleFacts,
  entrypoint: Entrypoint,
  arity: number,
): (...args: number[]) => number {
  const entry: EntryPoint = facts[entrypoint]
  if (entry.kind !== 'function') {
    if (guest.calls.machine.line.missingExport === 'fatal')
      throw new FatalError(`the code has no function ${entrypoint}`)
    throw new ExitSignal(ExitCode.InvalidReceiver, 0, `the code has no function ${entrypoint}`)
  }
  const { params, results } = entry.shape
  const fits =
    params.length === arity && params.every((type) => type === 'i32') && results.length === 1 && results[0] === 'i32'
  if (fits) return guest.exports[entrypoint]!
  return () => {
    throw new FatalError(`${entrypoint} is (${params.join(' ')}) → ${results.join(' ') || 'nothing'}`)
  }
}
