/**
 * Applies a vector's messages and compares everything that the reference recorded: receipts, gas charge by charge,
 * events, gas outputs, the state root, and the blocks that were written.
 */

import { type ApplyResult, MessageRefused } from '../engine/executor.ts'
import type { Externs } from '../engine/externs.ts'
import { EngineExhausted } from '../engine/failure.ts'
import { FlushError } from '../engine/flush.ts'
import { Linker } from '../engine/linker.ts'
import { createMachine, type Machine, MachineError } from '../engine/machine.ts'
import { ModuleCache } from '../engine/module-cache.ts'
import { PROFILES } from '../engine/profile.ts'
import type { TraceEvent } from '../engine/trace.ts'
import type { MemoryBlockstore } from '../ipld/blockstore.ts'
import { type Cid, cidOf, DAG_CBOR, formatCid } from '../ipld/cid.ts'
import { concatBytes, toHex } from '../primitives/bytes.ts'
import { blake2b256 } from '../primitives/hash.ts'
import { encodeUtf8 } from '../primitives/utf8.ts'
import { addressBytes } from '../state/address.ts'
import { encodeStampedEvent } from '../state/event.ts'
import type { CompleteVector, Vector, VectorReceipt } from './vector.ts'

export interface Difference {
  /** Which field differs: a receipt field, `trace`, `root`, `written`, `machine`, `flush`. */
  readonly field: string
  readonly message: number | null
  readonly expected: string
  readonly actual: string
}

export interface VectorResult {
  readonly name: string
  readonly differences: readonly Difference[]
  /** Our traces, one a message, when asked for. */
  readonly traces: readonly (readonly string[])[]
}

export interface RunOptions {
  readonly modules?: ModuleCache
  readonly linker?: Linker
  /** Keep our traces in the result. */
  readonly keepTraces?: boolean
  /** As in `MachineOptions`. */
  readonly hasLargestStack?: boolean
}

/** What the reference's node answers: made of the question alone. */
export const VECTOR_EXTERNS: Externs = {
  chainRandomness: (epoch) => drawn('chain', epoch),
  beaconRandomness: (epoch) => drawn('beacon', epoch),
  tipsetCid: (epoch) => cidOf(DAG_CBOR, labelled('tipset', epoch)),
  verifyConsensusFault: () => null,
}

function labelled(label: string, epoch: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, epoch)
  return concatBytes(encodeUtf8(label), bytes)
}

function drawn(label: string, epoch: bigint): Uint8Array {
  return blake2b256(labelled(label, epoch))
}

/**
 * Runs the vector twice, as a node does and as a tracer does: the first must give the same receipts and roots, the second
 * the same charges as well.
 */
export function runVector(vector: CompleteVector, options: RunOptions = {}): VectorResult {
  const plain = runOnce(vector, options, 'plain')
  if (plain.differences.length > 0 && options.keepTraces !== true) return plain
  const traced = runOnce(vector, options, 'traced')
  return { ...traced, differences: [...plain.differences, ...traced.differences] }
}

function runOnce(vector: CompleteVector, options: RunOptions, mode: 'plain' | 'traced'): VectorResult {
  const store = vector.openState()
  const before = new Set(store.blocks.keys())
  const differences: Difference[] = []
  const traces: string[][] = []
  const differ = (field: string, message: number | null, expected: unknown, actual: unknown): void => {
    differences.push({
      field: mode === 'plain' ? field : `${field} (traced)`,
      message,
      expected: String(expected),
      actual: String(actual),
    })
  }
  const { expect } = vector
  const machine = openMachine(vector, store, options)
  if (machine instanceof Error) {
    if (expect.machineError === undefined) differ('machine', null, 'a machine', machine.message)
    return { name: vector.name, differences, traces }
  }
  if (expect.machineError !== undefined) {
    differ('machine', null, `refused: ${expect.machineError}`, 'a machine')
    return { name: vector.name, differences, traces }
  }
  for (const [index, { message, implicit, rawLength }] of vector.messages.entries()) {
    const expected = expect.receipts?.[index]
    if (expected === undefined) return { name: vector.name, differences, traces }
    const result = applyOne(() =>
      machine.applyMessage(message, implicit ? 'implicit' : 'explicit', {
        trace: mode === 'traced',
        ...(rawLength === null ? {} : { rawLength }),
      }),
    )
    if (mode === 'traced' && options.keepTraces === true) traces.push('trace' in result ? traceLines(result) : [])
    if (expected.hostError === 'panic') {
      if (!('trace' in result) || result.exitCode !== 10 || result.gasUsed !== message.gasLimit) {
        differ('hostError', index, 'fatal', 'trace' in result ? `exit ${result.exitCode}` : result.refusal)
      }
      return { name: vector.name, differences, traces }
    }
    compareReceipt(expected, result, mode, (field, want, got) => differ(field, index, want, got))
  }
  compareRoot(vector, machine, store, before, differ)
  return { name: vector.name, differences, traces }
}

export function traceLines(result: ApplyResult): string[] {
  return result.trace.map(line).filter((text) => text !== '')
}

function openMachine(vector: Vector, store: MemoryBlockstore, options: RunOptions): Machine | MachineError {
  const { networkVersion, epoch, timestamp, baseFee, circulatingSupply, chainId, actorDebugging } = vector.machine
  try {
    return createMachine({
      profile: PROFILES.ipc,
      blockstore: store,
      stateRoot: vector.root,
      externs: VECTOR_EXTERNS,
      networkVersion,
      epoch,
      timestamp,
      baseFee,
      circulatingSupply,
      chainId,
      debugging: actorDebugging,
      modules: options.modules ?? new ModuleCache(),
      linker: options.linker ?? new Linker(),
      hasLargestStack: options.hasLargestStack ?? false,
    })
  } catch (error) {
    if (error instanceof MachineError) return error
    throw error
  }
}

function applyOne(apply: () => ApplyResult): ApplyResult | { readonly refusal: string } {
  try {
    return apply()
  } catch (error) {
    if (error instanceof MessageRefused) return { refusal: error.message }
    if (error instanceof EngineExhausted) return { refusal: `engine exhausted: ${error.resource}` }
    throw error
  }
}

function compareReceipt(
  expected: VectorReceipt,
  result: ApplyResult | { readonly refusal: string },
  mode: 'plain' | 'traced',
  differ: (field: string, expected: unknown, actual: unknown) => void,
): void {
  if ('refusal' in result) {
    if (expected.hostError === undefined) differ('hostError', 'a receipt', result.refusal)
    return
  }
  if (expected.hostError !== undefined) {
    differ('hostError', expected.hostError, `exit ${result.exitCode}`)
    return
  }
  const before = { count: 0 }
  const check = (field: string, want: unknown, got: unknown): void => {
    if (want === got) return
    before.count++
    differ(field, want, got)
  }
  if (mode === 'traced') compareTrace(expected.trace, traceLines(result), check)
  check('exit', expected.exit, result.exitCode)
  if (before.count > 0 && expected.exit !== result.exitCode && result.note !== '')
    differ('note', expected.note ?? '', result.note)
  check('return', expected.return, toHex(result.returnData))
  check('returnCodec', expected.returnCodec, result.returnCodec)
  check('gasUsed', expected.gasUsed, String(result.gasUsed))
  check('eventsRoot', expected.eventsRoot, result.eventsRoot === null ? null : formatCid(result.eventsRoot))
  check('events', expected.events.join(' '), result.events.map((event) => toHex(encodeStampedEvent(event))).join(' '))
  for (const field of [
    'penalty',
    'minerTip',
    'baseFeeBurn',
    'overEstimationBurn',
    'refund',
    'gasRefund',
    'gasBurned',
  ] as const) {
    check(field, expected[field], String(result[field]))
  }
}

function compareTrace(
  expected: VectorReceipt['trace'],
  ours: readonly string[],
  check: (field: string, expected: unknown, actual: unknown) => void,
): void {
  for (let i = 0; i < Math.max(ours.length, expected.length); i++) {
    const want = expected[i] === undefined ? 'nothing' : JSON.stringify(expected[i])
    const got = ours[i] ?? 'nothing'
    if (want === got) continue
    check(`trace line ${i}`, want, got)
    return
  }
}

/** One event as the reference writes it; empty for what it does not record. */
function line(event: TraceEvent): string {
  switch (event.kind) {
    case 'gas':
      return JSON.stringify(['gas', event.name, String(event.milligas)])
    case 'call':
      return JSON.stringify([
        'call',
        Number(event.from),
        toHex(addressBytes(event.to)),
        String(event.method),
        String(event.value),
        String(event.gas),
        event.readOnly,
      ])
    case 'invoke':
      return JSON.stringify(['invoke', Number(event.id), formatCid(event.code)])
    case 'return':
      return JSON.stringify(['return', event.exitCode, event.codec, event.codec === null ? null : toHex(event.data)])
    case 'error':
      return JSON.stringify(['error', event.errno])
    case 'get':
    case 'put':
      return JSON.stringify([event.kind, formatCid(event.cid), event.size])
    case 'log':
      return JSON.stringify(['log', event.text])
    default:
      return ''
  }
}

function compareRoot(
  { expect }: CompleteVector,
  machine: Machine,
  store: MemoryBlockstore,
  before: ReadonlySet<Cid>,
  differ: (field: string, message: number | null, expected: unknown, actual: unknown) => void,
): void {
  let root: string | null = null
  try {
    root = formatCid(machine.flush())
  } catch (error) {
    if (!(error instanceof FlushError)) throw error
    if (expect.root !== null) differ('flush', null, expect.root, error.message)
    return
  }
  if (root !== expect.root) differ('root', null, expect.root, root)
  if (expect.written === undefined) return
  const written = [...store.blocks.keys()].filter((cid) => !before.has(cid)).sort()
  const wanted = expect.written.join(' ')
  const got = written.map((cid) => formatCid(cid)).join(' ')
  if (wanted !== got) differ('written', null, wanted, got)
}
