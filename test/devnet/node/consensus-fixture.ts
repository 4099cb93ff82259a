/** A chain of the key-value application, decided by a crew that holds all keys. */
import type { Application } from '../../../devnet/consensus/application.ts'
import type { ChainState, Genesis } from '../../../devnet/consensus/chain-state.ts'
import { EMPTY_COMMIT } from '../../../devnet/consensus/commit.ts'
import { type PrivateKey, publicKeyOf } from '../../../devnet/consensus/key.ts'
import { DEFAULT_PARAMS } from '../../../devnet/consensus/params.ts'
import { SECOND } from '../../../devnet/consensus/time.ts'
import { proposerOf } from '../../../devnet/consensus/validator-set.ts'
import type { Evidence, ExtendedCommit } from '../../../devnet/consensus/wire.ts'
import { BlockExecutor, type Durability, identifyBlock, nextHeight } from '../../../devnet/node/block-executor.ts'
import { BlockStore, type DecidedBlock, withEmptyExtensions } from '../../../devnet/node/block-store.ts'
import { Crew } from '../../../devnet/node/crew.ts'
import { introduce } from '../../../devnet/node/handshake.ts'
import { MemoryChainStore } from '../../../devnet/node/memory-store.ts'
import type { ChainStore } from '../../../devnet/node/ports.ts'
import { deriveValidatorKeys } from '../../../devnet/node/validator-keys.ts'
import { toHex } from '../../../devnet/primitives/bytes.ts'
import { encodeUtf8 } from '../../../devnet/primitives/utf8.ts'

export const KEYS = deriveValidatorKeys('test test test test test test test test test test test junk', 7n, 6)

export function genesisOf(overrides: Partial<Genesis> = {}): Genesis {
  return {
    chainId: '7',
    initialHeight: 1n,
    time: 1_700_000_000n * SECOND,
    params: DEFAULT_PARAMS,
    validators: KEYS.slice(0, 4).map((key, i) => ({ pubKey: publicKeyOf(key), power: 10n + BigInt(i) })),
    appHash: '',
    ...overrides,
  }
}

/** A disk that keeps apart what is durable and what is not. */
export class CrashStore extends MemoryChainStore {
  #durable = new Map<string, Uint8Array>()
  readonly #pending = new Map<string, Uint8Array | undefined>()
  /** Commits before the disk dies. */
  commitsLeft = Number.POSITIVE_INFINITY

  override getRecord(key: string): Uint8Array | undefined {
    return this.#pending.has(key) ? this.#pending.get(key) : this.#durable.get(key)
  }

  override putRecord(key: string, bytes: Uint8Array): void {
    this.#pending.set(key, bytes)
  }

  override deleteRecord(key: string): void {
    this.#pending.set(key, undefined)
  }

  override recordKeys(from: string, to: string, max = Number.POSITIVE_INFINITY): readonly string[] {
    const keys = new Set([...this.#durable.keys(), ...this.#pending.keys()])
    const there = [...keys].filter((key) => key >= from && key < to && this.getRecord(key) !== undefined)
    return there.sort().slice(0, max)
  }

  override async commit(): Promise<void> {
    if (this.commitsLeft-- <= 0) throw new Error('the machine died')
    for (const [key, bytes] of this.#pending) {
      if (bytes === undefined) this.#durable.delete(key)
      else this.#durable.set(key, bytes)
    }
    this.#pending.clear()
  }

  /** What is found after the crash. */
  survivor(): CrashStore {
    const store = new CrashStore()
    store.#durable = new Map(this.#durable)
    return store
  }

  get keys(): readonly string[] {
    return [...this.#durable.keys()]
  }
}

export interface TestChain {
  readonly genesis: Genesis
  readonly application: Application
  readonly store: ChainStore
  readonly blocks: BlockStore
  readonly executor: BlockExecutor
  readonly crew: Crew
  state: ChainState
}

export function openChain(
  application: Application,
  options: {
    readonly genesis?: Genesis
    readonly store?: ChainStore
    readonly durability?: Durability
    readonly keys?: readonly PrivateKey[]
  } = {},
): TestChain {
  const { genesis = genesisOf(), store = new MemoryChainStore(), durability = 'apart', keys = KEYS } = options
  const blocks = new BlockStore(store)
  const executor = new BlockExecutor({ application, store, blocks, timeRule: 'median', durability })
  const { state } = introduce(genesis, application, blocks)
  return { genesis, application, store, blocks, executor, crew: new Crew(keys), state }
}

/** The next block of the chain, decided. */
export function decideBlock(
  chain: TestChain,
  txs: readonly string[] = [],
  evidence: readonly Evidence[] = [],
): DecidedBlock {
  const { state, blocks, executor, crew } = chain
  const isFirst = state.lastHeight === 0n
  const lastCommit: ExtendedCommit = isFirst
    ? withEmptyExtensions(EMPTY_COMMIT)
    : blocks.extendedCommit(state.lastHeight)!
  const block = executor.propose(state, {
    time: isFirst ? state.lastTime : lastCommit.extendedSignatures[0]!.timestamp,
    lastCommit,
    evidence,
    proposer: proposerOf(state.validators)!.address,
    reap: () => txs.map(encodeUtf8),
  })
  const identified = identifyBlock(block)
  const extension = () => encodeUtf8(`height ${nextHeight(state)}`)
  return { ...identified, commit: crew.sign(state, identified, extension) }
}

export async function addBlock(
  chain: TestChain,
  txs: readonly string[] = [],
  evidence: readonly Evidence[] = [],
): Promise<DecidedBlock> {
  const decided = decideBlock(chain, txs, evidence)
  const finalized = chain.executor.finalize(chain.state, decided)
  await chain.executor.commit(finalized)
  chain.state = finalized.state
  return decided
}

/** The transaction that gives validator `index` this power. */
export function powerTx(index: number, power: number): string {
  return `validator:${toHex(publicKeyOf(KEYS[index]!).value)}=${power}`
}

/** Another node that begins where `chain` is, without the blocks before. */
export async function bootstrapFrom(chain: TestChain, application: Application): Promise<TestChain> {
  const { blocks, state, genesis } = chain
  const height = state.lastHeight
  const store = new MemoryChainStore()
  const [block, bytes, commit] = [blocks.block(height)!, blocks.blockBytes(height)!, blocks.extendedCommit(height)!]
  new BlockStore(store).bootstrap(state, { block, bytes, commit, blockId: blocks.meta(height)!.blockId })
  return openChain(application, { genesis, store })
}

/** A block that was decided elsewhere. */
export async function takeBlock(chain: TestChain, decided: DecidedBlock): Promise<void> {
  const finalized = chain.executor.finalize(chain.state, decided)
  await chain.executor.commit(finalized)
  chain.state = finalized.state
}
