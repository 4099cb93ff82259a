/**
 * Brings a node that has nothing to a height near the tip, by the state of an application in place of the blocks that led to it.
 *
 * What is believed, and why: a header, because its validators signed it, from one that is trusted (`light-walk.ts`); the state, because
 * the header's application hash commits to it; a snapshot as a whole, because peers that have proved to be validators with more than a third
 * of the power offer the very same, so that at least one of them is honest. The last covers what no hash in a header does: base fee, recent
 * block hashes, proposers' priorities.
 *
 * A peer that sends what is not so is heard no more; the next has its turn.
 *
 * @source spec consensus §4.9; CometBFT v0.38.25 `statesync/syncer.go`
 */
import { ChunkResult, OfferResult } from '../consensus/application.ts'
import { decodeBlock } from '../consensus/block.ts'
import { equalBlockIds } from '../consensus/block-id.ts'
import { type ChainState, fromWireState } from '../consensus/chain-state.ts'
import { verifyCommit, verifyExtendedCommit, withoutExtensions } from '../consensus/commit.ts'
import { isFault } from '../consensus/fault.ts'
import { headerHash, paramsHash } from '../consensus/hash.ts'
import type { VerifyMessage } from '../consensus/key.ts'
import { fetchRoot, genesisRoot, type LightRoot, type LightRules, walkTo } from '../consensus/light-walk.ts'
import { hasExtensions } from '../consensus/params.ts'
import { partSetHeader } from '../consensus/part-set.ts'
import { WireError } from '../consensus/protobuf.ts'
import { hasHonest, isQuorum } from '../consensus/quorum.ts'
import { decode, encode } from '../consensus/schema.ts'
import { MILLISECOND, type Time } from '../consensus/time.ts'
import { setHash, type ValidatorSet } from '../consensus/validator-set.ts'
import { STATE } from '../consensus/wire.ts'
import { SNAPSHOT } from '../consensus/wire-abci.ts'
import { sha256Binary } from '../primitives/hash.ts'
import type { BlockStore, DecidedBlock } from './block-store.ts'
import type { FvmApplication } from './fvm-application.ts'
import type { NodeMessage, PeerLinks, PeerListener, PeerNetwork } from './peer-links.ts'
import { isSyncMessage, type SnapshotOffer, type SyncMessage } from './sync-message.ts'
import type { StateSyncSettings } from './sync-settings.ts'

export interface StateSyncOptions {
  readonly name: string
  /** Of the validator that the node is; empty for none. */
  readonly address: string
  readonly network: PeerNetwork
  readonly application: FvmApplication
  readonly blocks: BlockStore
  /** As the chain began. */
  readonly genesis: ChainState
  readonly settings: StateSyncSettings
  readonly verify: VerifyMessage
  readonly now: () => Time
  readonly after: (delayMs: number, run: () => void) => () => void
  /** Hears why an offer came to nothing. */
  readonly alarm: (reason: string) => void
}

/** What peers offer alike. */
interface Candidate {
  readonly offer: SnapshotOffer
  readonly peers: Set<string>
}

/** A state of consensus that has been verified, and what it goes with. */
interface Verified {
  readonly state: ChainState
  readonly decided: DecidedBlock
}

const ANSWER_MS = 10_000
/** Until peers that have not said what they offer are asked again, at least. */
const REPEAT_MS = 1000
/** Chunks that are on their way at a time. */
const CHUNKS_AHEAD = 4

/** An offer came to nothing; others may not. */
class OfferFailed extends Error {}

export class StateSync implements PeerListener {
  readonly #options: StateSyncOptions
  readonly #links: PeerLinks
  /** What was asked and not answered yet. */
  readonly #waiting = new Map<string, (answer: SyncMessage | null) => void>()
  /** Peers that sent what is not so. */
  readonly #dropped = new Set<string>()
  readonly #rejected = new Set<string>()
  /** The lowest block of each peer that told what it has. */
  readonly #bases = new Map<string, bigint>()
  #candidates = new Map<string, Candidate>()
  #root: LightRoot | null = null
  #onNews: () => void = () => {}
  #isClosed = false

  constructor(options: StateSyncOptions) {
    this.#options = options
    this.#links = options.network.join(options.name, options.address, this)
  }

  /** The state to go on from; null when blocks alone must bring the node on, or it was closed. */
  async run(): Promise<ChainState | null> {
    try {
      while (!this.#isClosed) {
        await this.#discover()
        for (const candidate of this.#ranked()) {
          const state = await this.#attempt(candidate)
          if (state !== null || this.#isClosed) return state
        }
        if (this.#canFetchBlocks()) return null
        this.#options.alarm('peers keep too few blocks to begin with, and none of them has a state that can be taken')
        await this.#pause()
      }
      return null
    } finally {
      this.close()
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#links.close()
    for (const answer of this.#waiting.values()) answer(null)
    this.#onNews()
  }

  // --- peers ------------------------------------------------------------------------------------------------------

  receive(peer: string, message: NodeMessage): void {
    if (this.#isClosed || this.#dropped.has(peer) || !isSyncMessage(message)) return
    // Who fetches a state has none to give, and says so, or the other would wait.
    if (message.kind === 'snapshotsRequest') {
      return this.#links.send(peer, { kind: 'snapshots', value: { base: 0n, offers: [] } })
    }
    const key = answerKey(peer, message)
    if (key === undefined) return
    const answer = this.#waiting.get(key)
    this.#waiting.delete(key)
    answer?.(message)
  }

  joined(peer: string): void {
    if (this.#dropped.has(peer)) return
    this.#hear(peer)
    // A network may tell of a peer just before it can be sent to.
    queueMicrotask(() => this.#askForOffers(peer))
  }

  #askForOffers(peer: string): void {
    if (!this.#isClosed && this.#waiting.has(`${peer} snapshots`)) {
      this.#links.send(peer, { kind: 'snapshotsRequest', value: {} })
    }
  }

  left(peer: string): void {
    this.#bases.delete(peer)
    for (const [key, answer] of [...this.#waiting]) {
      if (!key.startsWith(`${peer} `)) continue
      this.#waiting.delete(key)
      answer(null)
    }
    for (const { peers } of this.#candidates.values()) peers.delete(peer)
  }

  #drop(peer: string, reason: string): void {
    if (this.#dropped.has(peer)) return
    this.#options.alarm(`${peer} is not asked for a state any more: ${reason}`)
    this.left(peer)
    this.#dropped.add(peer)
  }

  /** Null when the peer does not answer. */
  #ask(peer: string, question: SyncMessage): Promise<SyncMessage | null> {
    const key = questionKey(peer, question)
    if (this.#isClosed || this.#dropped.has(peer) || this.#waiting.has(key)) return Promise.resolve(null)
    return new Promise((resolve) => {
      const late = this.#options.after(ANSWER_MS, () => {
        this.#waiting.delete(key)
        resolve(null)
      })
      this.#waiting.set(key, (answer) => {
        late()
        resolve(answer)
      })
      this.#links.send(peer, question)
    })
  }

  // --- offers -----------------------------------------------------------------------------------------------------

  /** Asks all, and waits until those with two thirds of the power have answered, or for as long as the settings say. */
  async #discover(): Promise<void> {
    this.#candidates = new Map()
    this.#bases.clear()
    for (const peer of this.#links.peers()) this.joined(peer)
    const until = this.#options.now() + BigInt(this.#options.settings.discoveryMs) * MILLISECOND
    while (!this.#isClosed && !this.#hasHeardEnough() && this.#options.now() < until) {
      await this.#news(REPEAT_MS)
      // What was asked may have been lost.
      for (const peer of this.#links.peers()) this.#askForOffers(peer)
    }
  }

  /** Resolves when a peer has answered, but not later than that. */
  #news(patienceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.#options.after(patienceMs, resolve)
      this.#onNews = () => {
        stop()
        resolve()
      }
    })
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.#options.after(this.#options.settings.discoveryMs, resolve)
      this.#onNews = () => {
        if (!this.#isClosed) return
        stop()
        resolve()
      }
    })
  }

  #hear(peer: string): void {
    const key = `${peer} snapshots`
    if (this.#waiting.has(key)) return
    this.#waiting.set(key, (answer) => {
      if (answer?.kind === 'snapshots') this.#noteOffers(peer, answer.value)
      this.#onNews()
    })
  }

  #noteOffers(
    peer: string,
    { base, offers }: { readonly base: bigint; readonly offers: readonly SnapshotOffer[] },
  ): void {
    this.#bases.set(peer, base)
    for (const offer of offers) {
      const key = offerKey(offer)
      const known = this.#candidates.get(key) ?? { offer, peers: new Set() }
      known.peers.add(peer)
      this.#candidates.set(key, known)
    }
  }

  #hasHeardEnough(): boolean {
    const { genesis, address } = this.#options
    const heard = [...this.#bases.keys()].map((peer) => this.#links.validatorOf(peer) ?? '')
    return isQuorum(powerOf(genesis.validators, [address, ...heard]), genesis.validators.totalVotingPower)
  }

  /** The best first. */
  #ranked(): readonly Candidate[] {
    return [...this.#candidates.values()]
      .filter(({ offer }) => !this.#rejected.has(offerKey(offer)))
      .sort((a, b) => Number(b.offer.snapshot.height - a.offer.snapshot.height) || b.peers.size - a.peers.size)
  }

  /** Whether a peer has the first block, or nobody is known to have any. */
  #canFetchBlocks(): boolean {
    const bases = [...this.#bases.values()].filter((base) => base > 0n)
    return bases.length === 0 || bases.some((base) => base <= this.#options.genesis.initialHeight)
  }

  /** Null when it came to nothing. */
  async #attempt(candidate: Candidate): Promise<ChainState | null> {
    const { alarm, application } = this.#options
    try {
      const header = await this.#verifyHeader(candidate)
      const verified = await this.#verifyState(candidate, header)
      await this.#restore(candidate, verified)
      return verified.state
    } catch (error) {
      if (!(error instanceof OfferFailed)) throw error
      if (this.#isClosed) {
        await application.abandonRestore()
        return null
      }
      this.#rejected.add(offerKey(candidate.offer))
      alarm(`the snapshot of height ${candidate.offer.snapshot.height} is not taken: ${error.message}`)
      await application.abandonRestore()
      return null
    }
  }

  /** Of the block after the snapshot, which commits to its state; more than a third of who signs it must offer the snapshot. */
  async #verifyHeader({ offer, peers }: Candidate): Promise<LightRoot> {
    for (const peer of [...peers]) {
      const found = await this.#walk(peer, offer.snapshot.height + 1n)
      if (found === null) continue
      const { validators } = found
      const power = powerOf(
        validators,
        [...peers].map((voucher) => this.#links.validatorOf(voucher) ?? ''),
      )
      if (hasHonest(power, validators.totalVotingPower)) return found
      throw new OfferFailed(`only ${power} of ${validators.totalVotingPower} of the power offer it`)
    }
    throw new OfferFailed('nobody shows a header that can be verified')
  }

  /** A verified header, by way of one peer's light blocks. */
  async #walk(peer: string, height: bigint): Promise<LightRoot | null> {
    const { settings, genesis, now } = this.#options
    const rules: LightRules = { chainId: genesis.chainId, trustingPeriod: settings.trustingPeriod, now }
    const source = async (at: bigint) => {
      const answer = await this.#ask(peer, { kind: 'lightRequest', value: { height: at } })
      return answer?.kind === 'light' ? answer.value.block : null
    }
    const root =
      this.#root ??
      (settings.trusted === null ? genesisRoot(genesis) : await fetchRoot(settings.trusted, source, rules))
    const found = isFault(root) ? root : await walkTo(height, root, source, rules)
    if (!isFault(found)) {
      if (!isFault(root)) this.#root = root
      return found
    }
    // A header that is too old, or ours that runs behind, is nobody's lie.
    const isLie = !['unknown-height', 'expired', 'from-the-future'].includes(found.cause?.code ?? found.code)
    if (isLie) this.#drop(peer, `a header that is not the chain's (${found.cause?.code ?? found.code})`)
    else
      this.#options.alarm(
        `${peer} shows no header of ${height} that can be verified (${found.cause?.code ?? found.code})`,
      )
    return null
  }

  async #verifyState({ offer, peers }: Candidate, header: LightRoot): Promise<Verified> {
    const { height } = offer.snapshot
    for (const peer of [...peers]) {
      const answer = await this.#ask(peer, { kind: 'stateRequest', value: { height } })
      if (answer?.kind !== 'state' || answer.value.decided === null) continue
      const { state, decided } = answer.value
      if (sha256Binary(state) !== offer.stateHash) {
        this.#drop(peer, 'a state that is not the one it offered')
        continue
      }
      const verified = this.#readState(state, decided, header)
      if (verified === null) this.#drop(peer, 'a state that is not that of the header')
      else return verified
    }
    throw new OfferFailed('nobody has the state of consensus that goes with it')
  }

  /** What the two headers say of the state must be so; the rest is vouched for. */
  #readState(
    bytes: Uint8Array,
    raw: { readonly block: Uint8Array; readonly commit: DecidedBlock['commit'] },
    root: LightRoot,
  ) {
    const state = readWireState(bytes)
    const block = decodeBlock(raw.block)
    if (state === null || isFault(block)) return null
    const { header } = root
    const own = block.header
    const blockId = { hash: headerHash(own) ?? '', partSetHeader: partSetHeader(raw.block) }
    const { genesis, verify } = this.#options
    const { maxBytes, maxGas } = state.params.block
    const isOfHeaders =
      state.chainId === genesis.chainId &&
      state.initialHeight === genesis.initialHeight &&
      state.lastHeight === own.height &&
      own.height === header.height - 1n &&
      equalBlockIds(blockId, header.lastBlockId) &&
      equalBlockIds(state.lastBlockId, blockId) &&
      state.lastTime === own.time &&
      state.version.block === header.version.block &&
      state.version.app === header.version.app &&
      setHash(state.lastValidators) === own.validatorsHash &&
      setHash(state.validators) === header.validatorsHash &&
      setHash(state.nextValidators) === header.nextValidatorsHash &&
      paramsHash({ maxBytes, maxGas }) === header.consensusHash &&
      state.appHash === header.appHash &&
      state.lastResultsHash === header.lastResultsHash
    if (!isOfHeaders) return null
    const target = { chainId: genesis.chainId, height: own.height, blockId }
    const refused = hasExtensions(state.params, own.height)
      ? verifyExtendedCommit(state.lastValidators, target, raw.commit, verify)
      : verifyCommit(state.lastValidators, target, withoutExtensions(raw.commit), verify)
    if (refused !== null) return null
    return { state, decided: { block, bytes: raw.block, blockId, commit: raw.commit } }
  }

  // --- the state --------------------------------------------------------------------------------------------------

  async #restore({ offer, peers }: Candidate, { state, decided }: Verified): Promise<void> {
    const { application, blocks } = this.#options
    const { snapshot } = offer
    const { result } = await application.offerSnapshot({ snapshot, appHash: state.appHash })
    if (result !== OfferResult.Accept) throw new OfferFailed(`the application refuses it (${result})`)
    application.restoreWith(() => blocks.bootstrap(state, decided))
    const fetched = new Map<number, Promise<{ peer: string; chunk: Uint8Array }>>()
    for (let index = 0; index < snapshot.chunks; ) {
      for (let ahead = index; ahead < Math.min(index + CHUNKS_AHEAD, snapshot.chunks); ahead++) {
        if (!fetched.has(ahead)) fetched.set(ahead, quiet(this.#fetchChunk(offer, peers, ahead)))
      }
      const { peer, chunk } = await fetched.get(index)!
      fetched.delete(index)
      if (this.#isClosed) throw new OfferFailed('the node stops')
      const answer = await application.applySnapshotChunk({ index, chunk, sender: peer })
      for (const sender of answer.rejectSenders) this.#drop(sender, `chunk ${index} is not the one that was offered`)
      for (const again of answer.refetchChunks) fetched.delete(again)
      if (answer.result === ChunkResult.Accept) index++
      else if (answer.result !== ChunkResult.Retry)
        throw new OfferFailed(`the application refuses chunk ${index} (${answer.result})`)
    }
    const info = application.info()
    if (info.lastBlockHeight !== state.lastHeight || info.lastBlockAppHash !== state.appHash) {
      throw new Error(`the application is at ${info.lastBlockHeight} where ${state.lastHeight} was restored`)
    }
  }

  /** From one peer after the other, beginning with another for each chunk. */
  async #fetchChunk({ snapshot }: SnapshotOffer, peers: Set<string>, index: number) {
    const { height, format } = snapshot
    for (let turn = 0; peers.size > 0 && turn <= peers.size; turn++) {
      const all = [...peers]
      const peer = all[(index + turn) % all.length]!
      const answer = await this.#ask(peer, { kind: 'chunkRequest', value: { height, format, index } })
      if (answer?.kind === 'chunk' && answer.value.chunk.length > 0) return { peer, chunk: answer.value.chunk }
    }
    throw new OfferFailed(`nobody sends chunk ${index}`)
  }
}

/** Its failure is heard when it is waited for. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

function offerKey({ snapshot, stateHash }: SnapshotOffer): string {
  return `${sha256Binary(encode(SNAPSHOT, snapshot))}${stateHash}`
}

/** What the answer to a question will be called. */
function questionKey(peer: string, { kind, value }: SyncMessage): string {
  switch (kind) {
    case 'chunkRequest':
      return `${peer} chunk ${value.height} ${value.format} ${value.index}`
    case 'lightRequest':
      return `${peer} light ${value.height}`
    case 'stateRequest':
      return `${peer} state ${value.height}`
    default:
      return `${peer} snapshots`
  }
}

function answerKey(peer: string, { kind, value }: SyncMessage): string | undefined {
  switch (kind) {
    case 'snapshots':
      return `${peer} snapshots`
    case 'chunk':
      return `${peer} chunk ${value.height} ${value.format} ${value.index}`
    case 'light':
      return `${peer} light ${value.height}`
    case 'state':
      return `${peer} state ${value.height}`
    default:
      return undefined
  }
}

function powerOf({ validators }: ValidatorSet, addresses: readonly string[]): bigint {
  const named = new Set(addresses)
  let power = 0n
  for (const { address, votingPower } of validators) if (named.has(address)) power += votingPower
  return power
}

function readWireState(bytes: Uint8Array): ChainState | null {
  try {
    const state = fromWireState(decode(STATE, bytes))
    return isFault(state) ? null : state
  } catch (error) {
    if (error instanceof WireError) return null
    throw error
  }
}
