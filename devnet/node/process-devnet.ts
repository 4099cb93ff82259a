/** A devnet whose first validator is this process and whose others are processes of their own, over loopback. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ATTO_PER_FIL } from '../state/token.ts'
import { DEFAULT_MNEMONIC } from './accounts.ts'
import { DEFAULT_ACCOUNTS, DEFAULT_BALANCE_FIL, DEFAULT_CHAIN_ID, type Devnet, type DevnetOptions } from './devnet.ts'
import { openMemberDevnet } from './member.ts'
import { readNetworkFile } from './network-file.ts'
import { writeNetwork } from './network-plan.ts'
import { SYSTEM_CLOCK } from './ports.ts'
import { findFreePorts, ProcessNetwork, type ProcessOptions } from './process-network.ts'
import { openRecorder } from './recording.ts'
import { formatStateSync } from './sync-settings.ts'
import { deriveValidatorKeys } from './validator-keys.ts'

export interface ProcessDevnetOptions extends Pick<ProcessOptions, 'command' | 'onExit'> {
  /** For the files and the state of the nodes. */
  readonly folder: string
}

/** Ports are chosen anew each time; time begins where it did when the chain was made. `recordTo` is a folder here: a file a validator. */
export async function openProcessDevnet(
  options: DevnetOptions & { readonly validators: number },
  { folder, command, onExit }: ProcessDevnetOptions,
): Promise<Devnet> {
  const clock = options.clock ?? SYSTEM_CLOCK
  const { validators, mnemonic = DEFAULT_MNEMONIC, chainId = DEFAULT_CHAIN_ID } = options
  const ports = await findFreePorts(validators)
  const genesis = {
    timeMs: beganAt(folder) ?? Math.floor(clock.now()),
    chainId: Number(chainId),
    mnemonic,
    accounts: options.accounts ?? DEFAULT_ACCOUNTS,
    balance: Number((options.balance ?? DEFAULT_BALANCE_FIL * ATTO_PER_FIL) / ATTO_PER_FIL),
    baseFee: String(options.baseFee ?? 100n),
    profile: options.profile === 'filecoin' ? ('filecoin' as const) : ('ipc' as const),
  }
  const { snapshots, stateSync } = options
  const files = writeNetwork(folder, {
    genesis,
    settings: {
      ...(snapshots === undefined ? {} : { snapshots }),
      ...(stateSync === undefined ? {} : { stateSync: formatStateSync(stateSync) }),
    },
    hosts: ports.map((port) => `127.0.0.1:${port}`),
    keys: deriveValidatorKeys(mnemonic, chainId, validators),
  })
  const { recordTo } = options
  if (recordTo !== undefined) beginRecordings(recordTo, validators)
  const recordingOf = (index: number) => join(recordTo ?? '', `v${index}.log`)
  const network = await ProcessNetwork.start({
    command,
    files: files.slice(1),
    clock,
    onExit,
    onRenewal: (index) => {
      if (recordTo !== undefined) endHistory(recordingOf(index + 1), `v${index + 1}`, () => clock.now())
    },
    words: (index) => (recordTo === undefined ? [] : ['--record', recordingOf(index + 1)]),
  })
  try {
    const own = recordTo === undefined ? options : { ...options, recordTo: recordingOf(0) }
    const { devnet } = await openMemberDevnet(readNetworkFile(files[0]!), own)
    return {
      ...devnet,
      processes: { urls: () => network.urls, renew: (url) => network.renew(url) },
      async close() {
        await devnet.close()
        await network.close()
      },
    }
  } catch (error) {
    await network.close()
    throw error
  }
}

function beganAt(folder: string): number | undefined {
  const path = join(folder, 'v0', 'network.json')
  if (!existsSync(path)) return undefined
  return (JSON.parse(readFileSync(path, 'utf8')) as { genesis: { timeMs: number } }).genesis.timeMs
}

/** Those of an earlier run are gone: only a process that is started again goes on. */
function beginRecordings(folder: string, validators: number): void {
  mkdirSync(folder, { recursive: true })
  for (let index = 0; index < validators; index++) rmSync(join(folder, `v${index}.log`), { force: true })
}

/** Who begins anew could not say itself that it goes back with the others. */
function endHistory(recording: string, name: string, now: () => number): void {
  const recorder = openRecorder(recording, now, 'where it ended')
  recorder.rewind(name, 0)
  recorder.close()
}
