/** `troupe fund who amount`: the faucet. */
import { formatFil } from '../../state/token.ts'
import { type Command, type Input, needWord } from '../command.ts'
import { parseAmount } from '../invocation.ts'
import { openNetwork } from '../network.ts'
import type { Answer } from '../output.ts'
import { readBalance } from './balance.ts'

export const fund: Command = {
  name: 'fund',
  usage: 'fund <who> <amount>',
  about:
    'Adds FIL to an account, an actor or an address, out of nothing. An address that nobody used comes into being.',
  example: 'troupe fund 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 100',
  flags: {},
  run,
}

async function run(input: Input): Promise<Answer> {
  const who = needWord(input, 0, 'who', fund)
  const amount = parseAmount(needWord(input, 1, 'the amount', fund))
  const network = await openNetwork(input)
  const before = BigInt((await readBalance(network, who)).balance)
  await network.request('troupe_setBalance', who, (before + amount).toString())
  const after = await readBalance(network, who)
  const fil = formatFil(BigInt(after.balance))
  return { data: { who, ...after, added: amount, fil }, text: `${who} has ${fil} FIL (${formatFil(amount)} more)` }
}
