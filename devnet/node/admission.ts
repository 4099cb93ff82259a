/** The way of a message into the mempool, whoever decides blocks: looked at by the application, then put in line. */
import type { Cid } from '../ipld/cid.ts'
import { SubmitError } from './chain.ts'
import type { FvmApplication } from './fvm-application.ts'
import { type Mempool, MempoolError } from './mempool.ts'
import { CheckCode, type CheckedTransaction } from './transaction-door.ts'

/** @throws SubmitError */
export function admitMessage(application: FvmApplication, mempool: Mempool, tx: Uint8Array): Cid {
  const check = application.door.check(tx)
  if (!check.ok) throw new SubmitError(check.code, check.log)
  poolMessage(application, mempool, check.checked, tx)
  return check.checked.cid
}

/** A message that was looked at. @throws SubmitError */
export function poolMessage(
  application: FvmApplication,
  mempool: Mempool,
  { transaction, cid }: CheckedTransaction,
  tx: Uint8Array,
): void {
  if (transaction.kind === 'power') {
    throw new SubmitError(CheckCode.IllegalMessage, 'devnet powers do not come through the mempool')
  }
  const { from, sequence, gasLimit, gasFeeCap, gasPremium } = transaction.message
  try {
    mempool.add(
      { tx, cid, sender: from, sequence, gasLimit, feeCap: gasFeeCap, premium: gasPremium },
      application.door.senderOf(from)?.sequence ?? 0n,
    )
  } catch (error) {
    if (error instanceof MempoolError) throw new SubmitError(error.code, error.message)
    throw error
  }
}
