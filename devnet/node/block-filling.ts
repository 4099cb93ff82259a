/** What goes into a block that is proposed. */
import type { ActorId } from '../state/actor.ts'
import { GAS_MARKET } from './gas-market.ts'
import type { TransactionDoor } from './transaction-door.ts'

export const BLOCK_MESSAGES_MAX = 1000

/** A transaction that has passed the door; powers need no gas. */
interface Passed {
  readonly tx: Uint8Array
  readonly gasLimit: bigint
}

/**
 * What may go into a block, in the order given, as far as there is room; messages of one sender in sequence, because one
 * that came early would be refused and lost.
 */
export function fillBlock(door: TransactionDoor, txs: readonly Uint8Array[], bytesMax: bigint): Uint8Array[] {
  const taken: Uint8Array[] = []
  let bytes = 0
  let gas = 0n
  for (const { tx, gasLimit } of inSequence(door, txs)) {
    const size = sizeInBlock(tx)
    const isFull = taken.length >= BLOCK_MESSAGES_MAX
    if (isFull || bytes + size > bytesMax || gas + gasLimit > GAS_MARKET.blockGasLimit) break
    bytes += size
    gas += gasLimit
    taken.push(tx)
  }
  return taken
}

/** What passes the door. A message waits for those of its sender that come before it. */
function* inSequence(door: TransactionDoor, txs: readonly Uint8Array[]): Iterable<Passed> {
  if (txs.length === 0) return
  const { state } = door.next()
  const next = new Map<ActorId, bigint>()
  const early = new Map<ActorId, Map<bigint, Passed>>()
  for (const tx of txs) {
    const check = door.check(tx)
    if (!check.ok) continue
    const { transaction } = check.checked
    if (transaction.kind === 'power') {
      yield { tx, gasLimit: 0n }
      continue
    }
    const { from, sequence, gasLimit } = transaction.message
    const sender = state.resolve(from)!
    const waiting = early.get(sender) ?? new Map<bigint, Passed>()
    let at = next.get(sender) ?? state.getActor(sender)!.sequence
    waiting.set(sequence, { tx, gasLimit })
    for (let due = waiting.get(at); due !== undefined; due = waiting.get(++at)) {
      waiting.delete(at)
      yield due
    }
    next.set(sender, at)
    early.set(sender, waiting)
  }
}

/** A transaction in a block has its tag and its length before it. */
function sizeInBlock({ length }: Uint8Array): number {
  let size = 2 + length
  for (let rest = length; rest >= 0x80; rest >>>= 7) size++
  return size
}
