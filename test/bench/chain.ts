/** Signed messages from the door to the disk, in this process and over HTTP; what 100,000 blocks leave behind. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatCid } from '../../devnet/ipld/cid.ts'
import { DEFAULT_MNEMONIC, type DevAccount, deriveAccounts } from '../../devnet/node/accounts.ts'
import { type Devnet, openDevnet } from '../../devnet/node/devnet.ts'
import { signMessage } from '../../devnet/node/signatures.ts'
import { openStore } from '../../devnet/node/store.ts'
import { encodeTransaction, type SignedTransaction } from '../../devnet/node/transaction.ts'
import { transactionCid } from '../../devnet/node/transaction-door.ts'
import { signedMessageJson } from '../../devnet/rpc/filecoin/json.ts'
import type { TokenAmount } from '../../devnet/state/token.ts'
import { CliProcess, makeFolder, request } from '../e2e/cli-process.ts'
import { report, timeOfAsync } from './report.ts'

const CHAIN_ID = 31337n
const MESSAGES = 10_000
const RUNS = 3
/** Submitted and not yet durable, at most. */
const WINDOW = 2_000
const BATCH = 100
const CONNECTIONS = 4

/** As many messages of each sender, in sequence, the senders taking turns. */
export function signAll(
  senders: readonly DevAccount[],
  round: number,
  count = MESSAGES,
  chainId = CHAIN_ID,
): SignedTransaction[] {
  const each = count / senders.length
  return Array.from({ length: count }, (_, i) => {
    const from = senders[i % senders.length]!
    const message = {
      version: 0n,
      from: from.address,
      to: senders[0]!.ethAddress,
      sequence: BigInt(round * each + Math.floor(i / senders.length)),
      value: 1n as TokenAmount,
      gasLimit: 5_000_000n,
      gasFeeCap: 1_000_000n as TokenAmount,
      gasPremium: 10n as TokenAmount,
      method: 0n,
      params: new Uint8Array(0),
    }
    return { kind: 'signed', origin: 0, message, signature: signMessage(message, from.secretKey, chainId) } as const
  })
}

/** A window of them at a time; resolves when all are durable. */
export async function submitAll({ chain }: Devnet, txs: readonly Uint8Array[]): Promise<void> {
  for (let from = 0; from < txs.length; from += WINDOW) {
    const cids = txs.slice(from, from + WINDOW).map((tx) => chain.submit(tx))
    for (const { result } of await Promise.all(cids.map((cid) => chain.waitFor(cid)))) {
      if (result.exitCode !== 0) throw new Error(result.note)
    }
  }
}

export async function benchInProcess(senderCount: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'))
  const devnet = openDevnet({ store: openStore(folder), accounts: 100 })
  const senders = devnet.accounts.slice(0, senderCount)
  const rates: number[] = []
  for (let round = 0; round < RUNS; round++) {
    const txs = signAll(senders, round).map(encodeTransaction)
    const ms = await timeOfAsync(async () => {
      await submitAll(devnet, txs)
    })
    rates.push((MESSAGES / ms) * 1000)
  }
  report(`signed messages, in process, ${senderCount} senders, LMDB`, 'messages/s', rates)
  await devnet.close()
  rmSync(folder, { recursive: true })
}

export async function benchHttp(senderCount: number): Promise<void> {
  const folder = makeFolder({})
  const node = new CliProcess(['node', '--json', '--port', '0', '--accounts', '100', '--consensus', 'instant'], {
    cwd: folder.path,
  })
  const { url } = await node.ready()
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const senders = deriveAccounts(DEFAULT_MNEMONIC, senderCount)
  const rates: number[] = []
  for (let round = 0; round < RUNS; round++) {
    const signed = signAll(senders, round)
    const bodies: string[] = []
    for (let from = 0; from < signed.length; from += BATCH) {
      const calls = signed.slice(from, from + BATCH).flatMap((transaction, i) => [
        { jsonrpc: '2.0', id: i, method: 'Filecoin.MpoolPush', params: [signedMessageJson(transaction)] },
        {
          jsonrpc: '2.0',
          id: BATCH + i,
          method: 'Filecoin.StateWaitMsg',
          params: [{ '/': formatCid(transactionCid(transaction)) }],
        },
      ])
      bodies.push(JSON.stringify(calls))
    }
    let next = 0
    const send = async () => {
      while (next < bodies.length) {
        const answer = await post(`${url}/rpc/v1`, bodies[next++]!, agent)
        if (answer.includes('"error"')) throw new Error(answer.slice(0, 300))
      }
    }
    const ms = await timeOfAsync(() => Promise.all(Array.from({ length: CONNECTIONS }, send)))
    rates.push((MESSAGES / ms) * 1000)
  }
  report(
    `signed messages, HTTP batches of ${BATCH}, ${senderCount} senders, LMDB, each waited for`,
    'messages/s',
    rates,
  )
  agent.destroy()
  await node.kill()
  folder.dispose()
}

function post(url: string, body: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      url,
      { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Mines `count` empty blocks; memory then, and how long it takes to start again over them. */
export async function benchBlocks(count: number): Promise<void> {
  const folder = makeFolder({})
  // What one chain keeps; four validators of one process keep it four times.
  const words = ['node', '--consensus', 'instant', '--json', '--port', '0']
  const node = new CliProcess(words, { cwd: folder.path })
  const { url } = await node.ready()
  const ms = await timeOfAsync(async () => {
    for (let mined = 0; mined < count; mined += 10_000)
      await request(url, 'troupe_mine', Math.min(10_000, count - mined))
  })
  report('empty blocks, LMDB', 'blocks/s', [(count / ms) * 1000])
  const { resident, own } = memoryOf(node.pid)
  report(`resident memory after ${count} blocks`, 'MB', [resident])
  report(`resident memory after ${count} blocks, without pages of the state file`, 'MB', [own])
  await node.kill()
  const restarts: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const again = new CliProcess(words, { cwd: folder.path })
    restarts.push(await timeOfAsync(() => again.ready()))
    await again.kill()
  }
  report(`restart with ${count} blocks on disk`, 'ms', restarts)
  folder.dispose()
}

/** In MB, as Linux counts: all, and what is no page of a file. */
function memoryOf(pid: number): { resident: number; own: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (key: string) => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)![1]) / 1024
  return { resident: read('VmRSS'), own: read('RssAnon') }
}
