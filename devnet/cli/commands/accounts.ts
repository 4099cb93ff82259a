/** `troupe accounts`: the devnet's keys, both faces of each. */
import type { AccountInfo } from '../../rpc/client.ts'
import { formatFil } from '../../state/token.ts'
import type { Command, Input } from '../command.ts'
import { openNetwork } from '../network.ts'
import { type Answer, table } from '../output.ts'

export const accounts: Command = {
  name: 'accounts',
  usage: 'accounts',
  about: 'Lists the accounts that the network signs for. Their keys are public and must never hold value.',
  example: 'troupe accounts --json',
  flags: {},
  run,
}

async function run(input: Input): Promise<Answer> {
  const network = await openNetwork(input)
  const list = await network.request<AccountInfo[]>('troupe_accounts')
  const rows = list.map(({ name, address, eth, balance, ethBalance }) => [
    name,
    address,
    formatFil(BigInt(balance)),
    eth,
    formatFil(BigInt(ethBalance)),
  ])
  return { data: { accounts: list }, text: table([['account', 'filecoin', 'FIL', 'ethereum', 'FIL'], ...rows]) }
}
