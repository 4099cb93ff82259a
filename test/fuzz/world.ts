/** A chain small enough to be made thousands of times a second: its built-in actors answer nothing, whatever they are asked. */
import { resourceLimits } from 'node:worker_threads'
import { VECTOR_EXTERNS } from '../../devnet/conformance/run.ts'
import { type ApplyResult, MessageRefused } from '../../devnet/engine/executor.ts'
import { EngineExhausted } from '../../devnet/engine/failure.ts'
import { FlushError } from '../../devnet/engine/flush.ts'
import { Linker } from '../../devnet/engine/linker.ts'
import { createMachine, type Machine } from '../../devnet/engine/machine.ts'
import { ModuleCache } from '../../devnet/engine/module-cache.ts'
import { lineOf, PROFILES } from '../../devnet/engine/profile.ts'
import { MemoryBlockstore } from '../../devnet/ipld/blockstore.ts'
import { type Cid, cidOf, EMPTY_ARRAY_CID, formatCid, RAW } from '../../devnet/ipld/cid.ts'
import { toHex } from '../../devnet/primitives/bytes.ts'
import type { ActorId } from '../../devnet/state/actor.ts'
import { idAddress, secpAddress } from '../../devnet/state/address.ts'
import { encodeStampedEvent } from '../../devnet/state/event.ts'
import { createGenesis } from '../../devnet/state/genesis.ts'
import type { Message } from '../../devnet/state/message.ts'
import type { TokenAmount } from '../../devnet/state/token.ts'
import { encodeWasm, type WasmModule } from './wasm.ts'

/** Where the actors under test live, one after the other; and who sends. */
export const FIRST_ACTOR = 1000n
export const SENDER = 100n
const BALANCE = 10n ** 24n

/** Those that a machine asks for, and who gets the tips. */
const NAMES = ['system', 'init', 'account', 'placeholder', 'eam', 'ethaccount', 'reward']

/** `invoke` is `code`, without locals; the number makes modules different. */
export function plainModule(code: WasmModule['functions'][number]['code'], number = 0): WasmModule {
  return {
    types: [{ params: ['i32'], results: ['i32'] }],
    imports: [],
    functions: [{ type: 0, locals: [], code }],
    memory: [1, 1],
    table: [0, 0],
    globals: [],
    exports: [
      { name: 'invoke', kind: 0, index: 0 },
      { name: 'memory', kind: 2, index: 0 },
    ],
    elements: [],
    data: [{ at: number, bytes: Uint8Array.of(1) }],
  }
}

const genesis = makeGenesis()

function makeGenesis(): { readonly store: MemoryBlockstore; readonly root: Cid; readonly codes: readonly Cid[] } {
  const store = new MemoryBlockstore()
  const manifest = NAMES.map((name, i) => {
    const bytes = encodeWasm(plainModule([{ op: 0x41, a: 0 }, { op: 0x0b }], i))
    const code = cidOf(RAW, bytes)
    store.put(code, bytes)
    return { name, code }
  })
  const root = createGenesis(store, {
    networkName: 'fuzz',
    manifest,
    accounts: [{ id: SENDER, address: secpAddress(new Uint8Array(65).fill(4)), balance: BALANCE as TokenAmount }],
  })
  return { store, root, codes: manifest.map(({ code }) => code) }
}

/** Code of the built-in actors. */
export const BUILTIN_CODES = genesis.codes

/** A run of the machine: modules at `FIRST_ACTOR` and after, then messages to them. */
export interface Script {
  readonly networkVersion: number
  readonly debugging: boolean
  readonly codes: readonly Uint8Array[]
  readonly messages: readonly ScriptMessage[]
}

export interface ScriptMessage {
  readonly to: bigint
  readonly method: bigint
  readonly params: Uint8Array
  readonly value: bigint
  readonly gasLimit: bigint
}

/** What a process keeps from one run to the next. */
export interface Warmth {
  readonly modules: ModuleCache
  readonly linker: Linker
}

export function coldStart(networkVersion: number): Warmth {
  return { modules: new ModuleCache(), linker: new Linker(lineOf(networkVersion).syscalls) }
}

/** A machine with the script's actors in it. */
export function openWorld(script: Omit<Script, 'messages'>, { modules, linker }: Warmth): Machine {
  const { networkVersion, debugging, codes } = script
  const store = new MemoryBlockstore()
  for (const [cid, bytes] of genesis.store.blocks) store.put(cid, bytes)
  const machine = createMachine({
    profile: PROFILES.ipc,
    networkVersion,
    blockstore: store,
    stateRoot: genesis.root,
    epoch: 1000n,
    timestamp: 1_700_000_000n,
    baseFee: 100n,
    circulatingSupply: 10n ** 27n,
    chainId: 31337n,
    externs: VECTOR_EXTERNS,
    debugging,
    modules,
    linker,
    hasLargestStack: (resourceLimits.stackSizeMb ?? 0) >= 256,
  })
  for (const [i, bytes] of codes.entries()) {
    const code = cidOf(RAW, bytes)
    store.put(code, bytes)
    machine.context.state.setActor((FIRST_ACTOR + BigInt(i)) as ActorId, {
      code,
      state: EMPTY_ARRAY_CID,
      sequence: 0n,
      balance: (10n ** 18n) as TokenAmount,
      delegated: null,
    })
  }
  return machine
}

/** The sender's message number `sequence`. */
export function messageOf({ to, ...rest }: ScriptMessage, sequence: number): Message {
  const fees = { version: 0n, from: idAddress(SENDER), gasFeeCap: 150n, gasPremium: 10n }
  return { ...rest, ...fees, to: idAddress(to), sequence: BigInt(sequence) } as Message
}

/** The receipts and the root, as text; `exhausted` when this thread has no room for it. */
export function play(script: Script, warmth: Warmth, trace: boolean): string {
  const machine = openWorld(script, warmth)
  const lines: string[] = []
  for (const [i, message] of script.messages.entries()) {
    try {
      lines.push(describeReceipt(machine.applyMessage(messageOf(message, i), 'explicit', { trace })))
    } catch (error) {
      if (error instanceof EngineExhausted) return 'exhausted'
      if (!(error instanceof MessageRefused)) throw error
      lines.push(`refused: ${error.message}`)
    }
  }
  try {
    lines.push(formatCid(machine.flush()))
  } catch (error) {
    if (!(error instanceof FlushError)) throw error
    lines.push(`no root: ${error.message}`)
  }
  return lines.join('\n')
}

/** Everything of a receipt that others could tell apart. */
export function describeReceipt(result: ApplyResult): string {
  const { exitCode, returnData, returnCodec, gasUsed, events, eventsRoot } = result
  const outputs = [result.penalty, result.minerTip, result.baseFeeBurn, result.overEstimationBurn, result.refund]
  return [
    exitCode,
    toHex(returnData),
    returnCodec,
    gasUsed,
    eventsRoot === null ? null : formatCid(eventsRoot),
    events.map((event) => toHex(encodeStampedEvent(event))).join('.'),
    ...outputs,
  ].join(' ')
}
