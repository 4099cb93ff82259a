/** A network of `troupe node --join`, a process each, that a test starts, kills and cuts. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JournalRecord } from '../../devnet/consensus/journal.ts'
import { readJournalFile } from '../../devnet/node/journal-file.ts'
import type { NetworkFile } from '../../devnet/node/network-file.ts'
import { findFreePorts } from '../../devnet/node/process-network.ts'
import { CliProcess, makeFolder, type RpcAnswer } from './cli-process.ts'

export interface BlockView {
  readonly height: number
  readonly hash: string
  readonly appHash: string
  readonly stateRoot: string
  readonly txs: readonly string[]
}

export interface NodeNetworkOptions {
  /** `host:port` of each node's mesh; free ports of the loopback when absent. */
  readonly hosts?: readonly string[]
  /** More words of each node's command. */
  readonly words?: (index: number) => readonly string[]
  /** Whose command a node is. */
  readonly through?: (index: number) => readonly string[]
  /** Posts to a node's URL and answers the body that comes back; from this process when absent. */
  readonly post?: (index: number, url: string, body: string) => Promise<string>
}

const SIZE = 4
/** A test whose time ends first says less. */
const POLLS_MAX = 100_000

export class NodeNetwork {
  readonly folder: ReturnType<typeof makeFolder>
  readonly #options: NodeNetworkOptions
  readonly #nodes = new Map<number, { readonly process: CliProcess; readonly url: string }>()

  private constructor(options: NodeNetworkOptions) {
    this.#options = options
    this.folder = makeFolder({})
  }

  /** Writes the files of four nodes; none of them runs yet. */
  static async plan(options: NodeNetworkOptions = {}): Promise<NodeNetwork> {
    const network = new NodeNetwork(options)
    const hosts = options.hosts ?? (await findFreePorts(SIZE)).map((port) => `127.0.0.1:${port}`)
    const words = ['node', '--new-network', 'net', '--hosts', hosts.join(','), '--json']
    const plan = new CliProcess(words, { cwd: network.folder.path })
    if ((await plan.ended) !== 0) throw new Error(plan.stderr)
    return network
  }

  get indexes(): readonly number[] {
    return Array.from({ length: SIZE }, (_, index) => index)
  }

  process(index: number): CliProcess {
    return this.#nodes.get(index)!.process
  }

  /** Of its JSON-RPC, as it says itself. */
  url(index: number): string {
    return this.#nodes.get(index)!.url
  }

  stateFolder(index: number): string {
    return join(this.folder.path, `state${index}`)
  }

  journal(index: number): string {
    return join(this.stateFolder(index), 'journal.log')
  }

  /** Bytes of a node's journal, without the room behind them. */
  journalSize(index: number): number {
    return readJournalFile(readFileSync(this.journal(index))).size
  }

  /** Changes what a node reads when it starts. */
  configure(index: number, change: Partial<NetworkFile>): void {
    const path = join(this.folder.path, 'net', `v${index}`, 'network.json')
    const file = JSON.parse(readFileSync(path, 'utf8')) as NetworkFile
    writeFileSync(path, JSON.stringify({ ...file, ...change }))
  }

  /** Of a node that does not run: all that it has, but its key. */
  loseDisk(index: number): void {
    rmSync(this.stateFolder(index), { recursive: true })
  }

  /** The lowest block of a node. */
  async base(index: number): Promise<number> {
    const { sync_info } = await this.askComet<{ sync_info: { earliest_block_height: string } }>(index, 'status', {})
    return Number(sync_info.earliest_block_height)
  }

  /** Resolves when the node answers. */
  async start(index: number, more: readonly string[] = []): Promise<void> {
    const process = this.spawn(index, more)
    const { url } = await process.ready()
    this.#nodes.set(index, { process, url })
  }

  /** Only starts it. `more` are words of the command. */
  spawn(index: number, more: readonly string[] = []): CliProcess {
    const file = join('net', `v${index}`, 'network.json')
    const words = ['node', '--join', file, '--state', this.stateFolder(index), '--port', '0', '--json']
    words.push(...(this.#options.words?.(index) ?? []), ...more)
    const through = this.#options.through?.(index) ?? []
    return new CliProcess(words, { cwd: this.folder.path, through })
  }

  async startAll(): Promise<void> {
    await Promise.all(this.indexes.map((index) => this.start(index)))
  }

  async kill(index: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { process } = this.#nodes.get(index)!
    this.#nodes.delete(index)
    await process.kill(signal)
  }

  async ask<T>(index: number, method: string, ...params: readonly unknown[]): Promise<T> {
    const { result, error } = await this.#post(index, '', { jsonrpc: '2.0', id: 1, method, params })
    if (error !== undefined) throw new Error(error.message)
    return result as T
  }

  /** As a client of CometBFT's does. */
  async askComet<T>(index: number, method: string, params: Readonly<Record<string, unknown>>): Promise<T> {
    const { result, error } = await this.#post(index, '/comet', { jsonrpc: '2.0', id: 1, method, params })
    if (error !== undefined) throw new Error(`${error.message}: ${error.data}`)
    return result as T
  }

  async #post(index: number, path: string, request: unknown): Promise<RpcAnswer> {
    const post = this.#options.post ?? postHere
    return JSON.parse(await post(index, `${this.url(index).replace(/\/$/, '')}${path}`, JSON.stringify(request)))
  }

  block(index: number, height: number | 'latest'): Promise<BlockView | null> {
    return this.ask(index, 'troupe_block', height)
  }

  async height(index: number): Promise<number> {
    return (await this.block(index, 'latest'))!.height
  }

  /** Asks again and again, each time when the last answer is there, but not for ever. */
  async until<T>(question: () => Promise<T>, isGood: (answer: T) => boolean): Promise<T> {
    for (let polls = 0; polls < POLLS_MAX; polls++) {
      const answer = await question()
      if (isGood(answer)) return answer
    }
    throw new Error(`after ${POLLS_MAX} questions the answer is still ${JSON.stringify(await question())}`)
  }

  async reach(index: number, height: number): Promise<void> {
    await this.until(
      () => this.height(index),
      (reached) => reached >= height,
    )
  }

  /** What all nodes that run say of the blocks from one height to another; more than one answer for a height is a fork. */
  async answersOf(height: number, from = 1): Promise<readonly number[]> {
    const counts: number[] = []
    for (let at = from; at <= height; at++) {
      const answers = await Promise.all([...this.#nodes.keys()].map((index) => this.block(index, at)))
      counts.push(new Set(answers.map((block) => JSON.stringify([block?.hash, block?.appHash, block?.stateRoot]))).size)
    }
    return counts
  }

  /** Same validator, height, round and kind, but not the same block: in what is left of all journals, whoever wrote the vote down. */
  doubleVotes(): readonly string[] {
    const seen = new Map<string, string>()
    return this.indexes.flatMap((index) =>
      votesIn(readJournalFile(readFileSync(this.journal(index))).records).flatMap(([place, block]) => {
        const known = seen.get(place) ?? block
        seen.set(place, block)
        return known === block ? [] : [`v${index} has another vote at ${place}`]
      }),
    )
  }

  async close(): Promise<void> {
    await Promise.all([...this.#nodes.keys()].map((index) => this.kill(index)))
    this.folder.dispose()
  }
}

async function postHere(_index: number, url: string, body: string): Promise<string> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return response.text()
}

function votesIn(records: readonly JournalRecord[]): readonly (readonly [string, string])[] {
  return records.flatMap((record) => {
    if (record.kind !== 'vote') return []
    const { validatorAddress, height, round, type, blockId } = record.value.vote
    const signer = Buffer.from(validatorAddress, 'latin1').toString('hex')
    return [[`${signer}/${height}/${round}/${type}`, blockId.hash] as const]
  })
}
