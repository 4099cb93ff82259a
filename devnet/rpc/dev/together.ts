/**
 * What a devnet asks of its validators in processes of their own, over their JSON-RPC: faults, which their links have themselves, and to go
 * back to an earlier block, which is of use only when all do.
 */
import { SubmitError } from '../../node/chain.ts'
import type { Devnet, ProcessPeers } from '../../node/devnet.ts'
import type { BftChain } from '../../node/drivers/bft.ts'
import { Client } from '../client.ts'

export async function tellOthers({ processes }: Devnet, method: string, ...params: readonly unknown[]): Promise<void> {
  await tell(processes?.urls() ?? [], method, ...params)
}

async function tell(urls: readonly string[], method: string, ...params: readonly unknown[]): Promise<void> {
  await Promise.all(urls.map((url) => new Client(url).request(method, params)))
}

/**
 * First nobody votes any more, then all go back, then all vote again: a block above `height` that one of them still had would be taken up by
 * the others. One that cannot go back begins anew, and fetches the chain.
 *
 * @throws SubmitError when a process does not run
 */
export async function rewindTogether(own: BftChain, processes: ProcessPeers, height: number): Promise<void> {
  if (own.application.history.header(height) === undefined) throw new RangeError(`there is no block ${height}`)
  const urls = processes.urls()
  if (urls.length < own.validatorCount - 1) {
    throw new SubmitError('ELSEWHERE', 'a validator does not run now, and could not go back with the others; ask again')
  }
  // Throws when somebody else has the chain go back just now: that is not ours to end.
  await own.hold()
  const held = await Promise.allSettled(urls.map((url) => tell([url], 'troupe_hold')))
  const refusal = held.find((one) => one.status === 'rejected')
  if (refusal !== undefined) {
    await Promise.allSettled(urls.map((url) => tell([url], 'troupe_goOn')))
    own.goOn()
    throw refusal.reason
  }
  const others = await Promise.allSettled(urls.map((url) => tell([url], 'troupe_goBack', height)))
  for (const [i, { status }] of others.entries()) if (status === 'rejected') processes.renew(urls[i]!)
  try {
    await own.goBack(height)
  } finally {
    // Who ended meanwhile is started again, with what its disk has: that went back already.
    await Promise.allSettled(urls.map((url) => tell([url], 'troupe_goOn')))
    own.goOn()
  }
}
