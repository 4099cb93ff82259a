/**
 * Kills a devnet with SIGKILL while it takes messages, again and again, and counts what became of those it had
 * acknowledged. A message is acknowledged when `StateWaitMsg` has answered: it is in a durable block then.
 */
import { type Cid, formatCid } from '../../../devnet/ipld/cid.ts'
import { DEFAULT_MNEMONIC, type DevAccount, deriveAccounts } from '../../../devnet/node/accounts.ts'
import { signMessage } from '../../../devnet/node/signatures.ts'
import { decodeTransaction, type SignedTransaction } from '../../../devnet/node/transaction.ts'
import { transactionCid } from '../../../devnet/node/transaction-door.ts'
import { fromHex } from '../../../devnet/primitives/bytes.ts'
import { signedMessageJson } from '../../../devnet/rpc/filecoin/json.ts'
import { formatAddress } from '../../../devnet/state/address.ts'
import type { TokenAmount } from '../../../devnet/state/token.ts'
import { CliProcess, request, requestAll } from '../../e2e/cli-process.ts'

export interface CrashPlan {
  readonly kills: number
  /** Sent in each life. */
  readonly messages: number
  readonly seed: number
  readonly folder: string
}

export interface CrashReport {
  readonly kills: number
  readonly acknowledged: number
  /** Acknowledged, and not on the chain after the restart. */
  readonly lost: number
  /** On the chain more than once. */
  readonly doubled: number
  /** Blocks whose parent is not the block below, and senders whose sequence is not the number of their messages. */
  readonly inconsistent: number
  readonly restartMs: readonly number[]
}

const CHAIN_ID = 31337n
/** Journals of the life before may still bring a block to its end, with messages that nobody was told of; they are the ones we send now. */
const USED = /^sequence \d+ is used/
const IN_FLIGHT = 16
const BATCH_MAX = 200

export async function runCrashes(plan: CrashPlan): Promise<CrashReport> {
  const random = seeded(plan.seed)
  const [alice, bob] = deriveAccounts(DEFAULT_MNEMONIC, 2) as [DevAccount, DevAccount]
  const acknowledged = new Set<Cid>()
  const restartMs: number[] = []
  let [lost, doubled, inconsistent] = [0, 0, 0]
  for (let life = 0; life <= plan.kills; life++) {
    const isLast = life === plan.kills
    const started = performance.now()
    const node = new CliProcess(['node', '--json', '--port', '0', '--state', 'state'], { cwd: plan.folder })
    try {
      const { url } = await node.ready()
      restartMs.push(performance.now() - started)

      const { counts, broken, sequence } = await readAtRest(url, textOf(alice))
      for (const cid of acknowledged) if (!counts.has(cid)) lost++
      for (const count of counts.values()) if (count > 1) doubled++
      inconsistent += broken + (sequence === counts.size ? 0 : 1)

      const killAt = isLast ? Number.POSITIVE_INFINITY : Math.floor(random() * plan.messages)
      let heard = 0
      const hear = (cid: Cid) => {
        acknowledged.add(cid)
        if (++heard === killAt + 1) void node.kill('SIGKILL')
      }
      const messages = Array.from({ length: plan.messages }, (_, i) => sign(alice, bob, BigInt(sequence + i)))
      const refusal = await sendAll(url, messages, hear)
      if (isLast && refusal !== undefined) throw new Error(`the chain did not go on: ${refusal} ${node.stderr}`)
    } finally {
      await node.kill(isLast ? 'SIGTERM' : 'SIGKILL')
    }
  }
  return { kills: plan.kills, acknowledged: acknowledged.size, lost, doubled, inconsistent, restartMs }
}

/** Stops at the first request that the node does not answer any more, and answers why; undefined when all were acknowledged. */
async function sendAll(
  url: string,
  messages: readonly SignedTransaction[],
  hear: (cid: Cid) => void,
): Promise<unknown> {
  let next = 0
  const send = async (): Promise<void> => {
    while (next < messages.length) {
      const transaction = messages[next++]!
      const cid = transactionCid(transaction)
      const answers = await requestAll(`${url}/rpc/v1`, [
        ['Filecoin.MpoolPush', signedMessageJson(transaction)],
        ['Filecoin.StateWaitMsg', { '/': formatCid(cid) }],
      ])
      const refused = answers.find(({ error }) => error !== undefined && !USED.test(error.message))
      if (refused !== undefined) throw new Error(refused.error!.message)
      hear(cid)
    }
  }
  const results = await Promise.allSettled(Array.from({ length: IN_FLIGHT }, send))
  return results.find((result) => result.status === 'rejected')?.reason
}

/** The chain and the sender's sequence at one height: a validator that was behind the others may still be catching up. */
async function readAtRest(url: string, sender: string) {
  for (;;) {
    const { height } = await request<{ height: number }>(url, 'troupe_status')
    const chain = await readChain(url, height)
    const sequence = await request<number>(url, 'Filecoin.MpoolGetNonce', sender)
    const after = await request<{ height: number }>(url, 'troupe_status')
    if (after.height === height) return { ...chain, sequence }
  }
}

interface BlockJson {
  readonly hash: string
  readonly parentHash: string
  readonly txs: readonly string[]
}

/** How often each message is on the chain, and how many blocks do not follow the one below. */
async function readChain(url: string, height: number): Promise<{ counts: Map<Cid, number>; broken: number }> {
  const counts = new Map<Cid, number>()
  let [broken, parent] = [0, '']
  for (let from = 0; from <= height; from += BATCH_MAX) {
    const heights = Array.from({ length: Math.min(BATCH_MAX, height + 1 - from) }, (_, i) => from + i)
    const answers = await requestAll(
      url,
      heights.map((at) => ['troupe_block', at] as const),
    )
    for (const { result } of answers) {
      const { hash, parentHash, txs } = result as BlockJson
      if (parent !== '' && parentHash !== parent) broken++
      parent = hash
      for (const tx of txs) {
        const cid = transactionCid(decodeTransaction(fromHex(tx.slice(2))) as SignedTransaction)
        counts.set(cid, (counts.get(cid) ?? 0) + 1)
      }
    }
  }
  return { counts, broken }
}

function sign(from: DevAccount, to: DevAccount, sequence: bigint): SignedTransaction {
  const message = {
    version: 0n,
    from: from.address,
    to: to.address,
    sequence,
    value: 1n as TokenAmount,
    gasLimit: 5_000_000n,
    gasFeeCap: 1_000n as TokenAmount,
    gasPremium: 10n as TokenAmount,
    method: 0n,
    params: new Uint8Array(0),
  }
  return { kind: 'signed', origin: 0, message, signature: signMessage(message, from.secretKey, CHAIN_ID) }
}

function textOf({ address }: DevAccount): string {
  return formatAddress(address, 't')
}

/** The same numbers for the same seed. @source mulberry32 */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
