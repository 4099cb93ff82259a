/** `troupe send to amount`: FIL from one of the network's accounts. */
import type { IncludedReceipt } from '../../rpc/client.ts'
import { formatFil } from '../../state/token.ts'
import { type Command, type Input, needWord, textFlag } from '../command.ts'
import { MESSAGE_FLAGS, messageFlags, parseAmount } from '../invocation.ts'
import { openBook, openNetwork } from '../network.ts'
import type { Answer } from '../output.ts'
import { withProgress } from '../progress.ts'
import { failureOf, grouped, nameFailure } from '../receipts.ts'

export const send: Command = {
  name: 'send',
  usage: 'send <to> <amount> [--from who]',
  about: 'Sends FIL to an account, an actor or an address.',
  example: 'troupe send bob 1.5 --from alice',
  flags: { gas: MESSAGE_FLAGS['gas']! },
  run,
}

async function run(input: Input): Promise<Answer> {
  const to = needWord(input, 0, 'the receiver', send)
  const value = parseAmount(needWord(input, 1, 'the amount', send))
  const from = textFlag(input, 'from') ?? 'alice'
  const network = await openNetwork(input)
  return withProgress(input, 'waiting for the block', async () => {
    let receipt: IncludedReceipt
    try {
      receipt = await network.request<IncludedReceipt>('troupe_send', {
        from,
        to,
        value: value.toString(),
        ...messageFlags(input),
      })
    } catch (error) {
      throw nameFailure(error, `send to ${to}`, undefined, await openBook(network))
    }
    const { exitCode, gasUsed, height, cid, note } = receipt
    if (exitCode !== 0) {
      throw failureOf(
        { label: `send to ${to}`, id: undefined, exitCode, note, receipt, cid, height },
        await openBook(network),
      )
    }
    return {
      data: { from, to, amount: value, exitCode, gasUsed, height, cid },
      text: `${from} → ${to} ${formatFil(value)} FIL, gas ${grouped(gasUsed)}, height ${height}, ${cid ?? ''}`,
    }
  })
}
