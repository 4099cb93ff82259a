/**
 * Applies an official message vector as the reference's runner does, stubs included: proofs of storage are good unless a
 * verdict says otherwise, draws come from the file.
 *
 * @source ref-fvm `testing/conformance/src` at `fvm@v3.14.1`; spec fvm §12.2–12.3
 */
import { type ApplyResult, MessageRefused } from '../engine/executor.ts'
import type { Externs, ProofVerifier } from '../engine/externs.ts'
import { EngineExhausted } from '../engine/failure.ts'
import { FlushError } from '../engine/flush.ts'
import { Linker } from '../engine/linker.ts'
import { createMachine, type Machine, MachineError } from '../engine/machine.ts'
import type { ModuleCache } from '../engine/module-cache.ts'
import { lineOf, PROFILES } from '../engine/profile.ts'
import { type Blockstore, BufferedBlockstore } from '../ipld/blockstore.ts'
import { formatCid } from '../ipld/cid.ts'
import { equalBytes, toHex } from '../primitives/bytes.ts'
import { encodeUtf8 } from '../primitives/utf8.ts'
import type { ActorId } from '../state/actor.ts'
import { addressProtocol } from '../state/address.ts'
import { decodeMessage, type Message } from '../state/message.ts'
import { StateTree } from '../state/state-tree.ts'
import type { MessageReceipt, MessageVector } from './message-vector.ts'
import { type Difference, traceLines, type VectorResult } from './run.ts'

const EPOCH_SECONDS = 30n
/** A secp256k1 signature in a signed message: it pays for inclusion, though the vector does not hold it. */
const SIGNATURE_BYTES = 69
const NO_DRAW = encodeUtf8('i_am_random_____i_am_random_____')
/** The proof that these dispute is bad: the one fact that the file itself does not tell. */
const DISPUTED = /DisputeWindowedPoSt-Ok/

export interface MessageRunOptions {
  /** The actors' code. */
  readonly bundle: Blockstore
  readonly modules: ModuleCache
  /** One a network version's line. */
  readonly linkers: Linkers
  /** What verify_post answers, by vector name; true when absent, but for successful disputes. */
  readonly verdicts?: ReadonlyMap<string, boolean>
  readonly keepTraces?: boolean
  readonly hasLargestStack?: boolean
}

/** Imports of each line, made once. */
export class Linkers {
  readonly #linkers = new Map<string, Linker>()

  of(networkVersion: number): Linker {
    const { name, syscalls } = lineOf(networkVersion)
    let linker = this.#linkers.get(name)
    if (linker === undefined) {
      linker = new Linker(syscalls)
      this.#linkers.set(name, linker)
    }
    return linker
  }
}

export function runMessageVector(vector: MessageVector, options: MessageRunOptions): VectorResult {
  const differences: Difference[] = []
  const traces: string[][] = []
  const differ = (field: string, message: number | null, expected: unknown, actual: unknown): void => {
    differences.push({ field, message, expected: String(expected), actual: String(actual) })
  }
  const store = new BufferedBlockstore(options.bundle)
  for (const [cid, bytes] of vector.blocks()) store.put(cid, bytes)
  let machine: Machine
  try {
    machine = openMessageMachine(vector, store, options)
  } catch (error) {
    if (!(error instanceof MachineError)) throw error
    differ('machine', null, 'a machine', error.message)
    return { name: vector.name, differences, traces }
  }
  const touched = new Set<ActorId>(Array.from({ length: 100 }, (_, id) => BigInt(id) as ActorId))
  for (const [index, bytes] of vector.messages.entries()) {
    const message = decodeMessage(bytes)
    for (const address of [message.from, message.to]) {
      const id = machine.context.state.resolve(address)
      if (id !== undefined) touched.add(id)
    }
    const result = apply(machine, message, bytes.length, options.keepTraces === true)
    if (typeof result === 'string') {
      differ('receipt', index, 'a receipt', result)
      continue
    }
    if (options.keepTraces === true) traces.push(traceLines(result))
    compare(vector.receipts[index], result, (field, want, got) => differ(field, index, want, got))
  }
  compareRoots(vector, machine, store, touched, differ)
  return { name: vector.name, differences, traces }
}

/** A machine over the vector's state, with the runner's stubs. @throws MachineError */
export function openMessageMachine(vector: MessageVector, store: Blockstore, options: MessageRunOptions): Machine {
  const isGoodPost = options.verdicts?.get(vector.name) ?? !DISPUTED.test(vector.name)
  return createMachine({
    profile: PROFILES.nv18,
    networkVersion: vector.networkVersion,
    blockstore: store,
    stateRoot: vector.root,
    epoch: vector.epoch,
    timestamp: vector.epoch * EPOCH_SECONDS,
    baseFee: vector.baseFee,
    circulatingSupply: vector.circulatingSupply,
    chainId: 0n,
    externs: externsOf(vector),
    proofs: stubVerifier(isGoodPost),
    modules: options.modules,
    linker: options.linkers.of(vector.networkVersion),
    hasLargestStack: options.hasLargestStack ?? false,
  })
}

function externsOf({ draws }: MessageVector): Externs {
  const draw = (source: 'chain' | 'beacon', epoch: bigint): Uint8Array =>
    draws.find((candidate) => candidate.source === source && candidate.epoch === epoch)?.digest ?? NO_DRAW
  return {
    chainRandomness: (epoch) => draw('chain', epoch),
    beaconRandomness: (epoch) => draw('beacon', epoch),
    tipsetCid: () => undefined,
    verifyConsensusFault: () => null,
  }
}

function stubVerifier(isGoodPost: boolean): ProofVerifier {
  return {
    verifyPost: () => isGoodPost,
    verifyAggregateSeals: () => true,
    verifyReplicaUpdate: () => true,
    verifySeals: (_, count) => new Array<boolean>(count).fill(true),
  }
}

function apply(machine: Machine, message: Message, size: number, trace: boolean): ApplyResult | string {
  const rawLength = size + (addressProtocol(message.from) === 1 ? SIGNATURE_BYTES : 0)
  try {
    return machine.applyMessage(message, 'explicit', { rawLength, trace })
  } catch (error) {
    if (error instanceof MessageRefused || error instanceof EngineExhausted) return error.message
    throw error
  }
}

function compare(
  expected: MessageReceipt | undefined,
  result: ApplyResult,
  differ: (field: string, expected: unknown, actual: unknown) => void,
): void {
  if (expected === undefined) {
    differ('receipt', 'none', `exit ${result.exitCode}`)
    return
  }
  if (expected.exitCode !== result.exitCode) {
    differ('exit', expected.exitCode, `${result.exitCode}${result.note === '' ? '' : ` (${result.note})`}`)
  }
  if (!equalBytes(expected.returnData, result.returnData)) {
    differ('return', toHex(expected.returnData), toHex(result.returnData))
  }
  if (expected.gasUsed !== result.gasUsed) differ('gasUsed', expected.gasUsed, result.gasUsed)
}

function compareRoots(
  vector: MessageVector,
  machine: Machine,
  store: Blockstore,
  touched: ReadonlySet<ActorId>,
  differ: (field: string, message: null, expected: unknown, actual: unknown) => void,
): void {
  let root: string
  try {
    root = formatCid(machine.flush())
  } catch (error) {
    if (!(error instanceof FlushError)) throw error
    differ('flush', null, formatCid(vector.rootAfter), error.message)
    return
  }
  if (root === formatCid(vector.rootAfter)) return
  differ('root', null, formatCid(vector.rootAfter), root)
  const wanted = StateTree.load(store, vector.rootAfter)
  for (const id of touched) {
    const want = describeActor(() => wanted.getActor(id))
    const got = describeActor(() => machine.context.state.getActor(id))
    if (want !== got) differ(`actor ${id}`, null, want, got)
  }
}

/** The states are pruned: what a message does not touch may be absent. */
function describeActor(read: () => ReturnType<StateTree['getActor']>): string {
  try {
    const actor = read()
    if (actor === undefined) return 'none'
    return `state ${formatCid(actor.state)}, sequence ${actor.sequence}, balance ${actor.balance}`
  } catch {
    return 'not in the archive'
  }
}
