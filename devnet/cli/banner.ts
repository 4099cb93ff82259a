/** What a devnet says when it is ready. */
import { formatEthAddress } from '../node/accounts.ts'
import { deciderOf } from '../node/devnet.ts'
import { formatAddress } from '../state/address.ts'
import type { Opened } from './devnet-command.ts'
import { paint, table } from './output.ts'

export function readyData({ devnet, server, stateFolder }: Opened, readyMs: number): Record<string, unknown> {
  return {
    url: server.url,
    rpc: `${server.url}/rpc/v1`,
    port: server.port,
    chainId: devnet.chainId.toString(),
    network: devnet.networkName,
    consensus: deciderOf(devnet),
    validators: devnet.bft?.validatorCount ?? 1,
    height: devnet.chain.application.head.height,
    state: stateFolder,
    readyMs: Math.round(readyMs),
  }
}

/** `keys` says which keys do something. */
export function banner(opened: Opened, readyMs: number, keys = ''): string {
  const { devnet, server, stateFolder } = opened
  const accounts = devnet.accounts
    .slice(0, 3)
    .map(({ name, address, eth }) => [`  ${name}`, formatAddress(address, 't'), formatEthAddress(eth)])
  return [
    '',
    `${paint('bold', 'troupe')}  ready in ${Math.round(readyMs)} ms`,
    '',
    table([
      [
        '  network',
        `${devnet.networkName}, chain id ${devnet.chainId}, height ${devnet.chain.application.head.height}`,
      ],
      ['  consensus', devnet.bft === null ? deciderOf(devnet) : `bft, ${devnet.bft.validatorCount} validators`],
      ['  ethereum', opened.portWanted === server.port ? server.url : `${server.url} (${opened.portWanted} is busy)`],
      ['  filecoin', `${server.url}/rpc/v1`],
      ['  state', stateFolder ?? 'in memory'],
    ]),
    '',
    table(accounts),
    `  … ${devnet.accounts.length} accounts; their keys are public and must never hold value`,
    ...(keys === '' ? [] : ['', `  ${paint('dim', keys)}`]),
    '',
  ].join('\n')
}
