/** `troupe balance who`: what an account, an actor or an address has. */
import { formatFil } from '../../state/token.ts'
import { type Command, type Input, needWord } from '../command.ts'
import { type Network, openNetwork } from '../network.ts'
import type { Answer } from '../output.ts'

export const balance: Command = {
  name: 'balance',
  usage: 'balance <who>',
  about: 'Shows the FIL of an account (alice), an actor (Counter), an id (1001) or an address (t1…, 0x…).',
  example: 'troupe balance alice',
  flags: {},
  run,
}

export interface Holding {
  readonly address: string
  /** Null where nobody has been yet. */
  readonly id: string | null
  /** attoFIL. */
  readonly balance: string
}

export function readBalance(network: Network, who: string): Promise<Holding> {
  return network.request<Holding>('troupe_balance', who)
}

async function run(input: Input): Promise<Answer> {
  const who = needWord(input, 0, 'who', balance)
  const holding = await readBalance(await openNetwork(input), who)
  const fil = formatFil(BigInt(holding.balance))
  return { data: { who, ...holding, fil }, text: `${fil} FIL` }
}
