/** `troupe view Actor.method args…`: runs a message and keeps nothing. */
import type { Receipt } from '../../rpc/client.ts'
import type { Command, Input } from '../command.ts'
import { MESSAGE_FLAGS, readInvocation, readReturn } from '../invocation.ts'
import { openBook, openNetwork } from '../network.ts'
import { type Answer, talk } from '../output.ts'
import { withProgress } from '../progress.ts'
import { failureOf, formatEvent, formatValue, grouped, nameEvents, nameFailure } from '../receipts.ts'

export const view: Command = {
  name: 'view',
  usage: 'view <Actor.method> [args…]',
  about: 'Runs a method over the newest state and shows what it answers. No block, no fee, nothing is kept.',
  example: 'troupe view Counter.get',
  flags: { value: MESSAGE_FLAGS['value']! },
  run,
}

async function run(input: Input): Promise<Answer> {
  const network = await openNetwork(input)
  return withProgress(input, 'waiting for the answer', async () => {
    const book = await openBook(network)
    const invocation = readInvocation(input, book, view)
    const { label, actor, method, draft } = invocation
    let receipt: Receipt
    try {
      receipt = await network.request<Receipt>('troupe_call', draft)
    } catch (error) {
      throw nameFailure(error, label, actor?.id, book)
    }
    const { exitCode, gasUsed, note } = receipt
    if (exitCode !== 0) throw failureOf({ label, id: actor?.id, exitCode, note, receipt }, book)
    const { value, warnings } = readReturn(invocation, receipt, book)
    const events = nameEvents(receipt.events, book)
    if (!input.isJson && input.flags['quiet'] !== true) {
      for (const event of events) talk(formatEvent(event))
      talk(`gas ${grouped(gasUsed)}, nothing kept`)
    }
    const isView = method === undefined || method.kind === 'view'
    return {
      data: { value, exitCode, gasUsed, events },
      text: value === null ? '' : formatValue(value),
      warnings: isView ? warnings : [...warnings, `${label} is no view: what it changed was not kept`],
    }
  })
}
