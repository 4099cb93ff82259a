/** The message that the system sends to cron before those of each block. */
import { MessageRefused } from '../engine/executor.ts'
import type { Machine } from '../engine/machine.ts'
import { EMPTY_BYTES } from '../primitives/bytes.ts'
import { CRON_ACTOR, SYSTEM_ACTOR } from '../state/actor.ts'
import { idAddress } from '../state/address.ts'
import type { Message } from '../state/message.ts'
import type { TokenAmount } from '../state/token.ts'

const EPOCH_TICK = 2n
const CRON_GAS_LIMIT = 100_000_000_000_000n

export function cronTick(height: number): Message {
  return {
    version: 0n,
    from: idAddress(SYSTEM_ACTOR),
    to: idAddress(CRON_ACTOR),
    sequence: BigInt(height),
    value: 0n as TokenAmount,
    gasLimit: CRON_GAS_LIMIT,
    gasFeeCap: 0n as TokenAmount,
    gasPremium: 0n as TokenAmount,
    method: EPOCH_TICK,
    params: EMPTY_BYTES,
  }
}

export function tickCron(machine: Machine, height: number): void {
  try {
    machine.applyMessage(cronTick(height), 'implicit')
  } catch (error) {
    if (!(error instanceof MessageRefused)) throw error
  }
}
