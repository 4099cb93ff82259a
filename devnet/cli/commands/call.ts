/** `troupe call Actor.method args…`: a message to a running network, signed by one of its accounts. */
import type { IncludedReceipt } from '../../rpc/client.ts'
import type { Command, Input } from '../command.ts'
import { MESSAGE_FLAGS, readInvocation, readReturn } from '../invocation.ts'
import { openBook, openNetwork } from '../network.ts'
import { type Answer, talk } from '../output.ts'
import { withProgress } from '../progress.ts'
import { failureOf, formatEvent, formatValue, grouped, nameEvents, nameFailure } from '../receipts.ts'

export const call: Command = {
  name: 'call',
  usage: 'call <Actor.method> [args…] [--value amount] [--gas n] [--from who]',
  about:
    'Sends a message to an actor and waits for its block. The actor is named, or given by id or address; arguments are ' +
    'integers, text, 0x… bytes, addresses or names of accounts, amounts (1.5fil), and JSON for lists and classes.',
  example: 'troupe call Counter.increment 41\ntroupe call Token.transfer bob 1.5fil 0x --from alice',
  flags: MESSAGE_FLAGS,
  run,
}

async function run(input: Input): Promise<Answer> {
  const network = await openNetwork(input)
  return withProgress(input, 'waiting for the block', async () => {
    const book = await openBook(network)
    const invocation = readInvocation(input, book, call)
    const { label, actor, draft } = invocation
    let receipt: IncludedReceipt
    try {
      receipt = await network.request<IncludedReceipt>('troupe_send', draft)
    } catch (error) {
      throw nameFailure(error, label, actor?.id, book)
    }
    const { exitCode, gasUsed, height, cid, note } = receipt
    if (exitCode !== 0) throw failureOf({ label, id: actor?.id, exitCode, note, receipt, cid, height }, book)
    const { value, warnings } = readReturn(invocation, receipt, book)
    const events = nameEvents(receipt.events, book)
    if (!input.isJson && input.flags['quiet'] !== true) {
      for (const event of events) talk(formatEvent(event))
      talk(`gas ${grouped(gasUsed)}, height ${height}, ${cid ?? ''}`)
    }
    return {
      data: { value, exitCode, gasUsed, height, cid, events },
      text: value === null ? '' : formatValue(value),
      warnings,
    }
  })
}
