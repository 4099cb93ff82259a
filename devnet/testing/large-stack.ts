/**
 * Runs a message on a thread with 256 MB of stack, while this one waits: for messages that the rules allow and this
 * thread's stack does not. The thread is started by the first and stays.
 *
 * Two cells are shared: the thread rings the first when it has said something, this side the second. What is said goes
 * through a port, which both read without an event loop.
 *
 * @source design §10 row 10
 */
import { createRequire } from 'node:module'
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { ApplyResult } from '../engine/executor.ts'
import type { Probe, ProbedCall } from '../engine/machine-context.ts'
import type { Cid } from '../ipld/cid.ts'
import { harnessFile, isSource } from './harness-file.ts'
import type { Surroundings, WorldMessage } from './world-message.ts'

export const STACK_MB = 256
/** A message ends by its gas; a thread that says nothing for so long is gone. */
const PATIENCE_MS = 120_000
/** To load the engine. */
const START_PATIENCE_MS = 20_000

/** A message and all that it runs in. */
export interface LargeRun {
  readonly surroundings: Surroundings
  readonly root: Cid
  /** What the world wrote over its genesis. */
  readonly blocks: ReadonlyMap<Cid, Uint8Array>
  readonly work: WorldMessage
  /** Whether calls are shown to the world before they enter an actor. */
  readonly isProbed: boolean
}

export interface LargeResult {
  readonly result: ApplyResult
  /** Of the state with the message's effects, and the blocks written for it. */
  readonly root: Cid
  readonly blocks: ReadonlyMap<Cid, Uint8Array>
}

type Answer = ReturnType<NonNullable<Probe['intercept']>>

/** From the thread. */
export type Said =
  | { readonly kind: 'ready' }
  | { readonly kind: 'call'; readonly call: ProbedCall }
  | { readonly kind: 'done'; readonly done: LargeResult }
  | { readonly kind: 'failed'; readonly message: string }

/** To the thread. */
export type Told =
  | { readonly kind: 'run'; readonly run: LargeRun }
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'stop' }

/** What the thread is given. */
export interface LargeStackData {
  readonly port: MessagePort
  /** Cells 0 and 1. */
  readonly bells: Int32Array
}

interface Thread extends LargeStackData {
  readonly worker: Worker
}

/** The message cannot be run there either. */
export class LargeStackError extends Error {
  override readonly name = 'LargeStackError'
}

/** Of the process, not of the module: the harness may be loaded twice, as source and as package. */
const THREAD = Symbol.for('troupe.test.large-stack')
const shared = globalThis as { [THREAD]?: Thread | undefined }

/** @throws LargeStackError, and what `intercept` throws */
export function runOnLargeStack(run: LargeRun, intercept: (call: ProbedCall) => Answer): LargeResult {
  const thread = shared[THREAD] ?? startThread()
  let thrown: { readonly error: unknown } | undefined
  thread.port.postMessage({ kind: 'run', run } satisfies Told)
  for (;;) {
    const said = listen(thread)
    if (said.kind === 'done') return said.done
    if (said.kind !== 'call') {
      if (thrown !== undefined) throw thrown.error
      throw new LargeStackError(said.kind === 'failed' ? said.message : 'the thread speaks out of turn')
    }
    let told: Told
    try {
      told = { kind: 'answer', answer: intercept(said.call) }
    } catch (error) {
      thrown = { error }
      told = { kind: 'stop' }
    }
    thread.port.postMessage(told)
    ring(thread.bells, 1)
  }
}

function listen({ port, bells, worker }: Thread, patienceMs = PATIENCE_MS): Said {
  if (!hear(bells, 0, patienceMs)) {
    shared[THREAD] = undefined
    void worker.terminate()
    throw new LargeStackError(`the thread with ${STACK_MB} MB of stack does not answer`)
  }
  return (receiveMessageOnPort(port) as { message: Said }).message
}

export function ring(bells: Int32Array, cell: number): void {
  Atomics.add(bells, cell, 1)
  Atomics.notify(bells, cell)
}

/** Waits for one ring; false when there was none. */
export function hear(bells: Int32Array, cell: number, patienceMs = Number.POSITIVE_INFINITY): boolean {
  if (Atomics.wait(bells, cell, 0, patienceMs) === 'timed-out') return false
  Atomics.sub(bells, cell, 1)
  return true
}

function startThread(): Thread {
  const { port1, port2 } = new MessageChannel()
  const bells = new Int32Array(new SharedArrayBuffer(8))
  const workerData: LargeStackData = { port: port2, bells }
  const worker = new Worker(isSource ? bundleThread() : harnessFile('large-stack-thread'), {
    workerData,
    transferList: [port2],
    eval: isSource,
    resourceLimits: { stackSizeMb: STACK_MB, maxOldGenerationSizeMb: 8192 },
    // It is no test runner: what the runner set for its own threads is none of its business.
    execArgv: [],
  })
  worker.unref()
  port1.unref()
  const thread = { worker, port: port1, bells }
  // What goes wrong over there is said when the wait is over; nobody else is to hear of it.
  worker.on('error', () => {})
  listen(thread, START_PATIENCE_MS)
  shared[THREAD] = thread
  return thread
}

/** Node runs no TypeScript: from source, the thread's code is bundled first. */
function bundleThread(): string {
  const { buildSync } = createRequire(import.meta.url)('esbuild') as typeof import('esbuild')
  const file = harnessFile('large-stack-thread')
  const { outputFiles } = buildSync({
    entryPoints: [file],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'iife',
    external: ['lmdb', 'secp256k1', '@chainsafe/blst'],
    define: { 'import.meta.url': JSON.stringify(import.meta.url) },
    logLevel: 'error',
  })
  return outputFiles[0]!.text
}
