/** The network that a command talks to: found by flag, by the project's running devnet, or at the usual port. */
import type { Abi } from '../../compiler/abi/schema.ts'
import type { Project } from '../reload/project.ts'
import { findRunning } from '../reload/running.ts'
import type { CodecOptions } from '../rpc/abi-codec.ts'
import { type AccountInfo, Client, ClientError, type Receipt, Unreachable } from '../rpc/client.ts'
import { parseAddress } from '../state/address.ts'
import { exitName } from '../testing/actor-error.ts'
import { type Input, nearest, textFlag } from './command.ts'
import { loadProject } from './load-project.ts'
import { CliError, Exit } from './output.ts'

const DEFAULT_PORT = 8545
const LOCAL = 'local'

export interface Network {
  readonly url: string
  readonly project: Project
  /** One JSON-RPC call. @throws CliError for whatever goes wrong */
  request<T>(method: string, ...params: readonly unknown[]): Promise<T>
}

export async function openNetwork(input: Input): Promise<Network> {
  const project = await loadProject(input)
  const url = urlOf(textFlag(input, 'network') ?? LOCAL, project)
  const client = new Client(url)
  return {
    url,
    project,
    async request<T>(method: string, ...params: readonly unknown[]): Promise<T> {
      try {
        return await client.request<T>(method, params)
      } catch (error) {
        throw toCliError(error, url, method)
      }
    },
  }
}

function urlOf(name: string, project: Project): string {
  if (/^https?:\/\//.test(name)) return name
  const networks = project.config.networks ?? {}
  const configured = networks[name]
  if (configured !== undefined) return configured.url
  if (name === LOCAL)
    return findRunning(project.dataFolder)?.url ?? `http://127.0.0.1:${project.config.port || DEFAULT_PORT}`
  const names = [LOCAL, ...Object.keys(networks)]
  const near = nearest(name, names)
  throw new CliError('TRP-7006', Exit.Usage, `there is no network ${JSON.stringify(name)}`, {
    fix: near === undefined ? `give a URL, or one of ${names.join(', ')}` : `did you mean ${near}?`,
  })
}

const METHOD_NOT_FOUND = -32601
const INVALID_PARAMS = -32602
const REFUSED = -32001

function toCliError(error: unknown, url: string, method: string): unknown {
  if (error instanceof Unreachable) {
    return new CliError('TRP-8402', Exit.Network, error.message, { fix: 'start one with `troupe dev`', cause: error })
  }
  if (!(error instanceof ClientError)) return error
  const { code, message, data } = error
  switch (code) {
    case METHOD_NOT_FOUND:
      return new CliError('TRP-8405', Exit.Network, `${url} is no devnet of Troupe's: it has no ${method}`, {
        fix: 'start one with `troupe dev`, or choose another with --network',
      })
    case INVALID_PARAMS:
      return new CliError('TRP-8302', Exit.Usage, message, { data })
    case REFUSED:
      return new CliError('TRP-8406', Exit.Refused, message, { fix: 'start the devnet with --allow-remote-powers' })
    case 1:
      if (isFailure(data)) return new MessageFailed(message, data)
      return new CliError('TRP-8304', Exit.Untrue, `the node refused the message: ${message}`, { data })
    default:
      return new CliError('TRP-8404', Exit.Network, `${url} failed: ${message}`, { data })
  }
}

interface Failure {
  readonly exitCode: number
  readonly receipt?: Receipt | null
}

function isFailure(data: unknown): data is Failure {
  return data !== null && typeof data === 'object' && typeof (data as Failure).exitCode === 'number'
}

/** A message ended with an exit code, before anybody has put a name to it. */
export class MessageFailed extends CliError {
  readonly exitCode: number
  readonly note: string
  readonly receipt: Receipt | null
  constructor(note: string, { exitCode, receipt }: Failure) {
    super('TRP-8303', Exit.Untrue, `exit ${exitCode} (${exitName(exitCode)})${note === '' ? '' : `: ${note}`}`, {
      data: { exitCode, exitName: exitName(exitCode), note, gasUsed: receipt?.gasUsed ?? null },
    })
    this.exitCode = exitCode
    this.note = note
    this.receipt = receipt ?? null
  }
}

// --- who is who --------------------------------------------------------------------------------------------------

export interface NetworkActor {
  readonly name: string
  readonly id: string
  readonly address: string
  readonly code: string
  readonly abi: Abi
}

/** Accounts and actors that the network knows by name. */
export class Book {
  readonly accounts: readonly AccountInfo[]
  readonly actors: readonly NetworkActor[]
  readonly codec: CodecOptions

  constructor(accounts: readonly AccountInfo[], actors: readonly NetworkActor[]) {
    this.accounts = accounts
    this.actors = actors
    this.codec = {
      resolveAddress: (text) => {
        const found = this.accounts.find(({ name }) => name === text) ?? this.actorNamed(text)
        return found === undefined ? undefined : parseAddress(found.address)
      },
    }
  }

  /** The newest of that name. */
  actorNamed(name: string): NetworkActor | undefined {
    return this.actors.findLast((actor) => actor.name === name)
  }

  actorOf(id: string): NetworkActor | undefined {
    return this.actors.find((actor) => actor.id === id)
  }

  /** By name, id or address. */
  find(word: string): NetworkActor | undefined {
    const id = /^(?:[ft]0)?(\d+)$/.exec(word)?.[1]
    if (id !== undefined) return this.actorOf(id)
    const address = word.replace(/^f/, 't')
    return (
      this.actorNamed(word) ??
      this.actors.find((actor) => actor.address === address) ??
      this.actors.findLast((actor) => actor.name.toLowerCase() === word.toLowerCase())
    )
  }

  /** How people call the actor with this id. */
  nameOf(id: string): string | undefined {
    return this.actorOf(id)?.name ?? this.#accountOf(id)?.name ?? SINGLETONS[id]
  }

  #accountOf(id: string): AccountInfo | undefined {
    return this.accounts.find((account) => account.id === id || (account as { ethId?: string | null }).ethId === id)
  }
}

/** Actors that every chain has at these ids. @source spec fvm §4.1 */
const SINGLETONS: Readonly<Record<string, string>> = {
  0: 'system',
  1: 'init',
  2: 'reward',
  3: 'cron',
  4: 'power',
  5: 'market',
  6: 'verifreg',
  7: 'datacap',
  10: 'eam',
  99: 'burnt',
}

export async function openBook(network: Network): Promise<Book> {
  const [accounts, actors] = await Promise.all([
    network.request<AccountInfo[]>('troupe_accounts'),
    network.request<NetworkActor[]>('troupe_actors'),
  ])
  return new Book(accounts, actors)
}

/** The actor that a word stands for. @throws CliError with the nearest name */
export function needActor(book: Book, word: string): NetworkActor {
  const found = book.find(word)
  if (found !== undefined) return found
  const names = book.actors.map(({ name }) => name)
  const near = nearest(word, names)
  const known =
    names.length === 0 ? 'nothing is deployed yet: troupe deploy' : `deployed are ${[...new Set(names)].join(', ')}`
  throw new CliError('TRP-8305', Exit.Usage, `the network knows no actor ${JSON.stringify(word)}`, {
    fix: near === undefined ? known : `did you mean ${near}?`,
  })
}
