/**
 * A world: one chain's state in the test's own thread, without blocks, keys or waiting. Every call is a message with the
 * devnet's fees, run by the engine; time stands still until it is told to pass.
 *
 * Worlds share a genesis and layer their writes over it, so that a fresh one costs microseconds.
 */
import { applySystemCall } from '../engine/executor.ts'
import { Linker } from '../engine/linker.ts'
import { ModuleCache } from '../engine/module-cache.ts'
import type { ProfileName } from '../engine/profile.ts'
import { BufferedBlockstore } from '../ipld/blockstore.ts'
import { type Cid, cidOf, DAG_CBOR } from '../ipld/cid.ts'
import { EMPTY_BYTES } from '../primitives/bytes.ts'
import { blake2b256 } from '../primitives/hash.ts'
import {
  AbiValueError,
  type CodecOptions,
  decodeReturn,
  decodeState,
  encodeParams,
  encodeState,
} from '../rpc/abi-codec.ts'
import { type ActorId, BURNT_FUNDS_ACTOR, REWARD_ACTOR, SYSTEM_ACTOR } from '../state/actor.ts'
import { type Address, formatAddress, idAddress, parseAddress, secpAddress } from '../state/address.ts'
import { METHOD_SEND } from '../state/message.ts'
import { StateTree } from '../state/state-tree.ts'
import { ATTO_PER_FIL, type TokenAmount } from '../state/token.ts'
import { type Account, addressOf, createAccount, namedAccounts } from './account.ts'
import { type ActorDescription, describeActor, LIBRARY_EXPORT } from './actor.ts'
import type { BftWorld, BftWorldOptions } from './bft-world.ts'
import { changeActor, install, robustAddress, type Sender } from './deployment.ts'
import { type Genesis, genesisOf } from './genesis.ts'
import {
  type Below,
  type CallOptions,
  createHandle,
  type Handle,
  type HandleHost,
  type MockMethods,
  type Target,
  targetOf,
} from './handle.ts'
import type { ActorClass, Args, Methods, Who } from './js.ts'
import { Mocks } from './mock.ts'
import type { Book } from './observed.ts'
import type { MessageRecord, WorldEvent } from './record.ts'
import { openContext, type WorldMessage } from './world-message.ts'
import { type Request, type WorldContext, WorldRunner } from './world-runner.ts'

export interface WorldOptions {
  readonly profile?: ProfileName
  readonly chainId?: bigint
  /** Of each account on each of its faces, attoFIL. */
  readonly balance?: bigint
  /** attoFIL per gas. */
  readonly baseFee?: bigint
  readonly epoch?: bigint
  /** Unix seconds. */
  readonly timestamp?: bigint
  /** What `mine` adds to the timestamp for each epoch. */
  readonly epochSeconds?: bigint
}

export interface Snapshot {
  readonly root: Cid
  readonly epoch: bigint
  readonly timestamp: bigint
  readonly baseFee: bigint
  readonly eventCount: number
  readonly accountCount: number
}

const DEFAULT_BALANCE = 10_000n * ATTO_PER_FIL
const GAS_LIMIT = 10_000_000_000n
const FIRST_EPOCH = 1n
/** 2026-01-01, so that runs are alike. */
const FIRST_TIMESTAMP = 1_767_225_600n
const EPOCH_SECONDS = 30n

/** Compiled code and the imports serve every world of the process. */
const modules = new ModuleCache()
const linker = new Linker()

/** A fresh world. */
export function world(options?: WorldOptions): World
/** A fresh network of validators that vote, in this process: its answers are awaited. */
export function world(options: BftWorldOptions): Promise<BftWorld>
export function world(options: WorldOptions | BftWorldOptions = {}): World | Promise<BftWorld> {
  if (!('consensus' in options)) return new World(options)
  // Loaded when it is wanted: most tests need nobody's vote.
  return import('./bft-world.ts').then(({ openBftWorld }) => openBftWorld(options))
}

/**
 * The functions of a `*.lib.ts`, as JavaScript calls them: `library(math).gcd(12n, 18n)`. Each call runs by itself, in a
 * world of its own.
 */
export function library<M extends object>(module: M): Methods<M> {
  const description = (module as Record<string, unknown>)[LIBRARY_EXPORT]
  return new World().deploy(description as abstract new () => M) as Methods<M>
}

export class World implements HandleHost, Book {
  readonly chainId: bigint
  readonly #genesis: Genesis
  readonly #store: BufferedBlockstore
  readonly #context: WorldContext
  readonly #runner: WorldRunner
  readonly #codec: CodecOptions
  readonly #mocks: Mocks
  readonly #actors = new Map<ActorId, Target>()
  /** By code. */
  readonly #descriptions = new Map<Cid, ActorDescription>()
  readonly #balance: bigint
  readonly #epochSeconds: bigint
  #accounts: readonly Account[]
  #events: WorldEvent[] = []
  #deployed = 0n

  constructor(options: WorldOptions = {}) {
    this.chainId = options.chainId ?? 31337n
    this.#balance = options.balance ?? DEFAULT_BALANCE
    this.#epochSeconds = options.epochSeconds ?? EPOCH_SECONDS
    const genesis = genesisOf(`/r${this.chainId}`, this.#balance)
    this.#genesis = genesis
    this.#store = new BufferedBlockstore(genesis.store)
    this.#accounts = namedAccounts()
    this.#codec = { store: this.#store, resolveAddress: (text) => this.#named(text) }
    this.#mocks = new Mocks(this.#codec)
    const profile = options.profile ?? 'ipc'
    this.#context = openContext(
      {
        profile,
        chainId: this.chainId,
        balance: this.#balance,
        epoch: options.epoch ?? FIRST_EPOCH,
        timestamp: options.timestamp ?? FIRST_TIMESTAMP,
        baseFee: options.baseFee ?? 100n,
      },
      genesis,
      this.#store,
      genesis.root,
      { modules, linker, hasLargestStack: false },
    )
    this.#runner = new WorldRunner({
      context: this.#context,
      store: this.#store,
      mocks: this.#mocks,
      descriptions: this.#descriptions,
      book: this,
      surroundings: { profile, chainId: this.chainId, balance: this.#balance },
    })
  }

  // --- actors ---------------------------------------------------------------------------------------------------

  /** Installs the actor's code and runs its constructor, as alice. @throws ActorError */
  deploy<C extends ActorClass>(actor: C, ...args: Args<ConstructorParameters<C>>): Handle<InstanceType<C>, C> {
    return this.#deploy(actor, args, {}, this.deploy) as Handle<InstanceType<C>, C>
  }

  /** As `deploy`, from another account, or with value. */
  deployWith<C extends ActorClass>(
    options: Omit<CallOptions, 'gas'>,
    actor: C,
    ...args: Args<ConstructorParameters<C>>
  ): Handle<InstanceType<C>, C> {
    return this.#deploy(actor, args, options, this.deployWith) as Handle<InstanceType<C>, C>
  }

  /** A handle for an actor that is there already: one that another actor made, say. */
  at<C extends ActorClass>(actor: C, who: Who): Handle<InstanceType<C>, C> {
    const id = this.#needId(who)
    const target = this.#actors.get(id) ?? this.#know(this.#describe(actor), id, idAddress(id))
    return createHandle(this, target) as Handle<InstanceType<C>, C>
  }

  /**
   * An actor of JavaScript: either a new one, all of whose other methods exit with 22, or one that is there, whose other
   * methods stay what they are.
   */
  mock<C extends ActorClass>(actor: C, methods: MockMethods<InstanceType<C>>): Handle<InstanceType<C>, C>
  mock<T, C>(actor: Handle<T, C>, methods: MockMethods<T>): Handle<T, C>
  mock(actor: unknown, methods: Readonly<Record<string, undefined | ((...args: never[]) => unknown)>>): unknown {
    const existing = targetOf(actor)
    const target = existing ?? this.#installMocked(this.#describe(actor))
    this.#mocks.add(
      target.id as ActorId,
      target.description,
      methods as Record<string, () => unknown>,
      existing !== undefined,
    )
    return existing === undefined ? createHandle(this, target) : actor
  }

  #installMocked(description: ActorDescription): Target {
    this.#runner.poke()
    const deployer = this.#sender(undefined)
    const ordinal = ++this.#deployed
    const id = install(this.#context, description, deployer, 0n as TokenAmount, ordinal)
    return this.#know(description, id, robustAddress(deployer, description, ordinal))
  }

  // --- accounts and funds ---------------------------------------------------------------------------------------

  /** alice, bob, … judy, and those made since. */
  get accounts(): readonly Account[] {
    return this.#accounts
  }

  /** The account of that name, made if there is none; without a name, a new one. It has the funds of the others. */
  account(name?: string): Account {
    const known = this.#accounts.find((account) => account.name === name)
    if (known !== undefined) return known
    const made = this.#makeAccount(name ?? `account${this.#accounts.length}`)
    this.#accounts = [...this.#accounts, made]
    return made
  }

  /** attoFIL. */
  balance(who: Who): bigint {
    return this.balanceOf(this.#needId(who))
  }

  /** Sets a balance. */
  deal(who: Who, amount: bigint): void {
    this.#runner.poke()
    const id = this.#ensureActor(this.#toAddress(who))
    changeActor(this.#context.state, id, (actor) => ({ ...actor, balance: amount as TokenAmount }))
  }

  /** A plain transfer; no code runs at the receiver. */
  send(from: Who, to: Who, amount: bigint): MessageRecord {
    const sender = this.#sender(from)
    return this.#perform(
      {
        label: 'send',
        description: undefined,
        target: undefined,
        payers: payersOf(sender),
        keeps: 'always',
        decode: () => undefined,
        work: messageOf(sender, this.#toAddress(to), METHOD_SEND, EMPTY_BYTES, { value: amount }),
      },
      this.send,
    )
  }

  // --- time -----------------------------------------------------------------------------------------------------

  get epoch(): bigint {
    return this.#context.epoch
  }

  /** Unix seconds. */
  get timestamp(): bigint {
    return this.#context.timestamp
  }

  get baseFee(): bigint {
    return this.#context.baseFee
  }

  /** Lets seconds pass; the epoch stays. */
  warp(by: number | bigint | { readonly to: number | bigint }): void {
    this.#runner.poke()
    this.#context.timestamp = moved(this.#context.timestamp, by)
  }

  /** Lets epochs pass; the clock stays. */
  roll(by: number | bigint | { readonly to: number | bigint }): void {
    this.#runner.poke()
    this.#context.epoch = moved(this.#context.epoch, by)
  }

  /** Lets epochs pass, and their seconds. */
  mine(epochs: number | bigint = 1): void {
    this.roll(epochs)
    this.warp(BigInt(epochs) * this.#epochSeconds)
  }

  /** attoFIL per gas, from the next message on. */
  setBaseFee(baseFee: bigint): void {
    this.#runner.poke()
    this.#context.baseFee = baseFee
  }

  // --- history --------------------------------------------------------------------------------------------------

  /** Every event of a message that succeeded. */
  get events(): readonly WorldEvent[] {
    return this.#events
  }

  snapshot(): Snapshot {
    const { epoch, timestamp, baseFee } = this.#context
    const root = this.#context.state.flush()
    return { root, epoch, timestamp, baseFee, eventCount: this.#events.length, accountCount: this.#accounts.length }
  }

  /** Back to how things were; a snapshot can be used again. Mocks stay. */
  revert(snapshot: Snapshot): void {
    this.#runner.poke()
    const { root, epoch, timestamp, baseFee, eventCount, accountCount } = snapshot
    Object.assign(this.#context, { epoch, timestamp, baseFee, state: StateTree.load(this.#store, root) })
    this.#events = this.#events.slice(0, eventCount)
    this.#accounts = this.#accounts.slice(0, accountCount)
  }

  /** The root of the whole state, as a chain would agree on it. */
  stateRoot(): Cid {
    return this.#context.state.flush()
  }

  // --- what handles ask -----------------------------------------------------------------------------------------

  callMethod(target: Target, name: string, args: readonly unknown[], options: CallOptions, below: Below): unknown {
    const { description, id } = target
    const { abi } = description
    const method = description.methods.get(name)!
    const params = refusing(below, () => encodeParams(abi, method, args, this.#codec))
    const sender = refusing(below, () => this.#sender(options.from))
    const record = this.#perform(
      {
        label: `${description.name}.${name}`,
        description,
        target,
        payers: payersOf(sender),
        keeps: method.kind === 'view' ? 'never' : 'always',
        work: messageOf(sender, idAddress(id), BigInt(method.number), params, options),
        decode: ({ returnData }) => decodeReturn(abi, method, returnData, this.#codec),
      },
      below,
    )
    return record.returned
  }

  readState({ description, id }: Target): Record<string, unknown> {
    const actor = this.#context.state.getActor(id as ActorId)
    const block = actor && this.#store.get(actor.state)
    if (block === undefined) throw new Error(`actor ${id} has no state`)
    return decodeState(description.abi, block, this.#codec)
  }

  changeState(target: Target, change: Readonly<Record<string, unknown>>): void {
    this.#runner.poke()
    const fields = new Set(target.description.abi.state.map((field) => field.slice(0, field.indexOf(':'))))
    const unknown = Object.keys(change).find((name) => !fields.has(name))
    if (unknown !== undefined) throw new AbiValueError(`state.${unknown}`, `is no field of ${target.description.name}`)
    const block = encodeState(target.description.abi, { ...this.readState(target), ...change }, this.#codec)
    const state = cidOf(DAG_CBOR, block)
    this.#store.put(state, block)
    changeActor(this.#context.state, target.id as ActorId, (actor) => ({ ...actor, state }))
  }

  // --- what records ask -----------------------------------------------------------------------------------------

  balanceOf(who: Who): bigint {
    const id = this.idOfWho(who)
    return id === undefined ? 0n : (this.#context.state.getActor(id as ActorId)?.balance ?? 0n)
  }

  idOfWho(who: Who): bigint | undefined {
    return this.#context.state.resolve(this.#toAddress(who))
  }

  /** By ID, or by the code that one of the known actors has too. */
  descriptionOf(id: ActorId): ActorDescription | undefined {
    const known = this.#actors.get(id)?.description
    if (known !== undefined) return known
    const code = this.#context.state.getActor(id)?.code
    return code === undefined ? undefined : this.#descriptions.get(code)
  }

  idOf(address: Address): ActorId | undefined {
    return this.#context.state.resolve(address)
  }

  get codec(): CodecOptions {
    return this.#codec
  }

  // --- messages -------------------------------------------------------------------------------------------------

  #perform(request: Request, below: Below): MessageRecord {
    const { record, isKept } = this.#runner.perform(request, below)
    if (isKept && record.events.length > 0) this.#events.push(...record.events)
    return record
  }

  // --- deploying ------------------------------------------------------------------------------------------------

  #deploy(actor: unknown, args: readonly unknown[], options: CallOptions, below: Below): Record<string, unknown> {
    const description = this.#describe(actor)
    const { abi } = description
    const creation = abi.methods.find(({ kind }) => kind === 'constructor')!
    const params = refusing(below, () => encodeParams(abi, creation, args, this.#codec))
    const sender = refusing(below, () => this.#sender(options.from))
    const value = (options.value ?? 0n) as TokenAmount
    if (value > this.balanceOf(sender.id)) throw new RangeError(`the deployer has less than ${value} attoFIL`)
    const ordinal = ++this.#deployed
    const record = this.#perform(
      {
        label: `${description.name}.constructor`,
        description,
        target: undefined,
        payers: [],
        keeps: 'success',
        decode: () => undefined,
        work: {
          kind: 'deployment',
          code: description.code,
          wasm: description.wasm,
          gasLimit: GAS_LIMIT,
          sender,
          ordinal,
          params,
          value,
        },
      },
      below,
    )
    const address = robustAddress(sender, description, ordinal)
    const target = this.#know(description, this.#context.state.resolve(address)!, address)
    target.last = record
    return createHandle(this, target)
  }

  #describe(actor: unknown): ActorDescription {
    const description = describeActor(actor)
    this.#descriptions.set(description.code, description)
    return description
  }

  #know(description: ActorDescription, id: ActorId, address: Address): Target {
    let text: string | undefined
    const target: Target = {
      description,
      id,
      last: undefined,
      get address() {
        text ??= formatAddress(address, 't')
        return text
      },
    }
    this.#actors.set(id, target)
    return target
  }

  // --- who ------------------------------------------------------------------------------------------------------

  #sender(who: Who | undefined): Sender {
    const account =
      who === undefined ? this.#accounts[0]! : this.#accounts.find((known) => known === who || known.name === who)
    if (account !== undefined) return { id: account.id as ActorId, address: addressOf(account), isAccount: true }
    const address = this.#toAddress(who!)
    const id = this.#needId(who!)
    const code = this.#context.state.getActor(id)?.code
    const isAccount = code === this.#genesis.manifest.account || code === this.#genesis.manifest.ethaccount
    return { id, address, isAccount }
  }

  #named(text: string): Address | undefined {
    const account = this.#accounts.find(({ name }) => name === text)
    return account === undefined ? undefined : addressOf(account)
  }

  #toAddress(who: Who): Address {
    if (typeof who === 'bigint') return idAddress(who)
    if (typeof who === 'string') return this.#named(who) ?? parseAddress(who)
    const id = (who as { readonly id?: unknown }).id
    return typeof id === 'bigint' && targetOf(who) !== undefined ? idAddress(id) : parseAddress(who.address)
  }

  #needId(who: Who): ActorId {
    const address = this.#toAddress(who)
    const id = this.#context.state.resolve(address)
    if (id === undefined) throw new Error(`there is no actor at ${formatAddress(address, 't')}`)
    return id
  }

  #makeAccount(name: string): Account {
    this.#runner.poke()
    const key = new Uint8Array(65)
    key.set(blake2b256(new TextEncoder().encode(`test account ${name}`)), 1)
    const address = secpAddress(key)
    const id = this.#ensureActor(address)
    changeActor(this.#context.state, id, (actor) => ({ ...actor, balance: this.#balance as TokenAmount }))
    return createAccount(name, id, address)
  }

  /** An address nobody used yet comes into being, as when it is sent to. */
  #ensureActor(address: Address): ActorId {
    const { state } = this.#context
    const known = state.resolve(address)
    if (known !== undefined) return known
    applySystemCall(this.#context, {
      origin: SYSTEM_ACTOR,
      originAddress: idAddress(SYSTEM_ACTOR),
      sequence: 0n,
      from: SYSTEM_ACTOR,
      to: address,
      method: METHOD_SEND,
      params: EMPTY_BYTES,
      value: 0n as TokenAmount,
      gasLimit: GAS_LIMIT,
    })
    const made = state.resolve(address)
    if (made === undefined) throw new Error(`no actor can be made at ${formatAddress(address, 't')}`)
    return made
  }
}

/** Accounts pay for what they send; from any other actor the message is made as if it had sent it. */
function messageOf(
  sender: Sender,
  to: Address,
  method: bigint,
  params: Uint8Array,
  { value = 0n, gas = GAS_LIMIT }: CallOptions,
): WorldMessage {
  return { kind: 'message', sender, to, method, params, value: value as TokenAmount, gasLimit: gas }
}

function payersOf({ id, isAccount }: Sender): readonly ActorId[] {
  return isAccount ? [id, BURNT_FUNDS_ACTOR, REWARD_ACTOR] : [id]
}

function moved(from: bigint, by: number | bigint | { readonly to: number | bigint }): bigint {
  return typeof by === 'object' ? BigInt(by.to) : from + BigInt(by)
}

/** Wrong arguments are the test's mistake: the stack begins there. */
function refusing<T>(below: Below, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof Error) Error.captureStackTrace(error, below)
    throw error
  }
}
