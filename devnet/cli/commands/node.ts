/** `troupe node`: the devnet alone. */

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { DEFAULT_ACCOUNTS, DEFAULT_BALANCE_FIL, DEFAULT_CHAIN_ID } from '../../node/devnet.ts'
import { writeNetwork } from '../../node/network-plan.ts'
import { banner, readyData } from '../banner.ts'
import { type Command, type Input, numberFlag, textFlag } from '../command.ts'
import { DEVNET_FLAGS, openForCommand, untilStopped } from '../devnet-command.ts'
import { type Answer, CliError, Exit, talk, toJson } from '../output.ts'

export const node: Command = {
  name: 'node',
  usage: 'node [flags]',
  about: 'Runs a devnet without watching a project: for CI and containers.',
  example: 'troupe node --port 8545 --no-persist',
  flags: {
    ...DEVNET_FLAGS,
    join: { type: 'string', value: 'network.json', about: 'be one node of a larger network' },
    'new-network': {
      type: 'string',
      value: 'dir',
      about: 'write the files of a new network for --hosts, and run nothing',
    },
    hosts: { type: 'string', value: 'a:26700,b:26700', about: 'where its nodes reach each other' },
  },
  needsStack: true,
  run,
}

async function run(input: Input): Promise<Answer> {
  const folder = textFlag(input, 'new-network')
  if (folder !== undefined) return planNetwork(input, resolve(input.cwd, folder))
  const started = performance.now()
  const opened = await openForCommand(input)
  opened.devnet.bft?.onAlarm((name, reason) => talk(`${name}: ${reason}`))
  if (input.isJson)
    process.stdout.write(`${toJson({ event: 'ready', ...readyData(opened, performance.now() - started) })}\n`)
  else talk(banner(opened, performance.now() - started))
  await untilStopped()
  await opened.close()
  return { data: { stopped: true }, text: '' }
}

/** Fresh keys, which only the files hold. */
function planNetwork(input: Input, folder: string): Answer {
  const hosts = (textFlag(input, 'hosts') ?? '').split(',').filter((host) => host !== '')
  if (hosts.length === 0 || hosts.some((host) => !/^.+:\d{1,5}$/.test(host))) {
    throw new CliError('TRP-7002', Exit.Usage, '--hosts names the nodes as host:port, with commas between', {
      fix: '--hosts 10.0.0.1:26700,10.0.0.2:26700,10.0.0.3:26700,10.0.0.4:26700',
    })
  }
  if (existsSync(folder)) {
    throw new CliError('TRP-7305', Exit.Refused, `${folder} is there already; its keys would be lost`, {
      fix: 'name a folder that is new',
    })
  }
  const files = writeNetwork(folder, {
    listen: '0.0.0.0',
    hosts,
    genesis: {
      timeMs: Date.now(),
      chainId: numberFlag(input, 'chain-id') ?? Number(DEFAULT_CHAIN_ID),
      ...(textFlag(input, 'mnemonic') === undefined ? {} : { mnemonic: textFlag(input, 'mnemonic')! }),
      accounts: numberFlag(input, 'accounts') ?? DEFAULT_ACCOUNTS,
      balance: numberFlag(input, 'balance') ?? Number(DEFAULT_BALANCE_FIL),
      baseFee: textFlag(input, 'base-fee') ?? '100',
      profile: textFlag(input, 'profile') === 'filecoin' ? 'filecoin' : 'ipc',
    },
  })
  return { data: { files }, text: [...files, '', 'each node: troupe node --join its network.json'].join('\n') }
}
