/** What `troupe dev` and `troupe node` share: flags to options, opening, the port, and stopping in good order. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ModuleCache } from '../engine/module-cache.ts'
import { BundleError } from '../node/bundle.ts'
import type { BlockPolicy } from '../node/chain.ts'
import { DEFAULT_PORT, type Devnet, openDevnet } from '../node/devnet.ts'
import { MemoryChainStore } from '../node/memory-store.ts'
import { DiskModuleStore } from '../node/module-store.ts'
import type { ChainStore } from '../node/ports.ts'
import { openStore, removeStore, StoreError } from '../node/store.ts'
import type { Project } from '../reload/project.ts'
import { announceDevnet } from '../reload/running.ts'
import { serveDevnet } from '../rpc/serve.ts'
import { PortBusy, type RunningServer } from '../rpc/server.ts'
import { ATTO_PER_FIL } from '../state/token.ts'
import { type Flag, type Input, numberFlag, textFlag } from './command.ts'
import { loadProject } from './load-project.ts'
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
  consensus: { type: 'string', value: 'instant', about: 'how blocks are decided' },
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
  const store = await openChainStore(stateFolder, input.flags['reset'] === true)
  try {
    const devnet = openDevnet({
      store,
      profile: asProfile(textFlag(input, 'profile') ?? config.profile ?? 'ipc'),
      chainId: BigInt(numberFlag(input, 'chain-id') ?? config.chainId ?? 31337),
      accounts: numberFlag(input, 'accounts') ?? config.accounts ?? 10,
      balance: BigInt(numberFlag(input, 'balance') ?? config.balance ?? 10_000) * ATTO_PER_FIL,
      ...optional('mnemonic', textFlag(input, 'mnemonic') ?? config.mnemonic),
      ...optional('bundle', readBundleFile(input, project)),
      baseFee: BigInt(numberFlag(input, 'base-fee') ?? config.baseFee ?? 100),
      policy: policyOf(input, config.blockTime),
      modules: new ModuleCache(new DiskModuleStore(join(project.dataFolder, 'build', 'modules'))),
      hasLargestStack: true,
    })
    refuseConsensus(textFlag(input, 'consensus') ?? config.consensus ?? 'instant')
    const server = await listen(input, project, devnet)
    let retract: () => void
    try {
      retract = announceDevnet(project.dataFolder, server.url)
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
    await store.close()
    if (error instanceof BundleError)
      throw new CliError(error.code, Exit.Project, error.message, {
        fix: 'give a CAR whose root is a manifest, such as builtin-actors-mainnet.car',
      })
    throw error
  }
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V })
}

function asProfile(name: string): 'ipc' | 'filecoin' {
  if (name === 'ipc' || name === 'filecoin') return name
  throw new CliError('TRP-7004', Exit.Usage, `there is no profile ${JSON.stringify(name)}`, { fix: 'ipc or filecoin' })
}

function refuseConsensus(name: string): void {
  if (name === 'instant') return
  throw new CliError('TRP-7005', Exit.Usage, `consensus ${JSON.stringify(name)} is not available in this release`, {
    fix: '--consensus instant',
  })
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

export async function openChainStore(folder: string | null, isReset: boolean): Promise<ChainStore> {
  if (folder === null) return new MemoryChainStore()
  try {
    if (isReset) await removeStore(folder)
    return openStore(folder)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    const exit = error.code === 'STORE_LOCKED' ? Exit.Refused : Exit.Project
    const fix =
      error.code === 'STORE_NEWER'
        ? 'troupe dev --reset begins a new chain'
        : error.code === 'STORE_DAMAGED'
          ? 'troupe dev --reset begins a new chain'
          : undefined
    throw new CliError(STORE_CODES[error.code] ?? 'TRP-8210', exit, error.message, optional('fix', fix))
  }
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
