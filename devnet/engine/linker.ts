/**
 * Binds syscalls to imports. Around every syscall: charge what the guest executed, charge the call itself, check the
 * out pointer, run, turn a SyscallError into its number, and give the guest its new gas. Everything else unwinds.
 *
 * Execution is synchronous, so the linker knows which guest runs: the imports are made once and serve every instance.
 *
 * @source ref-fvm `fvm/src/syscalls/linker.rs`; spec fvm §5.2
 */
import type { FunctionShape, ModuleFacts } from '../../compiler/gas/instrument.ts'
import { rethrowOverflow } from '../primitives/assert.ts'
import { EngineExhausted, ErrorNumber, FatalError, SyscallError } from './failure.ts'
import type { Guest } from './guest.ts'
import { InstancePool } from './instance-pool.ts'
import { LIMITS } from './profile.ts'
import type { Syscall } from './syscalls/syscall.ts'
import { SYSCALLS_C, type SyscallTable } from './syscalls/table.ts'

const PAGE = 65536

// biome-ignore lint/suspicious/noExplicitAny: arguments are i32 (number) or i64 (BigInt) as each syscall's shape says
type Argument = any

export class Linker {
  readonly imports: WebAssembly.Imports
  /** What these imports offer. */
  readonly syscalls: SyscallTable
  /** Instances of these imports that may run again. */
  readonly instances = new InstancePool()
  readonly #linkable = new WeakSet<ModuleFacts>()
  #guest: Guest | null = null

  constructor(table: SyscallTable = SYSCALLS_C) {
    this.syscalls = table
    const imports: WebAssembly.Imports = {
      troupe: {
        memory_grow: (pages: number) => this.#growMemory(pages >>> 0),
        table_grow: (now: number, more: number) => this.#growTable(now >>> 0, more >>> 0),
      },
    }
    for (const [module, syscalls] of Object.entries(table)) {
      imports[module] = Object.fromEntries(
        Object.entries(syscalls).map(([name, syscall]) => [name, this.#bind(`${module}.${name}`, syscall)]),
      )
    }
    this.imports = imports
  }

  /** Makes `guest` the one whose syscalls arrive; answers the one before, to be entered again. */
  enter(guest: Guest | null): Guest | null {
    const before = this.#guest
    this.#guest = guest
    return before
  }

  /** Why these imports cannot be linked, or undefined. */
  refusal(facts: ModuleFacts): string | undefined {
    if (this.#linkable.has(facts)) return undefined
    const refusal = this.#findRefusal(facts)
    if (refusal === undefined) this.#linkable.add(facts)
    return refusal
  }

  #findRefusal(facts: ModuleFacts): string | undefined {
    for (const { module, name, kind, shape } of facts.imports) {
      const syscall = this.syscalls[module]?.[name]
      if (syscall === undefined) return `import ${module}.${name} is unknown`
      if (kind !== 'function' || shape === undefined) return `import ${module}.${name} is no function`
      if (!hasShape(syscall, shape)) return `import ${module}.${name} has another type`
    }
    return undefined
  }

  #bind(name: string, { resultSize, run }: Syscall): (...args: Argument[]) => number {
    return (
      a: Argument,
      b: Argument,
      c: Argument,
      d: Argument,
      e: Argument,
      f: Argument,
      g: Argument,
      h: Argument,
      i: Argument,
    ) => {
      const guest = this.#guest!
      guest.chargeExecution()
      guest.chargeSyscall(name)
      if (!guest.isRunning) throw new FatalError(`${name} called while the module starts`)
      if (resultSize > 0 && !guest.memory.fits(a >>> 0, resultSize)) {
        guest.noteError(name, ErrorNumber.IllegalArgument, 'the result does not fit at the given place')
        return ErrorNumber.IllegalArgument
      }
      let errno = 0
      try {
        run(guest, a, b, c, d, e, f, g, h, i)
        guest.kernel.lastError = null
      } catch (error) {
        if (!(error instanceof SyscallError)) {
          guest.refresh()
          throw error
        }
        errno = error.errno
        guest.noteError(name, error.errno, error.message)
      }
      guest.refresh()
      return errno
    }
  }

  #growMemory(pages: number): number {
    const guest = this.#guest!
    const { memory, calls } = guest
    const current = memory.size / PAGE
    if (pages === 0) return current
    const next = current + pages
    if (next > (guest.facts.memory?.maximum ?? PAGE)) return -1
    const used = calls.memoryUsed + pages * PAGE
    if (used > LIMITS.messageMemoryBytes) return -1
    calls.memoryUsed = used
    if (next > LIMITS.instancePages) return -1
    try {
      return memory.grow(pages)
    } catch (error) {
      rethrowOverflow(error)
      throw new EngineExhausted('memory')
    }
  }

  #growTable(now: number, more: number): number {
    const { calls, facts } = this.#guest!
    if (now + more > facts.tableMaximum) return 0
    const used = calls.memoryUsed + more * 8
    if (used > LIMITS.messageMemoryBytes) return 0
    calls.memoryUsed = used
    return 1
  }
}

function hasShape({ params }: Syscall, shape: FunctionShape): boolean {
  return (
    shape.results.length === 1 &&
    shape.results[0] === 'i32' &&
    shape.params.length === params.length &&
    shape.params.every((type, index) => type === params[index])
  )
}
