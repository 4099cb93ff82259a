/**
 * One message against the state: who may send it, what it pays, how it ran.
 *
 * @source ref-fvm `fvm/src/executor/default.rs`; spec fvm §3
 */
import { CBOR, type Cid, RAW } from '../ipld/cid.ts'
import { EMPTY_BYTES } from '../primitives/bytes.ts'
import { type Actor, type ActorId, BURNT_FUNDS_ACTOR, REWARD_ACTOR, withBalance } from '../state/actor.ts'
import { type Address, delegatedParts } from '../state/address.ts'
import { eventsRoot, type StampedEvent } from '../state/event.ts'
import { METHOD_SEND, type Message, messageSize } from '../state/message.ts'
import type { TokenAmount } from '../state/token.ts'
import type { Block } from './block-registry.ts'
import { CallManager, type InvocationResult } from './call-manager.ts'
import { EngineExhausted, ErrorNumber, ExitCode, FatalError, OUT_OF_GAS, SyscallError } from './failure.ts'
import { addMilligas, type Milligas, scale } from './gas.ts'
import { computeGasOutputs, type GasOutputs, NO_GAS_OUTPUTS } from './gas-outputs.ts'
import type { MachineContext } from './machine-context.ts'
import type { ModuleVariant } from './module-cache.ts'
import type { Trace } from './trace.ts'

const I64_MAX = (1n << 63n) - 1n
const EAM_NAMESPACE = 10n

/** Explicit messages pay and are checked; implicit ones are the chain's own. */
export type ApplyKind = 'explicit' | 'implicit'

export interface ApplyOptions {
  /** Bytes that pay for inclusion; the unsigned message's when absent. */
  readonly rawLength?: number
  readonly trace?: boolean
}

/** One actor's end on the way out of a failed message, innermost first. */
export interface FailureFrame {
  readonly id: ActorId
  readonly method: bigint
  readonly exitCode: number
  readonly message: string
}

/** Gas in whole units, amounts in attoFIL. */
export interface ApplyResult extends GasOutputs {
  readonly exitCode: number
  readonly returnData: Uint8Array
  readonly returnCodec: number | null
  readonly gasUsed: bigint
  readonly eventsRoot: Cid | null
  readonly events: readonly StampedEvent[]
  readonly failures: readonly FailureFrame[]
  /** What the machine says about the end, for people; empty for success. */
  readonly note: string
  readonly trace: Trace
}

/** The message cannot be applied at all: there is no receipt, and a node drops it. */
export class MessageRefused extends Error {
  override readonly name = 'MessageRefused'
  readonly code = 'TRP-8110'
}

interface Sender {
  readonly id: ActorId
  readonly gasCost: bigint
}

export function applyMessage(
  machine: MachineContext,
  message: Message,
  kind: ApplyKind,
  options: ApplyOptions = {},
): ApplyResult {
  return withCountedStack(machine, options, (variant) => applyOnce(machine, message, kind, options, variant))
}

/**
 * Optimised code takes as much stack as V8 likes. Where that runs out, nothing is said about the message: it is applied again in baseline
 * code, whose frames are counted (`LIMITS.messageStackBytes`), so that no receipt depends on how warm a module is.
 * @throws EngineExhausted
 */
function withCountedStack(
  machine: MachineContext,
  { trace = false }: ApplyOptions,
  apply: (variant: ModuleVariant) => ApplyResult,
): ApplyResult {
  const { state, linker } = machine
  const variant = trace ? 'traced' : 'plain'
  if (!machine.hasLargestStack) return apply(variant)
  const depth = state.begin()
  try {
    const result = apply(variant)
    state.commit(depth)
    return result
  } catch (error) {
    if (!(error instanceof EngineExhausted && error.resource === 'stack')) {
      state.commit(depth)
      throw error
    }
  }
  state.abandon(depth)
  linker.enter(null)
  return apply('baseline')
}

function applyOnce(
  machine: MachineContext,
  message: Message,
  kind: ApplyKind,
  options: ApplyOptions,
  variant: ModuleVariant,
): ApplyResult {
  if (message.gasLimit <= 0n || message.gasLimit > I64_MAX) {
    throw new MessageRefused(`gas limit ${message.gasLimit} is not between 1 and 2^63 − 1`)
  }
  const inclusion = kind === 'explicit' ? inclusionCost(machine, message, options.rawLength) : 0
  const sender = preflight(machine, message, kind, inclusion)
  if ('exitCode' in sender) return sender

  const trace: Trace | null = options.trace === true ? [] : null
  const receiver = resolveOrRefuse(machine, message.to)
  const calls = new CallManager(
    machine,
    {
      id: sender.id,
      address: message.from,
      sequence: message.sequence,
      receiver,
      receiverAddress: message.to,
      gasLimit: message.gasLimit,
      premium: effectivePremium(message, machine.baseFee),
    },
    trace,
    variant,
  )
  try {
    calls.gas.charge(kind === 'explicit' ? 'OnChainMessage' : 'none', inclusion)
  } catch {
    throw new MessageRefused('the gas limit cannot pay for inclusion')
  }
  const ended = execute(calls, message, sender.id)
  const gasUsed = ended.isFatal ? message.gasLimit : calls.gas.used()
  const outputs =
    kind === 'implicit'
      ? NO_GAS_OUTPUTS
      : settle(machine, sender, {
          used: gasUsed,
          limit: message.gasLimit,
          baseFee: machine.baseFee,
          feeCap: message.gasFeeCap,
          premium: message.gasPremium,
        })
  return finish(calls, ended, message.gasLimit, outputs)
}

function inclusionCost(machine: MachineContext, message: Message, rawLength: number | undefined): Milligas {
  const { flat, perUnit } = machine.prices.onChainMessage
  return addMilligas(flat, scale(perUnit, rawLength ?? messageSize(message)))
}

/** What the sender offers above the base fee, never negative. */
function effectivePremium({ gasFeeCap, gasPremium }: Message, baseFee: bigint): bigint {
  const room = gasFeeCap - baseFee
  const premium = gasPremium < room ? gasPremium : room
  return premium > 0n ? premium : 0n
}

/** Checks who sends and takes the whole gas cost. A refusal leaves the state untouched. */
function preflight(
  machine: MachineContext,
  message: Message,
  kind: ApplyKind,
  inclusion: Milligas,
): Sender | ApplyResult {
  const { state, baseFee } = machine
  const inclusionGas = (BigInt(inclusion) + 999n) / 1000n
  if (inclusionGas > message.gasLimit) {
    return refused(ExitCode.OutOfGas, baseFee * inclusionGas, 'the gas limit does not pay for inclusion')
  }
  const penalty = kind === 'explicit' ? baseFee * message.gasLimit : 0n
  const id = resolveOrRefuse(machine, message.from)
  if (id === undefined) return refused(ExitCode.SenderInvalid, penalty, 'no actor has the address of the sender')
  if (kind === 'implicit') return { id, gasCost: 0n }

  const actor = state.getActor(id)
  if (actor === undefined) return refused(ExitCode.SenderInvalid, penalty, `the sender, actor ${id}, does not exist`)
  const sender = asSender(machine, actor)
  if (sender === undefined) return refused(ExitCode.SenderInvalid, penalty, 'the sender is no account')
  if (message.sequence !== sender.sequence) {
    return refused(
      ExitCode.SenderStateInvalid,
      penalty,
      `the sender's next sequence is ${sender.sequence}, not ${message.sequence}`,
    )
  }
  const gasCost = message.gasFeeCap * message.gasLimit
  if (sender.balance < gasCost) {
    return refused(
      ExitCode.SenderStateInvalid,
      penalty,
      `the sender has ${sender.balance} attoFIL, gas costs ${gasCost}`,
    )
  }
  if (gasCost < 0n) throw new MessageRefused('the gas fee cap is negative')
  const { code, sequence, balance, delegated } = sender
  const charged: Actor = {
    code,
    state: sender.state,
    sequence: sequence + 1n,
    balance: (balance - gasCost) as TokenAmount,
    delegated,
  }
  state.setActor(id, charged)
  return { id, gasCost }
}

/** A call that the node makes itself: `origin` is whom the actors see at the bottom, `from` the caller. */
export interface SystemCall {
  readonly origin: ActorId
  readonly originAddress: Address
  readonly sequence: bigint
  readonly from: ActorId
  readonly to: Address
  readonly method: bigint
  readonly params: Uint8Array
  readonly value: TokenAmount
  readonly gasLimit: bigint
}

/** Runs a call without sender checks or fees; its effects stay only when it exits with 0. */
export function applySystemCall(machine: MachineContext, call: SystemCall, options: ApplyOptions = {}): ApplyResult {
  const { from, to, method, params, value, gasLimit } = call
  return withCountedStack(machine, options, (variant) => {
    const calls = systemCallManager(machine, call, options, variant)
    return finish(calls, execute(calls, { to, method, params, value }, from), gasLimit)
  })
}

/** Calls the `upgrade` export of actor `to` with the CID of the code it had: `info` is CBOR `[old code]`. */
export function applyUpgradeCall(
  machine: MachineContext,
  to: ActorId,
  call: SystemCall,
  info: Uint8Array,
): ApplyResult {
  const params: Block | null = call.params.length === 0 ? null : { codec: CBOR, bytes: call.params, links: [] }
  return withCountedStack(machine, {}, (variant) => {
    const calls = systemCallManager(machine, call, {}, variant)
    const ended = settleEnd(calls, () => calls.callUpgrade(to, params, { codec: CBOR, bytes: info, links: [] }))
    return finish(calls, ended, call.gasLimit)
  })
}

function systemCallManager(
  machine: MachineContext,
  call: SystemCall,
  options: ApplyOptions,
  variant: ModuleVariant,
): CallManager {
  return new CallManager(
    machine,
    {
      id: call.origin,
      address: call.originAddress,
      sequence: call.sequence,
      receiver: machine.state.resolve(call.to),
      receiverAddress: call.to,
      gasLimit: call.gasLimit,
      premium: 0n,
    },
    options.trace === true ? [] : null,
    variant,
  )
}

function finish(calls: CallManager, ended: Ended, gasLimit: bigint, outputs: GasOutputs = NO_GAS_OUTPUTS): ApplyResult {
  const { exitCode, value, note } = ended
  const { baseFeeBurn, overEstimationBurn, penalty, minerTip, refund, gasRefund, gasBurned } = outputs
  return {
    exitCode,
    returnData: value?.bytes ?? EMPTY_BYTES,
    returnCodec: value?.codec ?? null,
    gasUsed: ended.isFatal ? gasLimit : calls.gas.used(),
    eventsRoot: eventsRoot(calls.events),
    events: calls.events,
    failures: exitCode === ExitCode.Ok ? [] : calls.failures,
    note,
    trace: calls.trace ?? [],
    baseFeeBurn,
    overEstimationBurn,
    penalty,
    minerTip,
    refund,
    gasRefund,
    gasBurned,
  }
}

/** A state whose address map cannot be read applies no message. */
function resolveOrRefuse({ state }: MachineContext, address: Address): ActorId | undefined {
  try {
    return state.resolve(address)
  } catch (error) {
    throw new MessageRefused(`addresses cannot be resolved: ${(error as Error).message}`, { cause: error })
  }
}

/** The sender as it sends: accounts, and placeholders of Ethereum addresses, which become accounts by it. */
function asSender({ manifest }: MachineContext, actor: Actor): Actor | undefined {
  if (actor.code === manifest.account || actor.code === manifest.ethaccount) return actor
  const isFresh = actor.code === manifest.placeholder && actor.sequence === 0n && isEthAddress(actor.delegated)
  return isFresh ? { ...actor, code: manifest.ethaccount } : undefined
}

function isEthAddress(address: Address | null): boolean {
  return address !== null && delegatedParts(address)?.namespace === EAM_NAMESPACE
}

function refused(exitCode: number, penalty: bigint, note: string): ApplyResult {
  return {
    ...NO_GAS_OUTPUTS,
    exitCode,
    penalty,
    note,
    returnData: EMPTY_BYTES,
    returnCodec: null,
    gasUsed: 0n,
    eventsRoot: null,
    events: [],
    failures: [],
    trace: [],
  }
}

interface Ended extends InvocationResult {
  readonly isFatal: boolean
  readonly note: string
}

function execute(
  calls: CallManager,
  message: Pick<Message, 'to' | 'method' | 'params' | 'value'>,
  from: ActorId,
): Ended {
  // Links in parameters from outside are not reachable, so parameters are plain CBOR.
  const params: Block | null =
    message.params.length === 0
      ? null
      : { codec: message.method === METHOD_SEND ? RAW : CBOR, bytes: message.params, links: [] }
  return settleEnd(calls, () =>
    calls.callInTransaction({
      from,
      to: message.to,
      method: message.method,
      params,
      value: message.value,
      gasLimit: null,
      readOnly: false,
    }),
  )
}

/** Every way in which the outermost call may end becomes an exit code. */
function settleEnd(calls: CallManager, run: () => InvocationResult): Ended {
  const ended = (exitCode: number, note: string, isFatal = false): Ended => ({ exitCode, value: null, isFatal, note })
  try {
    const { exitCode, value } = run()
    return { exitCode, value, isFatal: false, note: exitCode === ExitCode.Ok ? '' : describe(calls.failures) }
  } catch (error) {
    if (error === OUT_OF_GAS) return ended(ExitCode.OutOfGas, 'out of gas')
    if (error instanceof SyscallError) return ended(exitCodeOf(error.errno), error.message)
    if (error instanceof FatalError) return ended(ExitCode.AssertionFailed, `fatal: ${error.message}`, true)
    throw error
  }
}

function exitCodeOf(errno: ErrorNumber): number {
  if (errno === ErrorNumber.InsufficientFunds) return ExitCode.InsufficientFunds
  if (errno === ErrorNumber.NotFound) return ExitCode.InvalidReceiver
  return ExitCode.AssertionFailed
}

function describe(failures: readonly FailureFrame[]): string {
  return failures
    .map(({ id, method, exitCode, message }) => `actor ${id}, method ${method}: exit ${exitCode}, ${message}`)
    .join('; ')
}

/** Pays the block: burn, tip, over-estimation, refund. They add up to what preflight took. */
function settle(
  machine: MachineContext,
  { id, gasCost }: Sender,
  payment: Parameters<typeof computeGasOutputs>[0],
): GasOutputs {
  const outputs = computeGasOutputs(payment)
  const { baseFeeBurn, minerTip, overEstimationBurn, refund } = outputs
  deposit(machine, BURNT_FUNDS_ACTOR, baseFeeBurn)
  deposit(machine, REWARD_ACTOR, minerTip)
  deposit(machine, BURNT_FUNDS_ACTOR, overEstimationBurn)
  deposit(machine, id, refund)
  if (baseFeeBurn + minerTip + overEstimationBurn + refund !== gasCost) {
    throw new MessageRefused('the gas outputs do not add up to what was taken')
  }
  return outputs
}

function deposit({ state }: MachineContext, id: ActorId, amount: bigint): void {
  if (amount === 0n) return
  if (amount < 0n) throw new MessageRefused(`a gas output is negative: ${amount}`)
  const actor = state.getActor(id)
  if (actor === undefined) throw new MessageRefused(`actor ${id}, which a gas output belongs to, does not exist`)
  state.setActor(id, withBalance(actor, actor.balance + amount))
}
