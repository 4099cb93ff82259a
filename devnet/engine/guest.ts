/** One running instance: its memory, its gas counter, and the kernel it talks to. */
import type { ModuleFacts } from '../../compiler/gas/instrument.ts'
import { STACK_HEIGHT_MAX } from '../../compiler/gas/rules.ts'
import type { CallManager } from './call-manager.ts'
import type { ErrorNumber } from './failure.ts'
import type { GasCounter, Milligas } from './gas.ts'
import type { Kernel } from './kernel.ts'
import { GuestMemory } from './memory.ts'

const PAGE = 65536

export interface GuestExports extends GasCounter {
  /** Of the stack, in the limiter's units. */
  readonly height: WebAssembly.Global
  readonly memory: WebAssembly.Memory
  readonly invoke?: (...args: number[]) => number
  readonly upgrade?: (...args: number[]) => number
  readonly start?: () => void
  /** Puts the globals back, where that and the memory are all that running changes. */
  readonly reset?: () => void
}

export class Guest {
  readonly calls: CallManager
  readonly kernel: Kernel
  readonly facts: ModuleFacts
  readonly exports: GuestExports
  readonly memory: GuestMemory
  /** False while the start function runs: the reference has no memory then and dies of a syscall. */
  isRunning = false
  /** Height that the call began with, above 0 where there is no room for the whole of it. */
  #heightMark = 0
  #mark: Milligas = 0
  #memoryMark: number

  /** `memoryMark` is `calls.memoryUsed` before this instance: its own memory counts as growth while it starts. */
  constructor(kernel: Kernel, facts: ModuleFacts, exports: GuestExports, memoryMark: number) {
    this.calls = kernel.calls
    this.kernel = kernel
    this.facts = facts
    this.exports = exports
    this.memory = new GuestMemory(exports.memory, (facts.memory?.minimum ?? 0) * PAGE)
    this.#memoryMark = memoryMark
  }

  /** Gives the guest what the tracker has left. */
  refresh(): void {
    this.#mark = this.calls.gas.fill(this.exports)
    this.#memoryMark = this.calls.memoryUsed
  }

  /** As `refresh`, before the start function: what instantiation took still counts as growth. */
  refreshForStart(): void {
    this.#mark = this.calls.gas.fill(this.exports)
  }

  /** Charges what the guest executed since the last refresh. @throws OutOfGas */
  chargeExecution(): void {
    const { gas, memoryUsed } = this.calls
    const consumed = gas.consumed(this.exports, this.#mark)
    if (gas.trace === null) {
      gas.charge('wasm_exec', consumed)
      return
    }
    const growth = Math.max(0, memoryUsed - this.#memoryMark) * this.kernel.prices.memoryPerByte
    const memory = growth <= consumed ? growth : consumed
    gas.charge('wasm_exec', typeof consumed === 'bigint' ? consumed - BigInt(memory) : consumed - Number(memory))
    if (memory !== 0 && memory !== 0n) gas.charge('wasm_memory_grow', memory)
  }

  /**
   * Leaves the call `bytes` of native stack. The height that is allowed would take more at times than any thread has; it is cut by
   * counting, not by meeting the stack's end, which lies elsewhere each time.
   */
  limitStack(bytes: number): void {
    const { stackBytesPerHeight, leafStackBytes } = this.facts
    const room = Math.floor(Math.max(0, bytes - leafStackBytes) / stackBytesPerHeight)
    if (room >= STACK_HEIGHT_MAX) return
    this.#heightMark = STACK_HEIGHT_MAX - room
    this.exports.height.value = this.#heightMark
  }

  /** Native stack that the call has in use, at most. */
  stackBytes(): number {
    const { stackBytesPerHeight, leafStackBytes } = this.facts
    const height = (this.exports.height.value as unknown as number) - this.#heightMark
    return height * stackBytesPerHeight + leafStackBytes
  }

  chargeSyscall(name: string): void {
    this.calls.trace?.push({ kind: 'enter', name })
    this.calls.gas.charge('OnSyscall', this.kernel.prices.syscall)
  }

  noteError(name: string, errno: ErrorNumber, message: string): void {
    this.kernel.lastError = { name, errno, message }
    this.calls.trace?.push({ kind: 'syscall', name, errno })
  }
}
