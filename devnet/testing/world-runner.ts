/**
 * Runs a world's messages: on its state, once more on a larger stack where the thread's is too small, and again on the
 * debug twins when somebody wants to know why one failed.
 */
import type { ApplyResult } from '../engine/executor.ts'
import { EngineExhausted } from '../engine/failure.ts'
import type { MachineContext, Probe, ProbedCall } from '../engine/machine-context.ts'
import { BufferedBlockstore } from '../ipld/blockstore.ts'
import type { Cid } from '../ipld/cid.ts'
import { type Actor, type ActorId, SYSTEM_ACTOR } from '../state/actor.ts'
import { StateTree } from '../state/state-tree.ts'
import type { ActorDescription } from './actor.ts'
import { ActorError, exitName } from './actor-error.ts'
import { collectCoverage, isCovering } from './coverage.ts'
import { noteGas } from './gas-usage.ts'
import type { Below, Target } from './handle.ts'
import { type LargeResult, LargeStackError, runOnLargeStack } from './large-stack.ts'
import type { Answer, Mocks } from './mock.ts'
import { type Book, Observed } from './observed.ts'
import { enterLedger, type MessageRecord, report } from './record.ts'
import { explainFailure, type Replay } from './twin.ts'
import { exportMessage, isExporting } from './vector-export.ts'
import { applyWorldMessage, composeMessage, type Surroundings, type WorldMessage } from './world-message.ts'

/** The host has no room for what the rules allow, not even on its largest stack. */
export class WorldExhaustedError extends Error {
  override readonly name = 'WorldExhaustedError'
  readonly code = 'TRP-7603'
}

/** A message that is to be run: on the state, or again on the debug twins. */
export interface Request {
  readonly label: string
  readonly description: ActorDescription | undefined
  readonly target: Target | undefined
  /** Actors that fees change, to be put back before a replay. */
  readonly payers: readonly ActorId[]
  /** A failed message leaves its fees; a failed deployment nothing, a view neither. */
  readonly keeps: 'always' | 'success' | 'never'
  readonly work: WorldMessage
  readonly decode: (result: ApplyResult) => unknown
}

/** The machine's, whose time and state a world moves. */
export type WorldContext = { -readonly [K in keyof MachineContext]: MachineContext[K] }

/** What a world is made of; all of it stays the world's. */
export interface WorldParts {
  readonly context: WorldContext
  readonly store: BufferedBlockstore
  readonly mocks: Mocks
  /** By code. */
  readonly descriptions: ReadonlyMap<Cid, ActorDescription>
  readonly book: Book
  readonly surroundings: Omit<Surroundings, 'epoch' | 'timestamp' | 'baseFee'>
}

export class WorldRunner {
  readonly #parts: WorldParts
  /** Saves what the newest failure needs for its replay, before the state moves on. */
  #saveFailure: (() => void) | null = null

  constructor(parts: WorldParts) {
    this.#parts = parts
  }

  /** @throws ActorError, with the caller of `below` on top, and WorldExhaustedError */
  perform(request: Request, below: Below): { readonly record: MessageRecord; readonly isKept: boolean } {
    this.poke()
    const { context, mocks } = this.#parts
    const { state } = context
    const before = request.payers.map((id) => [id, state.getActor(id)] as const)
    setProbe(context, mocks.probe())
    if (isExporting() && request.work.kind === 'message' && context.probe === undefined) {
      const { message, kind } = composeMessage(context, request.work)
      exportMessage(context, request.label, message, kind)
    }
    const covered = isCovering() ? this.#replay(request) : undefined
    const { result, isKept } = this.#run(request)
    if (covered !== undefined) collectCoverage(covered)

    const record = this.#record(request, result)
    if (request.target !== undefined) request.target.last = record
    noteGas(request.label, result.gasUsed)
    report(record)
    if (result.exitCode !== 0) throw this.#failure(request, result, before, below)
    return { record, isKept }
  }

  /** Runs the message and keeps of its effects what is to stay. */
  #run({ work, keeps }: Request): { readonly result: ApplyResult; readonly isKept: boolean } {
    const { context, store } = this.#parts
    const { state } = context
    const stays = ({ exitCode }: ApplyResult): boolean => keeps === 'always' || (keeps === 'success' && exitCode === 0)
    const depth = state.begin()
    try {
      const result = applyWorldMessage(context, work, { trace: true })
      if (stays(result)) state.commit(depth)
      else state.revert(depth)
      return { result, isKept: stays(result) }
    } catch (error) {
      state.revert(depth)
      if (!(error instanceof EngineExhausted) || error.resource !== 'stack') throw error
    }
    const { result, root, blocks } = this.#runAgain(work)
    if (stays(result)) {
      for (const [cid, bytes] of blocks) store.put(cid, bytes)
      context.state = StateTree.load(store, root)
    }
    return { result, isKept: stays(result) }
  }

  /** On a larger stack, from the same state. What mocks have answered they do not answer twice. */
  #runAgain(work: WorldMessage): LargeResult {
    const { context, store, mocks, surroundings } = this.#parts
    const { probe, state, epoch, timestamp, baseFee } = context
    const heard: Answer[] = [...mocks.answers]
    const intercept = (call: ProbedCall): Answer | undefined =>
      heard.length > 0 && mocks.isMocked(call) ? heard.shift() : probe?.intercept?.(call)
    const root = state.flush()
    try {
      return runOnLargeStack(
        {
          work,
          root,
          blocks: store.buffered,
          isProbed: probe !== undefined,
          surroundings: { ...surroundings, epoch, timestamp, baseFee },
        },
        intercept,
      )
    } catch (error) {
      throw error instanceof LargeStackError ? new WorldExhaustedError(error.message, { cause: error }) : error
    }
  }

  #record({ label, payers, decode }: Request, result: ApplyResult): MessageRecord {
    const fee = result.baseFeeBurn + result.overEstimationBurn + result.minerTip
    return new Observed(
      this.#parts.book,
      label,
      result,
      payers[0] ?? SYSTEM_ACTOR,
      fee,
      result.exitCode === 0 ? decode(result) : undefined,
    )
  }

  #failure(
    request: Request,
    result: ApplyResult,
    before: readonly (readonly [ActorId, Actor | undefined])[],
    below: Below,
  ): ActorError {
    let replay: Replay | undefined
    const prepare = () => (replay ??= this.#replay(request, before))
    this.#saveFailure = prepare
    const callee = result.failures[0]
    return new ActorError(
      {
        label: request.label,
        exitCode: result.exitCode,
        gas: result.gasUsed,
        failures: result.failures,
        trace: result.trace,
        exitName: exitName(result.exitCode, request.description?.abi.errors),
        note: callee?.message ?? result.note,
        explain: () => explainFailure(prepare()),
      },
      below,
    )
  }

  /** All that running the request again needs, whatever happens to this world. */
  #replay(request: Request, before: readonly (readonly [ActorId, Actor | undefined])[] = []): Replay {
    const { context, mocks, descriptions } = this.#parts
    const { state, probe: _, ...rest } = context
    const { answers } = mocks
    const root = state.flush()
    const store = new BufferedBlockstore(this.#parts.store)
    return {
      answers,
      isMocked: (call) => mocks.isMocked(call),
      descriptions,
      run: (changes) => {
        const tree = StateTree.load(store, root)
        for (const [id, actor] of before) {
          if (actor === undefined) tree.deleteActor(id)
          else tree.setActor(id, actor)
        }
        applyWorldMessage({ ...rest, store, ...changes, state: tree }, request.work, {})
      },
    }
  }

  /** The state is about to change. */
  poke(): void {
    this.#saveFailure?.()
    this.#saveFailure = null
    enterLedger(this.#parts.book)
  }
}

function setProbe(context: WorldContext, probe: Probe | undefined): void {
  if (probe !== undefined) context.probe = probe
  else delete context.probe
}
