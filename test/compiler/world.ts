/** A world for compiler tests: artifacts on the real engine, in memory, over a state with a few accounts. */
import { readFileSync } from 'node:fs'
import wabtInit from 'wabt'
import { methodNumber } from '../../compiler/abi/method-number.ts'
import type { Artifact } from '../../compiler/artifact.ts'
import { type CompileOptions, compileActor } from '../../compiler/compile.ts'
import { formatDiagnostic } from '../../compiler/diagnostic.ts'
import { applyUpgradeCall } from '../../devnet/engine/executor.ts'
import { createMachine, type Machine } from '../../devnet/engine/machine.ts'
import { PROFILES } from '../../devnet/engine/profile.ts'
import type { Trace } from '../../devnet/engine/trace.ts'
import { MemoryBlockstore } from '../../devnet/ipld/blockstore.ts'
import { type Cid, cidOf, EMPTY_ARRAY_CID, RAW } from '../../devnet/ipld/cid.ts'
import { type CborInput, type CborValue, decodeCbor, encodeCbor } from '../../devnet/ipld/dag-cbor.ts'
import { fromBinary } from '../../devnet/primitives/bytes.ts'
import type { ActorId } from '../../devnet/state/actor.ts'
import { idAddress, secpAddress } from '../../devnet/state/address.ts'
import { createGenesis } from '../../devnet/state/genesis.ts'
import type { TokenAmount } from '../../devnet/state/token.ts'

export const ALICE = 100n as ActorId
export const BOB = 101n as ActorId
const INIT = 1n as ActorId
const FIRST_CONTRACT = 1000n
const FUNDS = (10n ** 24n) as TokenAmount
const GAS_LIMIT = 10_000_000_000n

const files = new Map<string, string>()

/** Reads a file below `test/fixtures/actors`. */
export function fixture(path: string): string {
  return readFileSync(new URL(`../fixtures/${path}`, import.meta.url), 'utf8')
}

/** Compiles one of the fixtures, or `sources` by path, and fails with the diagnostics when it cannot. */
export async function compile(
  entry: string,
  sources: Readonly<Record<string, string>> = {},
  options: Partial<CompileOptions> = {},
): Promise<Artifact> {
  const result = await compileActor({
    entry,
    readFile: (path) => sources[path] ?? readFixture(path),
    mode: 'release',
    ...options,
  })
  if (result.ok) return result.artifact
  throw new Error(result.diagnostics.map((d) => formatDiagnostic(d, sources[d.file] ?? readFixture(d.file))).join('\n'))
}

function readFixture(path: string): string | undefined {
  const known = files.get(path)
  if (known !== undefined) return known
  try {
    const text = fixture(path)
    files.set(path, text)
    return text
  } catch {
    return undefined
  }
}

export interface Outcome {
  readonly exit: number
  /** The decoded return value; undefined when there is no block. */
  readonly value: CborValue | undefined
  readonly codec: number | null
  readonly note: string
  readonly gas: bigint
  /** Of the gas, what the invocation itself used: neither inclusion nor return, actor update and link scans. */
  readonly gasInside: number
  /** Of the gas, what the actor's own instructions used. */
  readonly codeGas: number
  readonly syscalls: number
  readonly events: readonly {
    readonly emitter: bigint
    readonly entries: readonly { key: string; value: Uint8Array; flags: bigint }[]
  }[]
  readonly logs: readonly string[]
}

export interface CallOptions {
  readonly from?: ActorId
  readonly value?: bigint
}

let account: Promise<readonly [Uint8Array, Uint8Array]> | undefined

/** A module that accepts every call and answers nothing, as accounts do; and another with other bytes. */
async function accountModules(): Promise<readonly [Uint8Array, Uint8Array]> {
  const wabt = await wabtInit()
  const make = (data: string) => {
    const module = wabt.parseWat(
      'account.wat',
      `(module (memory (export "memory") 1) (data (i32.const 0) "${data}")
         (func (export "invoke") (param i32) (result i32) (i32.const 0)))`,
    )
    const { buffer } = module.toBinary({})
    module.destroy()
    return buffer
  }
  return [make('account'), make('other')]
}

export class World {
  readonly machine: Machine
  readonly store: MemoryBlockstore
  private next = FIRST_CONTRACT
  private readonly sequences = new Map<ActorId, bigint>()

  private constructor(machine: Machine, store: MemoryBlockstore) {
    this.machine = machine
    this.store = store
  }

  static async create(): Promise<World> {
    account ??= accountModules()
    const [accountCode, otherCode] = await account
    const store = new MemoryBlockstore()
    const put = (bytes: Uint8Array): Cid => {
      const cid = cidOf(RAW, bytes)
      store.put(cid, bytes)
      return cid
    }
    const code = put(accountCode)
    const other = put(otherCode)
    const names = ['system', 'init', 'cron', 'account', 'placeholder', 'eam', 'ethaccount']
    const stateRoot = createGenesis(store, {
      networkName: 'test',
      manifest: names.map((name) => ({ name, code: name === 'account' ? code : other })),
      accounts: [1, 2].map((seed) => ({ address: secpAddress(new Uint8Array(65).fill(seed)), balance: FUNDS })),
    })
    const machine = createMachine({
      profile: PROFILES.ipc,
      blockstore: store,
      stateRoot,
      epoch: 10n,
      timestamp: 1_700_000_000n,
      baseFee: 100n,
      circulatingSupply: 10n ** 27n,
      chainId: 31337n,
      debugging: true,
      externs: {
        chainRandomness: () => undefined,
        beaconRandomness: () => undefined,
        tipsetCid: () => undefined,
        verifyConsensusFault: () => undefined,
      },
    })
    return new World(machine, store)
  }

  /** Installs an actor without constructing it. */
  install(wasm: Uint8Array): ActorId {
    const { state, store } = this.machine.context
    const code = cidOf(RAW, wasm)
    store.put(code, wasm)
    const id = this.next++ as ActorId
    state.setActor(id, { code, state: EMPTY_ARRAY_CID, sequence: 0n, balance: 0n as TokenAmount, delegated: null })
    return id
  }

  /** Puts other code behind an actor and runs its `upgrade` export, as the network would. */
  upgrade(id: ActorId, wasm: Uint8Array): number {
    const { context } = this.machine
    const actor = context.state.getActor(id)
    if (!actor) throw new Error('no such actor')
    const code = cidOf(RAW, wasm)
    context.store.put(code, wasm)
    context.state.setActor(id, { ...actor, code })
    const system = 0n as ActorId
    const call = {
      from: system,
      to: idAddress(id),
      origin: system,
      originAddress: idAddress(system),
      sequence: 0n,
      method: 0n,
      params: new Uint8Array(),
      value: 0n as TokenAmount,
      gasLimit: GAS_LIMIT,
    }
    return applyUpgradeCall(context, id, call, encodeCbor([{ link: actor.code }])).exitCode
  }

  /** Installs and constructs. */
  deploy(artifact: Artifact, ...args: CborInput[]): ActorId {
    const id = this.install(artifact.wasm)
    const outcome = this.send(id, 1n, args.length ? encodeCbor(args) : new Uint8Array(), { from: INIT })
    if (outcome.exit !== 0) throw new Error(`constructor exited ${outcome.exit}: ${outcome.note}`)
    return id
  }

  call(to: ActorId, method: string, args: readonly CborInput[] = [], options: CallOptions = {}): Outcome {
    const params = args.length ? encodeCbor([...args]) : new Uint8Array()
    return this.send(to, BigInt(methodNumber(method)), params, options)
  }

  send(to: ActorId, method: bigint, params: Uint8Array, { from = ALICE, value = 0n }: CallOptions = {}): Outcome {
    const sequence = this.sequences.get(from) ?? 0n
    const result = this.machine.applyMessage(
      {
        version: 0n,
        to: idAddress(to),
        from: idAddress(from),
        sequence,
        value: value as TokenAmount,
        gasLimit: GAS_LIMIT,
        gasFeeCap: 0n as TokenAmount,
        gasPremium: 0n as TokenAmount,
        method,
        params,
      },
      'implicit',
      { trace: true },
    )
    return {
      exit: result.exitCode,
      value: result.returnCodec === null ? undefined : decodeCbor(result.returnData),
      codec: result.returnCodec,
      note: result.failures.at(-1)?.message ?? result.note,
      gas: result.gasUsed,
      gasInside: gasOf(result.trace, (name) => !OUTSIDE.has(name)),
      codeGas: gasOf(result.trace, (name) => name === 'wasm_exec'),
      syscalls: result.trace.filter((event) => event.kind === 'gas' && event.name === 'OnSyscall').length,
      events: result.events,
      logs: result.trace.flatMap((event) => (event.kind === 'log' ? [event.text] : [])),
    }
  }

  /** The state block of an actor, decoded. */
  state(id: ActorId): CborValue {
    const actor = this.machine.context.state.getActor(id)
    const bytes = actor && this.machine.context.store.get(actor.state)
    if (!bytes) throw new Error('no state')
    return decodeCbor(bytes)
  }
}

/** Charges that a receipt adds to what an invocation uses. */
const OUTSIDE: ReadonlySet<string> = new Set([
  'none',
  'OnMethodInvocation',
  'OnChainReturnValue',
  'OnActorUpdate',
  'OnScanIpldLinks',
])

/** Gas of the charges with these names. */
function gasOf(trace: Trace, counts: (name: string) => boolean): number {
  let milligas = 0
  for (const event of trace) if (event.kind === 'gas' && counts(event.name)) milligas += Number(event.milligas)
  return milligas / 1000
}

/** An address on the wire. */
export function wireAddress(id: bigint): Uint8Array {
  return fromBinary(idAddress(id))
}

/** A token amount on the wire. */
export function wireAmount(value: bigint): Uint8Array {
  if (value === 0n) return new Uint8Array()
  const hex = value.toString(16)
  return Uint8Array.from(Buffer.from(`00${hex.length % 2 ? '0' : ''}${hex}`, 'hex'))
}

/** The number behind an amount on the wire. */
export function amountOf(value: CborValue | undefined): bigint {
  if (!(value instanceof Uint8Array)) throw new Error('not an amount')
  return value.length ? BigInt(`0x${Buffer.from(value).toString('hex')}`) : 0n
}
