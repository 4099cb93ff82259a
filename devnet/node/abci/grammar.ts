/**
 * Listens to what an application is asked, and throws when it is not what a node may ask, or the answer not what it may be:
 * around any application, under any driver, in tests.
 *
 * ```text
 * life      = Info (InitChain [statesync] | replay) height*    InitChain only at height 0, and then it must come
 *           | [Info] statesync height*                         as CometBFT 0.38 has it: the state is there, so no InitChain
 * statesync = attempt* OfferSnapshot ApplySnapshotChunk+ Info  accepted both, chunks in order; Info says what was offered
 * attempt   = OfferSnapshot ApplySnapshotChunk*                refused, or given up for another
 * height    = proposal* FinalizeBlock Commit                   heights without gaps; between the two nothing of consensus
 * proposal  = PrepareProposal | ProcessProposal | ExtendVote | VerifyVoteExtension, of the next height
 * ```
 *
 * @source CometBFT `spec/abci/abci++_comet_expected_behavior.md`; spec consensus §4.4, §4.5
 */

import {
  ACCEPT,
  type Application,
  ChunkResult,
  type FinalizeBlockRequest,
  type FinalizeBlockResponse,
  OfferResult,
  REJECT,
  type RequestOf,
  type ResponseOf,
} from '../../consensus/application.ts'
import { addressOf } from '../../consensus/key.ts'
import { encodedSize } from '../../consensus/schema.ts'
import { DATA } from '../../consensus/wire.ts'

/** The rule that was broken, by whom. */
export class GrammarError extends Error {
  override readonly name = 'GrammarError'
  readonly code: 'REQUEST' | 'ANSWER'
  constructor(code: GrammarError['code'], message: string) {
    super(message)
    this.code = code
  }
}

type Phase =
  /** Nothing but info so far. */
  | 'silent'
  | 'between-blocks'
  /** A block waits for its commit. */
  | 'finalized'
  | 'committing'

/** A snapshot that the application took. */
interface Sync {
  readonly height: bigint
  readonly appHash: string
  readonly chunks: number
  /** The chunk that comes next; all that came before were accepted. */
  readonly next: number
}

export class GrammarChecker implements Application {
  readonly #application: Application
  #phase: Phase = 'silent'
  /** Of the last block that was committed; null before anybody asked. */
  #height: bigint | null = null
  #initialHeight = 1n
  #sync: Sync | null = null

  constructor(application: Application) {
    this.#application = application
  }

  info(request: RequestOf<'info'>): ResponseOf<'info'> {
    const answer = this.#application.info(request)
    if (answer.lastBlockHeight < 0n) throw answered('Info', `height ${answer.lastBlockHeight}`)
    const sync = this.#sync
    if (sync !== null) {
      if (sync.next === sync.chunks) this.#endSync(sync, answer)
      return answer
    }
    if (this.#phase === 'between-blocks' && answer.lastBlockHeight !== this.#height) {
      throw answered('Info', `height ${answer.lastBlockHeight} where ${this.#height} is committed`)
    }
    if (this.#phase === 'silent') this.#height = answer.lastBlockHeight
    return answer
  }

  #endSync({ height, appHash }: Sync, answer: ResponseOf<'info'>): void {
    if (answer.lastBlockHeight !== height || answer.lastBlockAppHash !== appHash) {
      throw answered(
        'Info',
        `height ${answer.lastBlockHeight} where the state of ${height} was restored, or another hash`,
      )
    }
    this.#sync = null
    this.#height = height
    this.#phase = 'between-blocks'
  }

  initChain(request: RequestOf<'initChain'>): ResponseOf<'initChain'> {
    if (this.#phase !== 'silent') throw asked('InitChain', 'the chain has begun')
    if (this.#height !== null && this.#height > 0n) throw asked('InitChain', `the application is at ${this.#height}`)
    if (request.initialHeight < 1n) throw asked('InitChain', `height ${request.initialHeight} comes first`)
    const answer = this.#application.initChain(request)
    checkUpdates('InitChain', answer.validators)
    this.#initialHeight = request.initialHeight
    this.#height = 0n
    this.#phase = 'between-blocks'
    return answer
  }

  query(request: RequestOf<'query'>): ResponseOf<'query'> {
    return this.#application.query(request)
  }

  checkTx(request: RequestOf<'checkTx'>): ResponseOf<'checkTx'> {
    if (this.#phase === 'committing') throw asked('CheckTx', 'a commit is under way')
    return this.#application.checkTx(request)
  }

  prepareProposal(request: RequestOf<'prepareProposal'>): ResponseOf<'prepareProposal'> {
    this.#expectNext('PrepareProposal', request.height)
    const answer = this.#application.prepareProposal(request)
    const size = BigInt(encodedSize(DATA, { txs: answer.txs }))
    if (size > request.maxTxBytes)
      throw answered('PrepareProposal', `${size} bytes where ${request.maxTxBytes} are left`)
    return answer
  }

  processProposal(request: RequestOf<'processProposal'>): ResponseOf<'processProposal'> {
    this.#expectNext('ProcessProposal', request.height)
    const answer = this.#application.processProposal(request)
    checkStatus('ProcessProposal', answer.status)
    return answer
  }

  extendVote(request: RequestOf<'extendVote'>): ResponseOf<'extendVote'> {
    this.#expectNext('ExtendVote', request.height)
    return this.#application.extendVote(request)
  }

  verifyVoteExtension(request: RequestOf<'verifyVoteExtension'>): ResponseOf<'verifyVoteExtension'> {
    this.#expectNext('VerifyVoteExtension', request.height)
    const answer = this.#application.verifyVoteExtension(request)
    checkStatus('VerifyVoteExtension', answer.status)
    return answer
  }

  executeAhead(request: FinalizeBlockRequest): void {
    this.#application.executeAhead?.(request)
  }

  finalizeBlock(request: FinalizeBlockRequest): FinalizeBlockResponse {
    this.#expectNext('FinalizeBlock', request.height)
    const answer = this.#application.finalizeBlock(request)
    if (answer.txResults.length !== request.txs.length) {
      throw answered('FinalizeBlock', `${answer.txResults.length} results for ${request.txs.length} transactions`)
    }
    checkUpdates('FinalizeBlock', answer.validatorUpdates)
    this.#phase = 'finalized'
    this.#height = request.height
    return answer
  }

  async commit(): Promise<ResponseOf<'commit'>> {
    if (this.#phase !== 'finalized') throw asked('Commit', 'there is no block to commit')
    this.#phase = 'committing'
    const answer = await this.#application.commit()
    if (answer.retainHeight < 0n || answer.retainHeight > this.#height!) {
      throw answered('Commit', `blocks from ${answer.retainHeight} on, at height ${this.#height}`)
    }
    this.#phase = 'between-blocks'
    return answer
  }

  listSnapshots(request: RequestOf<'listSnapshots'>): ResponseOf<'listSnapshots'> {
    return this.#application.listSnapshots(request)
  }

  async offerSnapshot(request: RequestOf<'offerSnapshot'>): Promise<ResponseOf<'offerSnapshot'>> {
    const isOpen = this.#phase === 'silent' || this.#phase === 'between-blocks'
    if (!isOpen || (this.#height ?? 0n) !== 0n) throw asked('OfferSnapshot', 'a chain with blocks takes no snapshot')
    this.#sync = null
    const answer = await this.#application.offerSnapshot(request)
    if (answer.result < 1 || answer.result > 5) throw answered('OfferSnapshot', `result ${answer.result}`)
    const { snapshot, appHash } = request
    if (answer.result !== OfferResult.Accept) return answer
    if (snapshot === null) throw answered('OfferSnapshot', 'yes to nothing')
    this.#sync = { height: snapshot.height, appHash, chunks: snapshot.chunks, next: 0 }
    return answer
  }

  loadSnapshotChunk(request: RequestOf<'loadSnapshotChunk'>): ResponseOf<'loadSnapshotChunk'> {
    return this.#application.loadSnapshotChunk(request)
  }

  async applySnapshotChunk(request: RequestOf<'applySnapshotChunk'>): Promise<ResponseOf<'applySnapshotChunk'>> {
    const sync = this.#sync
    if (sync === null) throw asked('ApplySnapshotChunk', 'no snapshot was accepted')
    const { index } = request
    if (index >= sync.chunks || index > sync.next) {
      throw asked('ApplySnapshotChunk', `chunk ${index} of ${sync.chunks} where ${sync.next} is next`)
    }
    const answer = await this.#application.applySnapshotChunk(request)
    switch (answer.result) {
      case ChunkResult.Accept:
        this.#sync = { ...sync, next: Math.max(sync.next, index + 1) }
        return answer
      case ChunkResult.Retry:
        this.#sync = { ...sync, next: Math.min(sync.next, index, ...answer.refetchChunks) }
        return answer
      case ChunkResult.Abort:
      case ChunkResult.RetrySnapshot:
      case ChunkResult.RejectSnapshot:
        this.#sync = null
        return answer
      default:
        throw answered('ApplySnapshotChunk', `result ${answer.result}`)
    }
  }

  #expectNext(method: string, height: bigint): void {
    const sync = this.#sync
    if (sync !== null && sync.next === sync.chunks) throw asked(method, 'nobody asked for the restored height')
    this.#sync = null
    if (this.#phase === 'finalized' || this.#phase === 'committing') {
      throw asked(method, `block ${this.#height} is not committed`)
    }
    if (this.#height === null) throw asked(method, 'nobody asked for the height')
    if (this.#phase === 'silent' && this.#height === 0n) throw asked(method, 'InitChain comes first')
    const next = this.#height === 0n ? this.#initialHeight : this.#height + 1n
    if (height !== next) throw asked(method, `height ${height} where ${next} is next`)
    this.#phase = 'between-blocks'
  }
}

function asked(method: string, detail: string): GrammarError {
  return new GrammarError('REQUEST', `${method}: ${detail}`)
}

function answered(method: string, detail: string): GrammarError {
  return new GrammarError('ANSWER', `${method} is answered with ${detail}`)
}

function checkStatus(method: string, status: number): void {
  if (status !== ACCEPT && status !== REJECT) throw answered(method, `status ${status}`)
}

function checkUpdates(method: string, updates: FinalizeBlockResponse['validatorUpdates']): void {
  const seen = new Set<string>()
  for (const { pubKey, power } of updates) {
    if (pubKey === null || power < 0n) throw answered(method, 'a validator without a key, or a power below zero')
    const address = addressOf(pubKey)
    if (seen.has(address)) throw answered(method, 'one validator twice')
    seen.add(address)
  }
}
