/**
 * The devnet's powers, applied inside a block: every validator does the same to the same state. Each power takes effect
 * whole or not at all; the first that fails undoes the whole transaction.
 */
import { type Fault, isFault } from '../consensus/fault.ts'
import { type ApplyResult, applySystemCall, applyUpgradeCall, MessageRefused } from '../engine/executor.ts'
import { EngineExhausted, ExitCode } from '../engine/failure.ts'
import type { Machine } from '../engine/machine.ts'
import { isLoaded } from '../engine/module-cache.ts'
import type { BufferedBlockstore } from '../ipld/blockstore.ts'
import { type Cid, cidBytes, cidOf, DAG_CBOR, EMPTY_ARRAY_CID, RAW } from '../ipld/cid.ts'
import { CborWriter } from '../ipld/dag-cbor.ts'
import { concatBytes, EMPTY_BYTES } from '../primitives/bytes.ts'
import { type Actor, type ActorId, INIT_ACTOR, SYSTEM_ACTOR } from '../state/actor.ts'
import { type Address, actorAddress, addressBytes, idAddress } from '../state/address.ts'
import type { StampedEvent } from '../state/event.ts'
import type { TokenAmount } from '../state/token.ts'
import { refusedRecord, type TxRecord } from './chain-records.ts'
import { type ConsensusSettings, changeParams, changeValidators, type SettingsChange } from './consensus-settings.ts'
import { KnownBlocks } from './known-blocks.ts'
import type { Power, PowerTransaction } from './transaction.ts'

const POWER_GAS_LIMIT = 10_000_000_000n
const CONSTRUCTOR = 1n

/** A power that cannot be applied; nothing of its transaction stays. */
class PowerRefused extends Error {
  override readonly name = 'PowerRefused'
  readonly exitCode: number
  constructor(exitCode: number, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}

interface Applied {
  readonly value: Uint8Array
  readonly gasUsed: bigint
  readonly events: readonly StampedEvent[]
}

export interface PowersApplied {
  readonly record: TxRecord
  /** After the powers. */
  readonly settings: ConsensusSettings
  /** Code that is in the store now, whether the powers took effect or not. */
  readonly installed: readonly Cid[]
}

/** The return data is a CBOR array with one item for each power. */
export function applyPowers(
  machine: Machine,
  { powers, nonce }: PowerTransaction,
  change: SettingsChange,
): PowersApplied {
  const { state } = machine.context
  const known = new KnownBlocks(machine)
  let { settings } = change
  const depth = state.begin()
  try {
    const applied = powers.map((power, index) => {
      if (power.power === 'set-validators') {
        settings = accepted(changeValidators({ ...change, settings }, power.validators))
        return done()
      }
      if (power.power === 'set-params') {
        settings = accepted(changeParams({ ...change, settings }, power.params))
        return done()
      }
      return applyPower(machine, power, { nonce, index, known })
    })
    state.commit(depth)
    const writer = new CborWriter().array(applied.length)
    for (const { value } of applied) writer.raw(value)
    const record: TxRecord = {
      exitCode: 0,
      returnData: writer.finish(),
      returnCodec: DAG_CBOR,
      eventsRoot: null,
      failures: [],
      note: '',
      gasUsed: applied.reduce((sum, { gasUsed }) => sum + gasUsed, 0n),
      events: applied.flatMap(({ events }) => events),
    }
    return { record, settings, installed: installedBy(machine, powers) }
  } catch (error) {
    state.revert(depth)
    const record = refusedRecord(exitCodeOf(error), (error as Error).message)
    return { record, settings: change.settings, installed: installedBy(machine, powers) }
  }
}

/** Those that came before one that failed have put theirs. */
function installedBy({ context }: Machine, powers: readonly Power[]): readonly Cid[] {
  return powers.flatMap((power) => {
    if (power.power !== 'install' && power.power !== 'deploy' && power.power !== 'upgrade') return []
    const cid = cidOf(RAW, power.code)
    return context.store.has(cid) ? [cid] : []
  })
}

function accepted(settings: ConsensusSettings | Fault): ConsensusSettings {
  if (isFault(settings)) throw new PowerRefused(16, `consensus would refuse the change: ${settings.code}`)
  return settings
}

type MachinePower = Exclude<Power, { readonly power: 'set-validators' | 'set-params' }>

/** What this host has no room for is fatal to the power, not to the chain. */
function exitCodeOf(error: unknown): number {
  if (error instanceof PowerRefused) return error.exitCode
  if (error instanceof MessageRefused) return 1
  if (error instanceof EngineExhausted) return ExitCode.AssertionFailed
  throw error
}

const NULL = Uint8Array.of(0xf6)
const done = (value: Uint8Array = NULL): Applied => ({ value, gasUsed: 0n, events: [] })

/** Where a power stands: its transaction's nonce, its place there, and the blocks that it may build on. */
interface Place {
  readonly nonce: bigint
  readonly index: number
  readonly known: KnownBlocks
}

function applyPower(machine: Machine, power: MachinePower, place: Place): Applied {
  switch (power.power) {
    case 'install':
      return done(new CborWriter().link(installCode(machine, power.code)).finish())
    case 'deploy':
      return deploy(machine, power, place)
    case 'upgrade':
      return upgrade(machine, power)
    case 'set-balance': {
      const id = ensureActor(machine, power.address)
      changeActor(machine, id, (actor) => ({ ...actor, balance: power.balance }))
      return done()
    }
    case 'set-sequence': {
      const id = ensureActor(machine, power.address)
      changeActor(machine, id, (actor) => ({ ...actor, sequence: power.sequence }))
      return done()
    }
    case 'set-state':
      return setState(machine, power, place)
    case 'set-actor':
      return setActor(machine, power, place)
    case 'impersonate': {
      const result = machine.applyMessage(power.message, 'implicit')
      refuseFailure(result)
      return { value: bytesItem(result.returnData), gasUsed: result.gasUsed, events: result.events }
    }
  }
}

function bytesItem(bytes: Uint8Array): Uint8Array {
  return new CborWriter().bytes(bytes).finish()
}

function refuseFailure({ exitCode, note }: ApplyResult): void {
  if (exitCode !== 0) throw new PowerRefused(exitCode, note)
}

/** Code goes to the store at once, reachable or not: it is named by its hash and harms nobody. */
function installCode({ context }: Machine, code: Uint8Array): Cid {
  const cid = cidOf(RAW, code)
  const loaded = context.modules.load(cid, code)
  if (!isLoaded(loaded)) throw new PowerRefused(16, `the code cannot be loaded: ${loaded.reason}`)
  ;(context.store as BufferedBlockstore).base.put(cid, code)
  return cid
}

/** The answer is `[id, robust address, what the constructor returned]`. */
function deploy(machine: Machine, power: Extract<Power, { power: 'deploy' }>, { nonce, index }: Place): Applied {
  const { context } = machine
  const code = installCode(machine, power.code)
  const payer = context.state.resolve(power.from)
  if (payer === undefined) throw new PowerRefused(17, 'the deployer does not exist')
  const robust = actorAddress(concatBytes(addressBytes(power.from), cidBytes(code), u64(nonce), u64(BigInt(index))))
  const id = context.state.registerAddress(robust)
  context.state.setActor(id, {
    code,
    state: EMPTY_ARRAY_CID,
    sequence: 0n,
    balance: 0n as TokenAmount,
    delegated: null,
  })
  moveToInit(machine, payer, power.value)
  const result = applySystemCall(context, {
    origin: payer,
    originAddress: power.from,
    sequence: nonce,
    from: INIT_ACTOR,
    to: idAddress(id),
    method: CONSTRUCTOR,
    params: power.params,
    value: power.value,
    gasLimit: POWER_GAS_LIMIT,
  })
  refuseFailure(result)
  const value = new CborWriter().array(3).uint(id).bytes(addressBytes(robust)).bytes(result.returnData).finish()
  return { value, gasUsed: result.gasUsed, events: result.events }
}

/** The constructor's value comes from the init actor, as when it creates an actor itself. */
function moveToInit(machine: Machine, payer: ActorId, value: TokenAmount): void {
  if (value === 0n) return
  changeActor(machine, payer, (actor) => {
    if (actor.balance < value) throw new PowerRefused(6, `the deployer has less than ${value} attoFIL`)
    return { ...actor, balance: (actor.balance - value) as TokenAmount }
  })
  changeActor(machine, INIT_ACTOR, (actor) => ({ ...actor, balance: (actor.balance + value) as TokenAmount }))
}

function upgrade(machine: Machine, power: Extract<Power, { power: 'upgrade' }>): Applied {
  const { context } = machine
  const code = installCode(machine, power.code)
  const before = context.state.getActor(power.actor)
  if (before === undefined) throw new PowerRefused(17, `actor ${power.actor} does not exist`)
  const state = power.mode === 'discard' ? EMPTY_ARRAY_CID : before.state
  context.state.setActor(power.actor, { ...before, code, state })
  if (power.mode === 'keep') return done(new CborWriter().link(code).finish())
  const call = {
    origin: SYSTEM_ACTOR,
    originAddress: idAddress(SYSTEM_ACTOR),
    sequence: 0n,
    to: idAddress(power.actor),
    method: CONSTRUCTOR,
    from: power.mode === 'discard' ? INIT_ACTOR : SYSTEM_ACTOR,
    params: power.params,
    value: 0n as TokenAmount,
    gasLimit: POWER_GAS_LIMIT,
  }
  const result =
    power.mode === 'discard'
      ? applySystemCall(context, call)
      : applyUpgradeCall(context, power.actor, call, new CborWriter().array(1).link(before.code).finish())
  refuseFailure(result)
  return { value: new CborWriter().link(code).finish(), gasUsed: result.gasUsed, events: result.events }
}

function setState(machine: Machine, power: Extract<Power, { power: 'set-state' }>, { known }: Place): Applied {
  const { actor, root, blocks } = power
  known.give(blocks)
  if (!known.hasAllBelow(root)) throw new PowerRefused(16, INCOMPLETE)
  changeActor(machine, actor, (before) => ({ ...before, state: root }))
  return done()
}

function setActor(machine: Machine, power: Extract<Power, { power: 'set-actor' }>, { known }: Place): Applied {
  const { store, state } = machine.context
  const { actor, code, root, sequence, balance, delegated, blocks } = power
  known.give(blocks)
  if (!store.has(code)) throw new PowerRefused(16, `the code of actor ${actor} is not on the chain`)
  if (!known.hasAllBelow(root)) throw new PowerRefused(16, `actor ${actor}: ${INCOMPLETE}`)
  state.setActor(actor, { code, state: root, sequence, balance, delegated })
  return done()
}

const INCOMPLETE = 'the new state root, or a block below it, is neither among the blocks nor in the state'

function changeActor({ context }: Machine, id: ActorId, change: (actor: Actor) => Actor): void {
  const actor = context.state.getActor(id)
  if (actor === undefined) throw new PowerRefused(17, `actor ${id} does not exist`)
  context.state.setActor(id, change(actor))
}

/** A key or Ethereum address that nobody used yet comes into being, as when it is sent to. */
function ensureActor({ context }: Machine, address: Address): ActorId {
  const known = context.state.resolve(address)
  if (known !== undefined) return known
  const result = applySystemCall(context, {
    origin: SYSTEM_ACTOR,
    originAddress: idAddress(SYSTEM_ACTOR),
    sequence: 0n,
    from: SYSTEM_ACTOR,
    to: address,
    method: 0n,
    params: EMPTY_BYTES,
    value: 0n as TokenAmount,
    gasLimit: POWER_GAS_LIMIT,
  })
  refuseFailure(result)
  return context.state.resolve(address)!
}

function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value))
  return bytes
}
