/**
 * The call stack of one message: resolve, create, transfer, invoke, revert.
 *
 * @source ref-fvm `fvm/src/call_manager/default.rs`; spec fvm §4
 */
import { CBOR, type Cid, EMPTY_ARRAY_CID } from '../ipld/cid.ts'
import { CborWriter } from '../ipld/dag-cbor.ts'
import { rethrowOverflow } from '../primitives/assert.ts'
import { concatBytes, EMPTY_BYTES } from '../primitives/bytes.ts'
import { type Actor, type ActorId, withBalance } from '../state/actor.ts'
import {
  type Address,
  actorAddress,
  addressBytes,
  addressId,
  addressProtocol,
  delegatedParts,
} from '../state/address.ts'
import type { StampedEvent } from '../state/event.ts'
import type { TokenAmount } from '../state/token.ts'
import { AccessTracker, READ, UNTOUCHED, UPDATED } from './access-tracker.ts'
import { type Block, BlockRegistry, NO_BLOCK } from './block-registry.ts'
import { ErrorNumber, ExitCode, ExitSignal, FatalError, OUT_OF_GAS, SyscallError } from './failure.ts'
import { createGasTracker, type GasTracker } from './gas.ts'
import { invokeActor } from './invocation.ts'
import { Kernel } from './kernel.ts'
import type { MachineContext } from './machine-context.ts'
import type { ModuleVariant } from './module-cache.ts'
import { LIMITS } from './profile.ts'
import type { Trace } from './trace.ts'

/** How a call ended, when it ended at all. */
export interface InvocationResult {
  readonly exitCode: number
  readonly value: Block | null
}

const SENT: InvocationResult = { exitCode: ExitCode.Ok, value: null }
export const METHOD_SEND = 0n
export const METHOD_CONSTRUCTOR = 1n
/** Method number that an upgraded actor sees. */
const METHOD_UPGRADE = 932083n
const EAM_NAMESPACE = 10n
const SYSTEM_ACTOR = 0n as ActorId

/** Which export a call enters. */
export type Entrypoint = 'invoke' | 'upgrade'

export interface Call {
  readonly from: ActorId
  readonly to: Address
  readonly method: bigint
  readonly params: Block | null
  readonly value: TokenAmount
  /** Whole gas; null is all that is left. */
  readonly gasLimit: bigint | null
  readonly readOnly: boolean
}

export interface MessageOrigin {
  readonly id: ActorId
  readonly address: Address
  readonly sequence: bigint
  readonly receiver: ActorId | undefined
  readonly receiverAddress: Address
  readonly gasLimit: bigint
  readonly premium: bigint
}

export class CallManager {
  readonly machine: MachineContext
  readonly gas: GasTracker
  readonly trace: Trace | null
  readonly origin: MessageOrigin
  /** The code that runs. */
  readonly variant: ModuleVariant
  readonly events: StampedEvent[] = []
  /** Why calls failed, innermost first; the reference calls it the backtrace. */
  readonly failures: { id: ActorId; method: bigint; exitCode: number; message: string }[] = []
  /** Bytes of all live memories and tables. */
  memoryUsed = 0
  /** Bytes of native stack that calls before the running one have. */
  stackUsed = 0
  depth = 0
  readonly #access: AccessTracker
  #actorsCreated = 0n

  constructor(machine: MachineContext, origin: MessageOrigin, trace: Trace | null, variant: ModuleVariant) {
    this.machine = machine
    this.variant = variant
    this.origin = origin
    this.trace = trace
    this.gas = createGasTracker(origin.gasLimit, trace)
    this.#access = new AccessTracker(origin.id, origin.address, origin.receiver, origin.receiverAddress)
  }

  /** Calls inside a layer that is undone unless the callee exits with 0. */
  callInTransaction(call: Call): InvocationResult {
    return this.inTransaction(() => this.call(call))
  }

  inTransaction(run: () => InvocationResult): InvocationResult {
    const { state } = this.machine
    const eventCount = this.events.length
    const depth = state.begin()
    this.#access.begin()
    let keep = false
    try {
      const result = run()
      keep = result.exitCode === ExitCode.Ok
      return result
    } finally {
      if (keep) {
        state.commit(depth)
        this.#access.commit()
      } else {
        state.revert(depth)
        this.#access.revert()
        this.events.length = eventCount
      }
    }
  }

  call(call: Call): InvocationResult {
    const { gas, trace } = this
    if (trace !== null) {
      const available = gas.availableRoundedUp()
      const limit = call.gasLimit === null || call.gasLimit > available ? available : call.gasLimit
      trace.push({
        kind: 'call',
        from: call.from,
        to: call.to,
        method: call.method,
        value: call.value,
        gas: limit,
        readOnly: call.readOnly,
        params: call.params?.bytes ?? null,
      })
    }
    if (call.gasLimit !== null) gas.pushLimit(call.gasLimit)
    let result: InvocationResult
    try {
      try {
        result = this.#callInFrame(call)
      } finally {
        if (call.gasLimit !== null && !this.#keepsLimit()) gas.popLimit()
      }
    } catch (error) {
      if (error !== OUT_OF_GAS || gas.isEmpty()) {
        this.#traceError(error)
        throw error
      }
      result = { exitCode: ExitCode.OutOfGas, value: null }
    }
    this.#traceReturn(result)
    return result
  }

  /** At the depth limit the V3 line forgets to take the limit of the refused call away. */
  #keepsLimit(): boolean {
    return this.depth >= LIMITS.callDepth && this.machine.line.keepsLimitOfRefusedCall
  }

  #traceReturn({ exitCode, value }: InvocationResult): void {
    this.trace?.push({ kind: 'return', exitCode, codec: value?.codec ?? null, data: value?.bytes ?? new Uint8Array() })
  }

  #traceError(error: unknown): void {
    if (this.trace === null) return
    if (error === OUT_OF_GAS) this.#traceReturn({ exitCode: ExitCode.OutOfGas, value: null })
    else if (error instanceof SyscallError) this.trace.push({ kind: 'error', errno: error.errno })
    else if (error instanceof FatalError) this.trace.push({ kind: 'error', errno: ErrorNumber.Forbidden })
  }

  #callInFrame(call: Call): InvocationResult {
    if (this.depth >= LIMITS.callDepth) {
      throw new SyscallError(ErrorNumber.LimitExceeded, 'calls are nested too deeply')
    }
    const memoryBefore = this.memoryUsed
    this.depth++
    try {
      const to = this.#resolveOrCreate(call)
      return this.#callResolved(to, call, 'invoke', true)
    } finally {
      this.depth--
      this.memoryUsed = memoryBefore
    }
  }

  #resolveOrCreate({ to, readOnly }: Call): ActorId {
    const id = this.resolve(to)
    if (id !== undefined) return id
    const protocol = addressProtocol(to)
    const createsAccount = protocol === 1 || protocol === 3
    const createsPlaceholder = protocol === 4 && delegatedParts(to)?.namespace === EAM_NAMESPACE
    if (!createsAccount && !createsPlaceholder) {
      throw new SyscallError(ErrorNumber.NotFound, 'no actor has this address, and none can be made for it')
    }
    if (readOnly) throw new SyscallError(ErrorNumber.ReadOnly, 'a read-only call cannot make the receiver')
    return createsAccount ? this.#createAccount(to) : this.#createFromSend(to, this.machine.manifest.placeholder, to)
  }

  #createAccount(to: Address): ActorId {
    if (isZeroBlsKey(to)) throw new SyscallError(ErrorNumber.IllegalArgument, 'the zero BLS key is nobody')
    const id = this.#createFromSend(to, this.machine.manifest.account, null)
    const params: Block = { codec: CBOR, bytes: new CborWriter().bytes(addressBytes(to)).finish(), links: [] }
    this.#callResolved(
      id,
      {
        from: SYSTEM_ACTOR,
        to,
        method: METHOD_CONSTRUCTOR,
        params,
        value: 0n as TokenAmount,
        gasLimit: null,
        readOnly: false,
      },
      'invoke',
      false,
    )
    return id
  }

  #createFromSend(to: Address, code: Cid, delegated: Address | null): ActorId {
    this.gas.charge('OnCreateActor', this.machine.prices.createActorWithAddress)
    const id = readState(() => this.machine.state.registerAddress(to))
    this.#access.markAddress(to)
    this.setActor(id, emptyActor(code, delegated))
    return id
  }

  /** `traced`: constructors that the machine runs itself leave no `invoke` line. */
  #callResolved(to: ActorId, call: Call, entrypoint: Entrypoint, traced: boolean): InvocationResult {
    const { gas } = this
    const { prices } = this.machine
    const actor = this.getActor(to)
    if (actor === undefined) throw new SyscallError(ErrorNumber.NotFound, `actor ${to} does not exist`)
    if (traced) this.trace?.push({ kind: 'invoke', id: to, code: actor.code })
    if (call.value !== 0n) {
      gas.charge('OnValueTransfer', prices.valueTransfer)
      this.transfer(call.from, to, call.value)
    }
    if (entrypoint === 'invoke' && call.method === METHOD_SEND) return SENT
    const { params } = call
    gas.charge('OnMethodInvocation', prices.methodInvocation + prices.linkTracked * (params?.links.length ?? 0))

    const blocks = new BlockRegistry()
    const paramsId = params === null ? NO_BLOCK : blocks.putReachable(params)
    const kernel = new Kernel(this, blocks, to, call)
    const result =
      this.#probe(to, call) ??
      this.#outcome(kernel, blocks, to, call, traced, () =>
        invokeActor(this, kernel, actor.code, entrypoint, [paramsId]),
      )
    if (result.value !== null) this.#chargeReturn(result.value)
    return result
  }

  /** What a test harness answers in the actor's place. */
  #probe(to: ActorId, { from, method, params, value, readOnly }: Call): InvocationResult | undefined {
    const answer = this.machine.probe?.intercept?.({
      from,
      to,
      method,
      value,
      readOnly,
      params: params?.bytes ?? EMPTY_BYTES,
    })
    if (answer === undefined) return undefined
    const { exitCode, data, message } = answer
    if (exitCode !== ExitCode.Ok) this.failures.push({ id: to, method, exitCode, message })
    return { exitCode, value: data.length === 0 ? null : { codec: CBOR, bytes: data, links: [] } }
  }

  #chargeReturn({ bytes, links }: Block): void {
    const { prices } = this.machine
    if (this.depth === 1) this.gas.charge('OnChainReturnValue', prices.onChainReturnPerByte * bytes.length)
    else this.gas.charge('OnReturnValue', prices.linkTracked * links.length)
  }

  /** Turns how the guest ended into a result. */
  #outcome(
    kernel: Kernel,
    blocks: BlockRegistry,
    to: ActorId,
    call: Call,
    traced: boolean,
    run: () => number,
  ): InvocationResult {
    let failure: ExitSignal
    try {
      const returned = run()
      if (returned === NO_BLOCK) return SENT
      const value = blocks.find(returned)
      if (value !== undefined) return { exitCode: ExitCode.Ok, value }
      failure = new ExitSignal(ExitCode.MissingReturn, NO_BLOCK, `returned block ${returned} does not exist`)
    } catch (signal) {
      if (!(signal instanceof ExitSignal)) throw signal
      failure = signal
    }
    const { code, blockId, message } = failure
    let value: Block | null = null
    if (blockId !== NO_BLOCK) {
      value = blocks.find(blockId) ?? null
      if (value === null) throw new FatalError(`exit with block ${blockId}, which does not exist`)
    }
    if (code !== ExitCode.Ok && traced) {
      const cause = kernel.lastError
      const text =
        cause === null ? message : `${message} (after ${cause.name} answered ${cause.errno}: ${cause.message})`
      this.failures.push({ id: to, method: call.method, exitCode: code, message: text })
    }
    return { exitCode: code, value }
  }

  /** The devnet's power: calls the `upgrade` export of an actor whose code was just replaced. */
  callUpgrade(to: ActorId, params: Block | null, info: Block): InvocationResult {
    return this.inTransaction(() => {
      const call: Call = {
        from: SYSTEM_ACTOR,
        to: this.origin.receiverAddress,
        method: METHOD_UPGRADE,
        params,
        value: 0n as TokenAmount,
        gasLimit: null,
        readOnly: false,
      }
      const actor = this.getActor(to)
      if (actor === undefined) throw new SyscallError(ErrorNumber.NotFound, `actor ${to} does not exist`)
      this.gas.charge('OnMethodInvocation', this.machine.prices.methodInvocation)
      this.depth++
      try {
        const blocks = new BlockRegistry()
        const paramsId = params === null ? NO_BLOCK : blocks.putReachable(params)
        const infoId = blocks.putReachable(info)
        const kernel = new Kernel(this, blocks, to, call)
        const result = this.#outcome(kernel, blocks, to, call, true, () =>
          invokeActor(this, kernel, actor.code, 'upgrade', [paramsId, infoId]),
        )
        if (result.value !== null) this.#chargeReturn(result.value)
        return result
      } finally {
        this.depth--
      }
    })
  }

  resolve(address: Address): ActorId | undefined {
    const direct = addressId(address)
    if (direct !== undefined) return direct
    if (!this.#access.knowsAddress(address)) this.gas.charge('OnResolveAddress', 0)
    const id = readState(() => this.machine.state.resolve(address))
    if (id !== undefined) this.#access.markAddress(address)
    return id
  }

  getActor(id: ActorId): Actor | undefined {
    if (this.#access.actor(id) === UNTOUCHED) this.gas.charge('OnActorLookup', this.machine.prices.actorLookup)
    const actor = readState(() => this.machine.state.getActor(id))
    this.#access.markActor(id, READ)
    return actor
  }

  setActor(id: ActorId, actor: Actor): void {
    this.#chargeUpdate(id)
    this.machine.state.setActor(id, actor)
    this.#access.markActor(id, UPDATED)
  }

  deleteActor(id: ActorId): void {
    this.#chargeUpdate(id)
    this.machine.state.deleteActor(id)
    this.#access.markActor(id, UPDATED)
  }

  #chargeUpdate(id: ActorId): void {
    const access = this.#access.actor(id)
    if (access === UNTOUCHED) this.gas.charge('OnActorLookup', this.machine.prices.actorLookup)
    if (access !== UPDATED) this.gas.charge('OnActorUpdate', this.machine.prices.actorUpdate)
  }

  transfer(from: ActorId, to: ActorId, value: TokenAmount): void {
    if (value < 0n) throw new SyscallError(ErrorNumber.IllegalArgument, 'a transfer cannot be negative')
    const sender = this.getActor(from)
    if (sender === undefined || sender.balance < value) {
      throw new SyscallError(ErrorNumber.InsufficientFunds, `actor ${from} has less than ${value} attoFIL`)
    }
    if (from === to) return
    const receiver = this.getActor(to)
    if (receiver === undefined) throw new SyscallError(ErrorNumber.NotFound, `actor ${to} does not exist`)
    this.setActor(from, withBalance(sender, sender.balance - value))
    this.setActor(to, withBalance(receiver, receiver.balance + value))
  }

  /** The address that the next actor made by this message gets. */
  nextActorAddress(): Address {
    const origin = new CborWriter().bytes(addressBytes(this.origin.address)).finish()
    return actorAddress(concatBytes(origin, u64(this.origin.sequence), u64(this.#actorsCreated)))
  }

  createActor(code: Cid, id: ActorId, delegated: Address | null): void {
    const { manifest, prices } = this.machine
    if (code === manifest.placeholder) {
      throw new SyscallError(ErrorNumber.Forbidden, 'placeholders are only made by sending to their address')
    }
    const existing = this.getActor(id)
    let actor: Actor
    if (existing === undefined) {
      this.gas.charge('OnCreateActor', prices.createActor)
      actor = emptyActor(code, delegated)
    } else {
      if (existing.code !== manifest.placeholder) {
        throw new SyscallError(ErrorNumber.Forbidden, `actor ${id} exists already`)
      }
      if (existing.delegated === null) throw new FatalError(`placeholder ${id} has no delegated address`)
      if (existing.delegated !== delegated) {
        throw new SyscallError(ErrorNumber.Forbidden, `placeholder ${id} has another delegated address`)
      }
      actor = { ...existing, code }
    }
    this.setActor(id, actor)
    this.#actorsCreated++
  }
}

/** A state that cannot be read is no fault of the guest's. */
function readState<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    rethrowOverflow(error)
    throw new FatalError((error as Error).message)
  }
}

function emptyActor(code: Cid, delegated: Address | null): Actor {
  return { code, state: EMPTY_ARRAY_CID, sequence: 0n, balance: 0n as TokenAmount, delegated }
}

function isZeroBlsKey(address: Address): boolean {
  if (addressProtocol(address) !== 3) return false
  if (address.charCodeAt(1) !== 0xc0) return false
  for (let i = 2; i < address.length; i++) if (address.charCodeAt(i) !== 0) return false
  return true
}

function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value)
  return bytes
}
