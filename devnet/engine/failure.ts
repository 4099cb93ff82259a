/**
 * How execution ends when it does not end well. These are signals, not `Error`s: they are thrown through WebAssembly
 * frames on hot paths, where a stack trace costs more than the syscall.
 *
 * @source ref-fvm `shared/src/error/mod.rs`, `fvm/src/kernel/error.rs`
 */

/** What a syscall answers; 0 is success. */
export const ErrorNumber = {
  IllegalArgument: 1,
  IllegalOperation: 2,
  LimitExceeded: 3,
  AssertionFailed: 4,
  InsufficientFunds: 5,
  NotFound: 6,
  InvalidHandle: 7,
  IllegalCid: 8,
  IllegalCodec: 9,
  Serialization: 10,
  Forbidden: 11,
  BufferTooSmall: 12,
  ReadOnly: 13,
} as const
export type ErrorNumber = (typeof ErrorNumber)[keyof typeof ErrorNumber]

/** Exit codes that the machine itself gives; an actor may use 16 and above. */
export const ExitCode = {
  Ok: 0,
  SenderInvalid: 1,
  SenderStateInvalid: 2,
  IllegalInstruction: 4,
  InvalidReceiver: 5,
  InsufficientFunds: 6,
  OutOfGas: 7,
  IllegalExitCode: 9,
  AssertionFailed: 10,
  MissingReturn: 11,
  FirstUser: 16,
} as const

/** The guest asked for something it may not have: its syscall returns `errno` and it goes on. */
export class SyscallError {
  readonly errno: ErrorNumber
  readonly message: string
  constructor(errno: ErrorNumber, message: string) {
    this.errno = errno
    this.message = message
  }
}

/** The tracker is empty. Unwinds to the nearest call with a limit of its own, or to the top. */
export class OutOfGas {
  readonly message = 'out of gas'
}
export const OUT_OF_GAS = new OutOfGas()

/** `vm.exit`: the guest ends here, with a block or 0. */
export class ExitSignal {
  readonly code: number
  readonly blockId: number
  readonly message: string
  constructor(code: number, blockId: number, message: string) {
    this.code = code
    this.blockId = blockId
    this.message = message
  }
}

/** An invariant of the machine is broken: exit 10, the whole gas limit is used. */
export class FatalError {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

/**
 * The host refused what the rules allow (no memory, native stack exhausted), so this run says nothing about the
 * message. The caller repeats it where there is more room.
 */
export class EngineExhausted extends Error {
  override readonly name = 'EngineExhausted'
  readonly resource: 'stack' | 'memory'
  constructor(resource: 'stack' | 'memory') {
    super(`the engine ran out of ${resource}; repeat the message on a larger ${resource}`)
    this.resource = resource
  }
}
