/** Blocks of a chain as vectors: what the reference is asked, so that it says what it would have made of them. */
import { encodeVector } from '../conformance/export.ts'
import { encodeMessage } from '../state/message.ts'
import { cronTick } from './cron-tick.ts'
import type { FvmApplication } from './fvm-application.ts'
import { decodeTransaction } from './transaction.ts'

export interface ExportedBlock {
  readonly name: string
  readonly bytes: Uint8Array
}

/**
 * Each block with signed messages, from the oldest; blocks in which a devnet power did something are left out, because no
 * message says what it did. Cron's tick comes first in each.
 */
export function* exportBlocks(application: FvmApplication): Generator<ExportedBlock> {
  const { profile, chainId, debugging } = application.config
  for (let height = 1; height <= application.head.height; height++) {
    const block = application.history.block(height)
    const before = application.history.header(height - 1)
    if (block === undefined || before === undefined || block.txs.length === 0) continue
    const transactions = block.txs.map((tx) => decodeTransaction(tx))
    const signed = transactions.filter((transaction) => transaction.kind === 'signed')
    if (signed.length < transactions.length) continue
    const { header } = block
    const name = `block-${height}`
    const bytes = encodeVector({
      name,
      about: `Block ${height} of a devnet.`,
      machine: {
        networkVersion: profile.networkVersion,
        epoch: BigInt(height),
        timestamp: BigInt(Math.floor(header.timeMs / 1000)),
        baseFee: header.baseFee,
        circulatingSupply: header.circulatingSupply,
        chainId,
        actorDebugging: debugging,
      },
      root: before.stateRoot,
      store: application.store,
      messages: [
        { message: cronTick(height), implicit: true, rawLength: null },
        ...signed.map((transaction) => ({
          message: transaction.message,
          implicit: false,
          rawLength: application.applyOptions(transaction).rawLength ?? encodeMessage(transaction.message).length,
        })),
      ],
    })
    yield { name, bytes }
  }
}
