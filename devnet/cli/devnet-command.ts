/** What `troupe dev` and `troupe node` share: flags to options, opening, the port, and stopping in good order. */
import { readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ModuleCache } from '../engine/module-cache.ts'
import { BundleError } from '../node/bundle.ts'
import type { BlockPolicy } from '../node/chain.ts'
import { ChainBegun, DEFAULT_PORT, type Devnet } from '../node/devnet.ts'
import { MnemonicError } from '../node/hd-keys.ts'
import { JournalDamaged } from '../node/journal-file.ts'
import { MemoryChainStore } from '../node/memory-store.ts'
import { DiskModuleStore } from '../node/module-store.ts'
import { type NodeHome, openFolderHome, openMemoryHome, removeHomes } from '../node/node-home.ts'
import type { ChainStore } from '../node/ports.ts'
import { openStore, StoreError, type StoreOptions } from '../node/store.ts'
import { snapshotPolicy, stateSyncSettings } from '../node/sync-settings.ts'
import type { Project } from '../reload/project.ts'
import { announceDevnet } from '../reload/running.ts'
import { serveDevnet } from '../rpc/serve.ts'
import { PortBusy, type RunningServer } from '../rpc/server.ts'
import { ATTO_PER_FIL } from '../state/token.ts'
import { type Flag, type Input, numberFlag, textFlag } from './command.ts'
import { loadProject } from './load-project.ts'
import { COMET_FOLDER, openChain, PROCESSES_FOLDER } from './open-chain.ts'
import { CliError, Exit } from './output.ts'
import { onSignal } from './signals.ts'

export const DEVNET_FLAGS: Readonly<Record<string, Flag>> = {
  port: { type: 'string', short: 'p', value: 'n', about: `port (${DEFAULT_PORT}, or the next free one)` },
  host: { type: 'string', value: 'name', about: 'address to listen on (127.0.0.1)' },
  'strict-port': { type: 'boolean', about: 'fail when the port is busy' },
  'allow-remote-powers': { type: 'boolean', about: 'let other hosts use the devnet powers (needs --host too)' },
  'block-time': {
    type: 'string',
    short: 'b',
    value: 'seconds',
    about: 'a block at an interval instead of one a message',
  },
  'no-mining': { type: 'boolean', about: 'blocks only on demand' },
  consensus: { type: 'string', value: 'bft|instant|cometbft', about: 'how blocks are decided (bft)' },
  validators: { type: 'string', value: 'n', about: 'validators of a new chain (4; 1 under instant)' },
  processes: { type: 'boolean', about: 'each validator of bft in a process of its own' },
  record: {
    type: 'string',
    value: 'file',
    about:
      'write down what each validator of bft is given, for `troupe replay`; with --processes a folder, a file each',
  },
  seed: { type: 'string', value: 'n', about: 'of the faults that links are given (1)' },
  abci: { type: 'string', value: 'address', about: 'serve a CometBFT of yours at tcp://host:port or unix:///path' },
  'comet-rpc': { type: 'string', value: 'url', about: 'where that CometBFT answers (http://127.0.0.1:26657)' },
  accounts: { type: 'string', value: 'n', about: 'accounts with funds (10)' },
  balance: { type: 'string', value: 'fil', about: 'FIL of each account (10000)' },
  mnemonic: { type: 'string', short: 'm', value: 'words', about: 'where the accounts come from' },
  'chain-id': { type: 'string', value: 'n', about: 'chain id (31337)' },
  state: { type: 'string', value: 'dir', about: 'where the chain is kept (.troupe/state)' },
  'no-persist': { type: 'boolean', about: 'keep the chain in memory only' },
  reset: { type: 'boolean', about: 'begin a new chain' },
  'no-ui': { type: 'boolean', about: 'no pages, only JSON-RPC' },
  profile: { type: 'string', value: 'ipc|filecoin', about: 'rules of the network (ipc)' },
  bundle: { type: 'string', value: 'file.car', about: 'genuine built-in actors in place of ours' },
  'base-fee': { type: 'string', value: 'atto', about: 'base fee of the first block (100)' },
}

export interface Opened {
  readonly project: Project
  readonly devnet: Devnet
  readonly server: RunningServer
  readonly stateFolder: string | null
  /** The port that was asked for; 0 for any. */
  readonly portWanted: number
  close(): Promise<void>
}

export async function openForCommand(input: Input): Promise<Opened> {
  const project = await loadProject(input)
  const { config } = project
  const stateFolder =
    input.flags['no-persist'] === true
      ? null
      : resolve(input.cwd, textFlag(input, 'state') ?? join(project.root, config.state ?? '.troupe/state'))
  const homes = await openHomes(stateFolder, {
    isReset: input.flags['reset'] === true,
    durability: config.durability ?? 'full',
    thread: input.flags['processes'] === true || input.flags['join'] !== undefined ? 'this thread' : 'another',
  })
  let opened: Devnet | undefined
  try {
    const devnet = await openChain(input, {
      project,
      stateFolder,
      homes: homes.at,
      profile: asProfile(textFlag(input, 'profile') ?? config.profile ?? 'ipc'),
      chainId: BigInt(numberFlag(input, 'chain-id') ?? config.chainId ?? 31337),
      accounts: numberFlag(input, 'accounts') ?? config.accounts ?? 10,
      balance: BigInt(numberFlag(input, 'balance') ?? config.balance ?? 10_000) * ATTO_PER_FIL,
      ...optional('mnemonic', textFlag(input, 'mnemonic') ?? config.mnemonic),
      ...optional('bundle', readBundleFile(input, project)),
      baseFee: BigInt(numberFlag(input, 'base-fee') ?? config.baseFee ?? 100),
      policy: policyOf(input, config.blockTime),
      ...optional('snapshots', config.snapshots === undefined ? undefined : snapshotPolicy(config.snapshots)),
      ...optional('stateSync', config.stateSync === undefined ? undefined : stateSyncSettings(config.stateSync)),
      modules: new ModuleCache(new DiskModuleStore(join(project.dataFolder, 'build', 'modules'))),
      hasLargestStack: true,
    })
    opened = devnet
    const server = await listen(input, project, devnet)
    // One node of a larger network is not the one that the project's commands mean.
    let retract = (): void => {}
    try {
      if (input.flags['join'] === undefined) retract = announceDevnet(project.dataFolder, server.url)
    } catch (error) {
      await server.close()
      throw error
    }
    return {
      project,
      devnet,
      server,
      stateFolder,
      portWanted: wantedPort(input, project) || server.port,
      async close() {
        retract()
        await server.close()
        await devnet.close()
      },
    }
  } catch (error) {
    await opened?.close()
    await homes.close()
    if (error instanceof ChainBegun)
      throw new CliError(error.code, Exit.Project, error.message, { fix: 'troupe dev --reset begins a new chain' })
    if (error instanceof MnemonicError) throw new CliError('TRP-7002', Exit.Usage, error.message)
    if (error instanceof BundleError)
      throw new CliError(error.code, Exit.Project, error.message, {
        fix: 'give a CAR whose root is a manifest, such as builtin-actors-mainnet.car',
      })
    throw error
  }
}

export function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V })
}

function asProfile(name: string): 'ipc' | 'filecoin' {
  if (name === 'ipc' || name === 'filecoin') return name
  throw new CliError('TRP-7004', Exit.Usage, `there is no profile ${JSON.stringify(name)}`, { fix: 'ipc or filecoin' })
}

function policyOf(input: Input, configured: number | undefined): BlockPolicy {
  if (input.flags['no-mining'] === true) return { kind: 'manual' }
  const text = textFlag(input, 'block-time')
  const seconds = text === undefined ? configured : Number(text)
  if (seconds === undefined) return { kind: 'auto' }
  if (!(seconds > 0)) throw new CliError('TRP-7002', Exit.Usage, `--block-time takes seconds above 0, not ${text}`)
  return { kind: 'interval', intervalMs: Math.round(seconds * 1000) }
}

function readBundleFile(input: Input, project: Project): Uint8Array | undefined {
  const flag = textFlag(input, 'bundle')
  const path = flag === undefined ? project.config.bundle : resolve(input.cwd, flag)
  if (path === undefined) return undefined
  try {
    return readFileSync(resolve(project.root, path))
  } catch (error) {
    throw new CliError(
      'TRP-7202',
      Exit.Project,
      `the bundle ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`,
    )
  }
}

export async function openChainStore(folder: string | null): Promise<ChainStore> {
  if (folder === null) return new MemoryChainStore()
  try {
    return openStore(folder)
  } catch (error) {
    throw toStateError(error)
  }
}

interface Homes {
  at(index: number): NodeHome
  close(): Promise<void>
}

/** Each node's own place in the state folder, opened when the node is; the first at once, so that a folder in use is found early. */
async function openHomes(
  folder: string | null,
  { isReset, ...options }: StoreOptions & { readonly isReset: boolean },
): Promise<Homes> {
  const opened: NodeHome[] = []
  const at = (index: number): NodeHome => {
    try {
      return (opened[index] ??= folder === null ? openMemoryHome() : openFolderHome(folder, index, options))
    } catch (error) {
      throw toStateError(error)
    }
  }
  try {
    if (isReset && folder !== null) {
      await removeHomes(folder)
      for (const own of [COMET_FOLDER, PROCESSES_FOLDER]) rmSync(join(folder, own), { recursive: true, force: true })
    }
  } catch (error) {
    throw toStateError(error)
  }
  at(0)
  return {
    at,
    async close() {
      for (const { store } of opened) await store.close()
    },
  }
}

function toStateError(error: unknown): unknown {
  if (error instanceof JournalDamaged) return new CliError(error.code, Exit.Project, error.message)
  if (!(error instanceof StoreError)) return error
  const exit = error.code === 'STORE_LOCKED' ? Exit.Refused : Exit.Project
  const fix = error.isLost ? 'troupe dev --reset begins a new chain' : undefined
  return new CliError(STORE_CODES[error.code] ?? 'TRP-8210', exit, error.message, optional('fix', fix))
}

const STORE_CODES: Readonly<Record<string, string>> = {
  STORE_LOCKED: 'TRP-8202',
  STORE_NEWER: 'TRP-8203',
  STORE_DAMAGED: 'TRP-8204',
  STORE_READ_ONLY: 'TRP-8205',
  STORE_FULL: 'TRP-8206',
  STORE_FAILED: 'TRP-8207',
  STORE_UNAVAILABLE: 'TRP-8208',
  STORE_CLOSED: 'TRP-8209',
  STORE_OLDER: 'TRP-8218',
}

function wantedPort(input: Input, project: Project): number {
  return numberFlag(input, 'port') ?? project.config.port ?? DEFAULT_PORT
}

async function listen(input: Input, project: Project, devnet: Devnet): Promise<RunningServer> {
  const host = textFlag(input, 'host') ?? project.config.host ?? '127.0.0.1'
  const port = wantedPort(input, project)
  try {
    return await serveDevnet(devnet, {
      host,
      port,
      isStrict: input.flags['strict-port'] === true,
      allowRemotePowers: input.flags['allow-remote-powers'] === true,
    })
  } catch (error) {
    if (error instanceof PortBusy)
      throw new CliError(error.code, Exit.Network, error.message, {
        fix: 'choose another with --port, or leave --strict-port out',
      })
    throw new CliError('TRP-8403', Exit.Network, `cannot listen on ${host}:${port}: ${(error as Error).message}`)
  }
}

/** Resolves when the user, or the system, wants the command to end. */
export function untilStopped(onKey: (key: string) => void = () => {}): Promise<void> {
  return new Promise((resolve) => {
    const stop = onSignal((signal) => {
      if (signal.kind === 'key') onKey(signal.key)
      else {
        stop()
        resolve()
      }
    })
  })
}
