/**
 * A devnet as tests see it: what a world does at once is done by JSON-RPC here, with blocks, fees and signatures.
 * Accounts of the devnet sign there; accounts that a test makes sign here; what any other actor sends, the devnet sends
 * for it. Actors that tests deploy get no name, so a running `troupe dev` does not take them for its own.
 */
import type { Abi } from '../../compiler/abi/schema.ts'
import { computeGasOutputs } from '../engine/gas-outputs.ts'
import type { Trace } from '../engine/trace.ts'
import { BufferedBlockstore, MemoryBlockstore } from '../ipld/blockstore.ts'
import { type Cid, cidCodec, cidOf, DAG_CBOR, formatCid, matchesCid, parseCid } from '../ipld/cid.ts'
import { type CborValue, decodeCbor, isLink } from '../ipld/dag-cbor.ts'
import { signMessage } from '../node/signatures.ts'
import { EMPTY_BYTES, fromHex, toHex } from '../primitives/bytes.ts'
import { blake2b256 } from '../primitives/hash.ts'
import { publicKeyOf } from '../primitives/keys.ts'
import {
  AbiValueError,
  type CodecOptions,
  decodeReturn,
  decodeState,
  encodeParams,
  encodeState,
} from '../rpc/abi-codec.ts'
import { type AccountInfo, Client, ClientError, Unreachable } from '../rpc/client.ts'
import { parseEvent, parseTraceEvent, type ReceiptJson } from '../rpc/convert.ts'
import { signedMessageJson } from '../rpc/filecoin/json.ts'
import type { ActorId } from '../state/actor.ts'
import { type Address, addressId, formatAddress, idAddress, parseAddress, secpAddress } from '../state/address.ts'
import type { Message } from '../state/message.ts'
import type { TokenAmount } from '../state/token.ts'
import { type Account, addressOf, createAccount } from './account.ts'
import { type ActorDescription, describeAbi, describeActor } from './actor.ts'
import { ActorError, exitName } from './actor-error.ts'
import { ConnectionError } from './connect.ts'
import { noteGas } from './gas-usage.ts'
import {
  type AwaitedHandle,
  type Below,
  type CallOptions,
  createHandle,
  type HandleHost,
  type Target,
  targetOf,
} from './handle.ts'
import type { ActorClass, Args, Who } from './js.ts'
import { type Book, Observed } from './observed.ts'
import { enterLedger, type MessageRecord, report } from './record.ts'

/** Where the chain of a devnet is. */
export interface ChainStatus {
  readonly url: string
  readonly chainId: bigint
  readonly epoch: bigint
  /** Unix seconds. */
  readonly timestamp: bigint
  /** attoFIL per gas, of the next block. */
  readonly baseFee: bigint
}

/** A message's gas limit where the test gives none: a block's whole gas, so that a message that fails is on the chain too. */
const GAS_LIMIT = 10_000_000_000n
/** Of one actor's state; a larger one is read through the actor's views. */
const STATE_BLOCKS_MAX = 4096
const BATCH = 64
/** FIL of an account that a test makes. */
const MADE_BALANCE = 10_000n * 10n ** 18n

interface Sender {
  readonly id: bigint
  readonly address: Address
  /** The devnet has the key, the test has it, or nobody. */
  readonly signs: 'there' | Uint8Array | 'nobody'
}

interface Call {
  readonly label: string
  readonly sender: Sender
  readonly to: Address
  readonly method: bigint
  readonly params: Uint8Array
  readonly value: bigint
  readonly gas: bigint
}

/** How a call ended. */
interface Ran {
  readonly receipt: ReceiptJson
  readonly fee: bigint
  /** Null where the devnet keeps none. */
  readonly trace: Trace | null
}

interface Included extends ReceiptJson {
  readonly cid: string
  readonly height: number
}

interface StatusJson {
  readonly chainId: string
  readonly height: number
  readonly timeMs: number
  readonly baseFee: string
}

interface ActorJson {
  readonly id: string
  readonly code: string
  readonly state: string
  readonly abi: Abi | null
}

/** Whoever carries requests to a devnet, over a port or without one. */
export interface Requester {
  readonly url: string
  /** @throws ClientError */
  request<T>(method: string, params?: readonly unknown[]): Promise<T>
}

/** What a connection begins with. */
export interface Introduction {
  readonly chainId: bigint
  readonly accounts: readonly AccountInfo[]
}

export async function introduce(requester: Requester): Promise<Introduction> {
  const [accounts, status] = await Promise.all([
    requester.request<AccountInfo[]>('troupe_accounts'),
    requester.request<StatusJson>('troupe_status'),
  ])
  return { chainId: BigInt(status.chainId), accounts }
}

/** @throws ConnectionError */
export async function openConnection(url: string): Promise<Connection> {
  const client = new Client(url)
  try {
    return new Connection(client, await introduce(client))
  } catch (error) {
    if (error instanceof Unreachable)
      throw new ConnectionError('TRP-7604', `nothing answers at ${url}: start a devnet with \`troupe dev\``, {
        cause: error,
      })
    if (error instanceof ClientError)
      throw new ConnectionError('TRP-7604', `${url} is no devnet of Troupe's: ${error.message}`, { cause: error })
    throw error
  }
}

export class Connection implements HandleHost {
  readonly url: string
  readonly chainId: bigint
  readonly #client: Requester
  readonly #keys = new Map<Account, Uint8Array>()
  readonly #targets = new Map<bigint, Target>()
  /** By code: what tests imported. */
  readonly #descriptions = new Map<Cid, ActorDescription>()
  readonly #store = new MemoryBlockstore()
  readonly #codec: CodecOptions
  #accounts: readonly Account[]

  constructor(client: Requester, { chainId, accounts }: Introduction) {
    this.#client = client
    this.url = client.url
    this.chainId = chainId
    this.#accounts = accounts.flatMap(({ name, id, address }) =>
      id === null ? [] : [createAccount(name, BigInt(id), parseAddress(address))],
    )
    this.#codec = { store: this.#store, resolveAddress: (text) => this.#named(text) }
  }

  // --- actors ---------------------------------------------------------------------------------------------------

  /** Installs the actor's code and runs its constructor, as alice. @throws ActorError */
  deploy<C extends ActorClass>(
    actor: C,
    ...args: Args<ConstructorParameters<C>>
  ): Promise<AwaitedHandle<InstanceType<C>, C>> {
    return this.#deploy(actor, args, {}, stackBelow(this.deploy)) as Promise<AwaitedHandle<InstanceType<C>, C>>
  }

  /** As `deploy`, from another account, or with value. */
  deployWith<C extends ActorClass>(
    options: Omit<CallOptions, 'gas'>,
    actor: C,
    ...args: Args<ConstructorParameters<C>>
  ): Promise<AwaitedHandle<InstanceType<C>, C>> {
    const stack = stackBelow(this.deployWith)
    return this.#deploy(actor, args, options, stack) as Promise<AwaitedHandle<InstanceType<C>, C>>
  }

  /** A handle for an actor that is there already: without `who`, the one that `troupe dev` runs for this class. */
  async at<C extends ActorClass>(actor: C, who?: Who): Promise<AwaitedHandle<InstanceType<C>, C>> {
    const description = this.#describe(actor)
    const id = await this.#needId(who ?? description.name)
    const target = this.#targets.get(id) ?? this.#know(description, id, formatAddress(idAddress(id), 't'))
    return createHandle(this, target) as AwaitedHandle<InstanceType<C>, C>
  }

  // --- accounts and funds ---------------------------------------------------------------------------------------

  /** The devnet's, alice first, and those made since. */
  get accounts(): readonly Account[] {
    return this.#accounts
  }

  /** The account of that name, made if there is none: with a key that follows from the name, and 10,000 FIL. */
  async account(name: string): Promise<Account> {
    const known = this.#accounts.find((account) => account.name === name)
    if (known !== undefined) return known
    const key = blake2b256(new TextEncoder().encode(`test account ${name}`))
    const address = secpAddress(publicKeyOf(key))
    await this.deal(formatAddress(address, 't'), MADE_BALANCE)
    const made = createAccount(name, await this.#needId(formatAddress(address, 't')), address)
    this.#keys.set(made, key)
    this.#accounts = [...this.#accounts, made]
    return made
  }

  /** attoFIL. */
  async balance(who: Who): Promise<bigint> {
    return (await this.#look(who)).balance
  }

  /** Sets a balance. */
  async deal(who: Who, amount: bigint): Promise<void> {
    await enterLedger(this.#ledger)
    await this.#client.request('troupe_setBalance', [this.#text(who), amount.toString()])
  }

  /** A plain transfer; no code runs at the receiver. */
  async send(from: Who, to: Who, amount: bigint): Promise<MessageRecord> {
    const stack = stackBelow(this.send)
    const sender = await this.#sender(from)
    return this.#perform(
      {
        label: 'send',
        sender,
        to: this.#toAddress(to),
        method: 0n,
        params: EMPTY_BYTES,
        value: amount,
        gas: GAS_LIMIT,
      },
      { isView: false, target: undefined, decode: () => undefined, stack },
    )
  }

  // --- the chain ------------------------------------------------------------------------------------------------

  async status(): Promise<ChainStatus> {
    const { height, timeMs, baseFee } = await this.#client.request<StatusJson>('troupe_status')
    return {
      url: this.url,
      chainId: this.chainId,
      epoch: BigInt(height),
      timestamp: BigInt(Math.floor(timeMs / 1000)),
      baseFee: BigInt(baseFee),
    }
  }

  /** Makes blocks. */
  async mine(blocks = 1): Promise<void> {
    await this.#client.request('troupe_mine', [blocks])
  }

  /** Lets seconds pass, from the next block on. */
  async warp(by: number | bigint | { readonly to: number | bigint }): Promise<void> {
    const change = typeof by === 'object' ? { toSeconds: Number(by.to) } : { bySeconds: Number(by) }
    await this.#client.request('troupe_warp', [change])
  }

  /** A name for how things are. */
  snapshot(): Promise<string> {
    return this.#client.request<string>('troupe_snapshot')
  }

  /** Back to how things were, for everybody who uses the devnet; a snapshot can be used once. */
  async revert(snapshot: string): Promise<void> {
    await this.#client.request('troupe_revert', [snapshot])
    this.#ids.clear()
    this.#known.clear()
  }

  // --- what handles ask -----------------------------------------------------------------------------------------

  async callMethod(
    target: Target,
    name: string,
    args: readonly unknown[],
    options: CallOptions,
    below: Below,
  ): Promise<unknown> {
    const stack = stackBelow(below)
    const { description, id } = target
    const method = description.methods.get(name)!
    const params = encodeParams(description.abi, method, args, this.#codec)
    const sender = await this.#sender(options.from)
    const record = await this.#perform(
      {
        label: `${description.name}.${name}`,
        sender,
        to: idAddress(id),
        method: BigInt(method.number),
        params,
        value: options.value ?? 0n,
        gas: options.gas ?? GAS_LIMIT,
      },
      {
        target,
        stack,
        isView: method.kind === 'view',
        decode: (bytes) => decodeReturn(description.abi, method, bytes, this.#codec),
      },
    )
    return record.returned
  }

  /** The state with all the blocks that its collections have. */
  async readState({ description, id }: Target): Promise<Record<string, unknown>> {
    const actor = await this.#client.request<ActorJson>('troupe_actor', [id.toString()])
    const root = parseCid(actor.state)
    await this.#fetchBlocks(root)
    return decodeState(description.abi, this.#store.get(root)!, this.#codec)
  }

  async changeState(target: Target, change: Readonly<Record<string, unknown>>): Promise<void> {
    const { abi, name } = target.description
    const fields = new Set(abi.state.map((field) => field.slice(0, field.indexOf(':'))))
    const unknown = Object.keys(change).find((field) => !fields.has(field))
    if (unknown !== undefined) throw new AbiValueError(`state.${unknown}`, `is no field of ${name}`)
    const store = new BufferedBlockstore(this.#store)
    const block = encodeState(abi, { ...(await this.readState(target)), ...change }, { ...this.#codec, store })
    await enterLedger(this.#ledger)
    await this.#client.request('troupe_setState', [
      target.id.toString(),
      formatCid(cidOf(DAG_CBOR, block)),
      [...store.buffered.values(), block].map(hexOf),
    ])
  }

  // --- messages -------------------------------------------------------------------------------------------------

  async #perform(
    call: Call,
    how: {
      readonly isView: boolean
      readonly target: Target | undefined
      readonly decode: (bytes: Uint8Array) => unknown
      readonly stack: string
    },
  ): Promise<MessageRecord> {
    await enterLedger(this.#ledger)
    return this.#finish(call.label, call.sender, await (how.isView ? this.#view(call) : this.#send(call)), how)
  }

  /** Remembers what a message did, and throws if it failed. */
  async #finish(
    label: string,
    sender: Sender,
    { receipt, fee, trace }: Ran,
    {
      target,
      decode,
      stack,
    }: {
      readonly target: Target | undefined
      readonly decode: (bytes: Uint8Array) => unknown
      readonly stack: string
    },
  ): Promise<MessageRecord> {
    const { exitCode, note, failures } = receipt
    const gas = BigInt(receipt.gasUsed)
    const events = receipt.events.map(parseEvent)
    const book = await this.#bookOf(
      events.map(({ emitter }) => emitter),
      trace ?? [],
    )
    const returned = exitCode === 0 ? decode(fromHex(receipt.return)) : undefined
    const record = new Observed(book, label, { exitCode, events, trace, gasUsed: gas }, sender.id, fee, returned)
    if (target !== undefined) target.last = record
    noteGas(label, gas)
    report(record)
    if (exitCode === 0) return record
    throw new ActorError(
      {
        label,
        exitCode,
        gas,
        exitName: exitName(exitCode, target?.description.abi.errors),
        note: failures[0]?.message ?? note,
        failures: failures.map(({ id, method, ...rest }) => ({
          ...rest,
          id: BigInt(id) as ActorId,
          method: BigInt(method),
        })),
        trace: trace ?? [],
        explain: () => ({ frames: [], message: '' }),
      },
      stack,
    )
  }

  async #view({ sender, to, method, params, value }: Call): Promise<Ran> {
    const { trace, ...receipt } = await this.#client.request<ReceiptJson & { trace: Record<string, unknown>[] }>(
      'troupe_call',
      [
        {
          from: formatAddress(sender.address, 't'),
          to: formatAddress(to, 't'),
          method: method.toString(),
          params: hexOf(params),
          value: value.toString(),
          trace: true,
        },
      ],
    )
    return { receipt, fee: 0n, trace: trace.map(parseTraceEvent) }
  }

  #send(call: Call): Promise<Ran> {
    const { signs } = call.sender
    if (signs === 'nobody') return this.#impersonate(call)
    return signs === 'there' ? this.#sendThere(call) : this.#sendSigned(call, signs)
  }

  async #sendThere(call: Call): Promise<Ran> {
    const included = await this.#client.request<Included>('troupe_send', [
      { ...draftOf(call), gasLimit: call.gas.toString(), gasPremium: '0' },
    ])
    return this.#included(call, included)
  }

  /** The door of everybody: a message signed here. */
  async #sendSigned({ sender, to, method, params, value, gas }: Call, key: Uint8Array): Promise<Ran> {
    const [sequence, { baseFee }] = await Promise.all([
      this.#client.request<number>('Filecoin.MpoolGetNonce', [formatAddress(sender.address, 't')]),
      this.status(),
    ])
    const message: Message = {
      version: 0n,
      from: sender.address,
      to,
      sequence: BigInt(sequence),
      value: value as TokenAmount,
      gasLimit: gas,
      gasFeeCap: (baseFee * 2n) as TokenAmount,
      gasPremium: 0n as TokenAmount,
      method,
      params,
    }
    const signature = signMessage(message, key, this.chainId)
    const cid = await this.#client.request<{ '/': string }>('Filecoin.MpoolPush', [
      signedMessageJson({ kind: 'signed', origin: 0, message, signature }),
    ])
    await this.#client.request('Filecoin.StateWaitMsg', [cid])
    const included = await this.#client.request<Omit<Included, 'cid'>>('troupe_receipt', [cid['/']])
    return this.#included({ gas }, { ...included, cid: cid['/'] })
  }

  /** With a premium of 0 and a cap above the base fee, what is paid follows from the base fee alone. */
  async #included({ gas }: Pick<Call, 'gas'>, included: Included): Promise<Ran> {
    const [block, { trace }] = await Promise.all([
      this.#client.request<{ baseFee: string }>('troupe_block', [included.height]),
      this.#client.request<{ trace: Record<string, unknown>[] }>('troupe_trace', [included.cid]),
    ])
    const baseFee = BigInt(block.baseFee)
    const used = BigInt(included.gasUsed)
    const outputs = computeGasOutputs({ used, baseFee, limit: gas, feeCap: baseFee, premium: 0n })
    return {
      receipt: included,
      fee: outputs.baseFeeBurn + outputs.overEstimationBurn,
      trace: trace.map(parseTraceEvent),
    }
  }

  async #impersonate(call: Call): Promise<Ran> {
    const receipt = await this.#power('troupe_impersonate', draftOf(call))
    return { receipt, fee: 0n, trace: null }
  }

  /** The receipt of what the devnet does itself, also when that failed. */
  async #power<R extends ReceiptJson>(method: string, request: unknown): Promise<R> {
    try {
      return await this.#client.request<R>(method, [request])
    } catch (error) {
      const receipt = error instanceof ClientError ? (error.data as { receipt?: R } | null)?.receipt : undefined
      if (receipt === undefined) throw error
      return receipt
    }
  }

  // --- deploying ------------------------------------------------------------------------------------------------

  async #deploy(
    actor: unknown,
    args: readonly unknown[],
    options: CallOptions,
    stack: string,
  ): Promise<Record<string, unknown>> {
    const description = this.#describe(actor)
    const { abi, wasm, name } = description
    const creation = abi.methods.find(({ kind }) => kind === 'constructor')!
    const params = encodeParams(abi, creation, args, this.#codec)
    const sender = await this.#sender(options.from)
    await enterLedger(this.#ledger)
    const done = await this.#power<ReceiptJson & { id: string; address: string }>('troupe_deploy', {
      abi,
      code: hexOf(wasm),
      params: hexOf(params),
      from: formatAddress(sender.address, 't'),
      value: (options.value ?? 0n).toString(),
    })
    const target = done.exitCode === 0 ? this.#know(description, BigInt(done.id), done.address) : undefined
    await this.#finish(
      `${name}.constructor`,
      sender,
      { receipt: done, fee: 0n, trace: null },
      { target, stack, decode: () => undefined },
    )
    return createHandle(this, target!)
  }

  #describe(actor: unknown): ActorDescription {
    const description = describeActor(actor)
    this.#descriptions.set(description.code, description)
    return description
  }

  #know(description: ActorDescription, id: bigint, address: string): Target {
    const target: Target = { description, id, address, last: undefined }
    this.#targets.set(id, target)
    return target
  }

  // --- who ------------------------------------------------------------------------------------------------------

  async #sender(who: Who | undefined): Promise<Sender> {
    const account =
      who === undefined ? this.#accounts[0]! : this.#accounts.find((known) => known === who || known.name === who)
    if (account !== undefined)
      return { id: account.id, address: addressOf(account), signs: this.#keys.get(account) ?? 'there' }
    const id = await this.#needId(who!)
    const own = this.#accounts.find((known) => known.id === id)
    if (own !== undefined) return this.#sender(own)
    return { id, address: idAddress(id), signs: 'nobody' }
  }

  #named(text: string): Address | undefined {
    const account = this.#accounts.find(({ name }) => name === text)
    return account === undefined ? undefined : addressOf(account)
  }

  #toAddress(who: Who): Address {
    return parseAddress(this.#text(who))
  }

  /** As the devnet takes it: an address, or a name that only the devnet knows. */
  #text(who: Who): string {
    if (typeof who === 'bigint') return formatAddress(idAddress(who), 't')
    if (typeof who === 'string') {
      const named = this.#named(who)
      return named === undefined ? who : formatAddress(named, 't')
    }
    return targetOf(who) === undefined ? who.address : formatAddress(idAddress(targetOf(who)!.id), 't')
  }

  async #look(who: Who): Promise<{ readonly id: bigint | undefined; readonly balance: bigint }> {
    const { id, balance } = await this.#client.request<{ id: string | null; balance: string }>('troupe_balance', [
      this.#text(who),
    ])
    return { id: id === null ? undefined : BigInt(id), balance: BigInt(balance) }
  }

  async #needId(who: Who): Promise<bigint> {
    const { id } = await this.#look(who)
    if (id === undefined) throw new ConnectionError('TRP-7606', `there is no actor at ${this.#text(who)}`)
    return id
  }

  // --- what matchers ask ----------------------------------------------------------------------------------------

  readonly #ids = new Map<Address, ActorId>()
  readonly #known = new Map<ActorId, ActorDescription | undefined>()

  readonly #ledger: Book = {
    balanceOf: (who) => this.balance(who),
    idOfWho: (who) => this.#idOfWho(who),
    idOf: (address) => addressId(address) ?? this.#ids.get(address),
    descriptionOf: (id) => this.#targets.get(id)?.description ?? this.#known.get(id),
    get codec() {
      return {}
    },
  }

  #idOfWho(who: Who): bigint | undefined {
    if (typeof who === 'bigint') return who
    const account = this.#accounts.find((known) => known === who || known.name === who || known.address === who)
    if (account !== undefined) return account.id
    const target = targetOf(who)
    if (target !== undefined) return target.id
    try {
      const address = this.#toAddress(who)
      return addressId(address) ?? this.#ids.get(address)
    } catch {
      return undefined
    }
  }

  /** Everybody whom a record names is looked up before: reading it is not awaited. */
  async #bookOf(emitters: readonly ActorId[], trace: Trace): Promise<Book> {
    const called = trace.flatMap((event) => (event.kind === 'call' ? [event.to] : []))
    const unknown = new Set(called.filter((address) => this.#ledger.idOf(address) === undefined))
    await Promise.all(
      [...unknown].map(async (address) => {
        const { id } = await this.#look(formatAddress(address, 't'))
        if (id !== undefined) this.#ids.set(address, id as ActorId)
      }),
    )
    const ids = new Set([...emitters, ...called.flatMap((address) => this.#ledger.idOf(address) ?? [])])
    await Promise.all(
      [...ids].map(async (id) => {
        if (this.#targets.has(id) || this.#known.has(id)) return
        const actor = await this.#client.request<ActorJson | null>('troupe_actor', [id.toString()])
        const imported = actor === null ? undefined : this.#descriptions.get(parseCid(actor.code))
        this.#known.set(id, imported ?? (actor?.abi ? describeAbi(actor.abi) : undefined))
      }),
    )
    return this.#ledger
  }

  // --- blocks ---------------------------------------------------------------------------------------------------

  /** All DAG-CBOR blocks below `root`, as far as they are not here yet. */
  async #fetchBlocks(root: Cid): Promise<void> {
    let wanted: Cid[] = [root]
    for (let count = 0; wanted.length > 0; count += Math.min(BATCH, wanted.length)) {
      if (count > STATE_BLOCKS_MAX)
        throw new ConnectionError(
          'TRP-7605',
          `the state has more than ${STATE_BLOCKS_MAX} blocks: read it through a view of the actor`,
        )
      const now = wanted.slice(0, BATCH)
      const blocks = await Promise.all(now.map((cid) => this.#fetchBlock(cid)))
      const links = blocks.flatMap(linksOf).filter((cid) => cidCodec(cid) === DAG_CBOR)
      wanted = [...new Set([...wanted.slice(BATCH), ...links])]
    }
  }

  async #fetchBlock(cid: Cid): Promise<Uint8Array> {
    const known = this.#store.get(cid)
    if (known !== undefined) return known
    const text = await this.#client.request<string>('Filecoin.ChainReadObj', [{ '/': formatCid(cid) }])
    const bytes = new Uint8Array(Buffer.from(text, 'base64'))
    if (matchesCid(cid, bytes) !== true)
      throw new ConnectionError('TRP-7604', `${this.url} gave other bytes for block ${formatCid(cid)}`)
    this.#store.put(cid, bytes)
    return bytes
  }
}

function draftOf({ sender, to, method, params, value }: Call): Record<string, string> {
  return {
    from: formatAddress(sender.address, 't'),
    to: formatAddress(to, 't'),
    method: method.toString(),
    params: hexOf(params),
    value: value.toString(),
  }
}

function hexOf(bytes: Uint8Array): string {
  return `0x${toHex(bytes)}`
}

function linksOf(block: Uint8Array): Cid[] {
  const links: Cid[] = []
  const walk = (value: CborValue): void => {
    if (isLink(value)) links.push(value.link)
    else if (Array.isArray(value)) for (const item of value) walk(item)
    else if (value instanceof Map) for (const item of value.values()) walk(item)
  }
  walk(decodeCbor(block))
  return links
}

/** The callers of `below`, as lines: by the time a call has failed they have returned. */
function stackBelow(below: Below): string {
  const site: { stack?: string } = {}
  Error.captureStackTrace(site, below)
  const stack = site.stack ?? ''
  return stack.slice(stack.indexOf('\n') + 1)
}
