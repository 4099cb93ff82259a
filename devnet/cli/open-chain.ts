/** Who decides the blocks of a devnet, as the command line says: votes in this process or in many, one process alone, or the real CometBFT. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { CometError, findComet } from '../node/abci/comet-node.ts'
import { parseAbciAddress } from '../node/abci/server.ts'
import { type CometHostOptions, hostCometDevnet, openCometDevnet } from '../node/comet-devnet.ts'
import { DEFAULT_VALIDATORS, type Devnet, type DevnetOptions, openDevnet } from '../node/devnet.ts'
import { HandshakeError } from '../node/handshake.ts'
import { openMemberDevnet } from '../node/member.ts'
import { MeshError } from '../node/mesh.ts'
import { NetworkFileError, readNetworkFile } from '../node/network-file.ts'
import type { NodeHome } from '../node/node-home.ts'
import { findPackageRoot } from '../node/package-root.ts'
import { openProcessDevnet } from '../node/process-devnet.ts'
import { openStore } from '../node/store.ts'
import type { Project } from '../reload/project.ts'
import { type Input, numberFlag, textFlag } from './command.ts'
import { CliError, Exit, talk } from './output.ts'

/** Below the state folder: what CometBFT's nodes keep, and what validators in processes of their own do. */
export const COMET_FOLDER = 'comet'
export const PROCESSES_FOLDER = 'processes'
/** A host whose application fails must not go on: CometBFT would ask it again. */
const APPLICATION_FAILED = 70

export interface ChainOptions extends Omit<DevnetOptions, 'store' | 'consensus' | 'validators' | 'seed'> {
  readonly project: Project
  readonly stateFolder: string | null
  readonly homes: (index: number) => NodeHome
}

export async function openChain(input: Input, { project, stateFolder, ...rest }: ChainOptions): Promise<Devnet> {
  const name = textFlag(input, 'consensus') ?? project.config.consensus ?? 'bft'
  const abci = textFlag(input, 'abci')
  const networkFile = textFlag(input, 'join')
  const validators = numberFlag(input, 'validators') ?? project.config.validators
  const isVoting = networkFile !== undefined || (abci === undefined && name === 'bft')
  if (input.flags['record'] !== undefined && !isVoting) {
    throw new CliError('TRP-7002', Exit.Usage, '--record writes down validators of bft', {
      fix: 'leave --abci and other kinds of --consensus out',
    })
  }
  const options: DevnetOptions = {
    ...rest,
    ...recordOf(input),
    seed: numberFlag(input, 'seed') ?? 1,
    ...(validators === undefined ? {} : { validators }),
  }
  try {
    if (networkFile !== undefined)
      return (await openMemberDevnet(readNetworkFile(resolve(input.cwd, networkFile)), options)).devnet
    if (abci !== undefined) {
      return await hostCometDevnet({ ...options, store: rest.homes(0).store, ...hostOptions(input, abci) })
    }
    switch (name) {
      case 'bft':
        return input.flags['processes'] === true
          ? await openProcesses(options, stateFolder)
          : openDevnet({ ...options, consensus: 'bft' })
      case 'instant':
        return openDevnet({ ...options, consensus: 'instant' })
      case 'cometbft':
        return await openComet({ ...options, store: rest.homes(0).store }, stateFolder)
    }
  } catch (error) {
    throw toCliError(error)
  }
  throw new CliError('TRP-7005', Exit.Usage, `there is no consensus ${JSON.stringify(name)}`, {
    fix: 'bft, instant or cometbft',
  })
}

/** A recording goes on over restarts of a member, but not into another chain. */
function recordOf(input: Input): Pick<DevnetOptions, 'recordTo'> {
  const flag = textFlag(input, 'record')
  if (flag === undefined) return {}
  const recordTo = resolve(input.cwd, flag)
  if (input.flags['join'] !== undefined && input.flags['reset'] === true) rmSync(recordTo, { force: true })
  return { recordTo }
}

function toCliError(error: unknown): unknown {
  if (error instanceof HandshakeError) {
    return new CliError('TRP-8214', Exit.Project, error.message, { fix: 'troupe dev --reset begins a new chain' })
  }
  if (error instanceof CometError) return new CliError('TRP-8215', Exit.Project, error.message)
  if (error instanceof NetworkFileError) return new CliError(error.code, Exit.Project, error.message)
  if (error instanceof MeshError) return new CliError(error.code, Exit.Network, error.message)
  return error
}

function openProcesses(options: DevnetOptions, stateFolder: string | null): Promise<Devnet> {
  const command = [join(findPackageRoot(), 'dist', 'devnet', 'cli', 'launch.cjs')]
  const onExit = (index: number, code: number | null): void =>
    talk(`validator v${index + 1} ended with ${code ?? 'a signal'}; it starts again`)
  const count = options.validators ?? DEFAULT_VALIDATORS
  if (stateFolder !== null) {
    return openProcessDevnet(
      { ...options, validators: count },
      { folder: join(stateFolder, PROCESSES_FOLDER), command, onExit },
    )
  }
  return inTemporaryFolder('troupe-processes-', (folder) =>
    openProcessDevnet({ ...options, validators: count }, { folder, command, onExit }),
  )
}

/** The nodes' files lie beside the chain; without one they go when the devnet does. */
function openComet(options: DevnetOptions, stateFolder: string | null): Promise<Devnet> {
  const binary = findComet(process.env)
  if (stateFolder !== null) {
    return openCometDevnet({ ...options, binary, folder: join(stateFolder, COMET_FOLDER), openStore })
  }
  return inTemporaryFolder('troupe-comet-', (folder) => openCometDevnet({ ...options, binary, folder }))
}

async function inTemporaryFolder(prefix: string, open: (folder: string) => Promise<Devnet>): Promise<Devnet> {
  const folder = mkdtempSync(join(tmpdir(), prefix))
  const devnet = await open(folder)
  return {
    ...devnet,
    async close() {
      await devnet.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function hostOptions(input: Input, abci: string): Pick<CometHostOptions, 'endpoint' | 'rpcUrl' | 'onFailure'> {
  const endpoint = parseAbciAddress(abci)
  if (endpoint === undefined) {
    throw new CliError('TRP-7002', Exit.Usage, `--abci takes tcp://host:port or unix:///path, not ${abci}`)
  }
  return {
    endpoint,
    rpcUrl: textFlag(input, 'comet-rpc') ?? 'http://127.0.0.1:26657',
    onFailure(error) {
      talk(`the application failed: ${error instanceof Error ? error.message : String(error)}`)
      process.exit(APPLICATION_FAILED)
    },
  }
}
