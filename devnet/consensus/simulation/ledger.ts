/**
 * The application of simulations: it remembers what it was given and in which order, and changes validators when told so.
 *
 *   put <text>            a line in the ledger; each may be there once
 *   power <key> <power>   the validator with that key of the ring has so much power, or is gone with 0
 *   bad …                 no block may carry it
 */
import { concatBytes } from '../../primitives/bytes.ts'
import { sha256, sha256Binary } from '../../primitives/hash.ts'
import { decodeUtf8, encodeUtf8 } from '../../primitives/utf8.ts'
import type { BlockOutcome } from '../chain-state.ts'
import type { Block, PublicKey } from '../wire.ts'

export interface Ledger {
  /** Hash of all that was ever executed. */
  readonly digest: Uint8Array
  readonly lines: ReadonlySet<string>
  /** By key of the ring. */
  readonly powers: ReadonlyMap<number, bigint>
}

export function openLedger(powers: readonly bigint[]): Ledger {
  return { digest: new Uint8Array(32), lines: new Set(), powers: new Map(powers.entries()) }
}

export function isAcceptable({ lines }: Ledger, block: Block): boolean {
  const seen = new Set<string>()
  for (const tx of block.data.txs) {
    const line = decodeUtf8(tx)
    if (line === undefined || line.startsWith('bad') || lines.has(line) || seen.has(line)) return false
    seen.add(line)
  }
  return true
}

/** What is left of the lines that may go into the next block. */
export function selectLines({ lines }: Ledger, waiting: Iterable<string>, count: number): readonly Uint8Array[] {
  const taken: Uint8Array[] = []
  for (const line of waiting) {
    if (taken.length >= count) break
    if (!lines.has(line)) taken.push(encodeUtf8(line))
  }
  return taken
}

export function executeBlock(
  ledger: Ledger,
  block: Block,
  keys: readonly PublicKey[],
): { readonly ledger: Ledger; readonly outcome: BlockOutcome } {
  const lines = new Set(ledger.lines)
  const powers = new Map(ledger.powers)
  const changes = new Map<number, bigint>()
  for (const tx of block.data.txs) {
    const line = decodeUtf8(tx) ?? ''
    lines.add(line)
    const change = readChange(line)
    if (change === undefined || keys[change.key] === undefined) continue
    if (change.power === 0n && !powers.has(change.key)) continue
    changes.set(change.key, change.power)
  }
  for (const [key, power] of changes) {
    if (power === 0n) powers.delete(key)
    else powers.set(key, power)
  }
  const misbehavior = encodeUtf8(String(block.evidence.evidence.length))
  const digest = sha256(concatBytes(ledger.digest, misbehavior, ...block.data.txs.map((tx) => sha256(tx))))
  const txResults = block.data.txs.map((tx) => ({
    code: 0,
    data: tx,
    log: '',
    info: '',
    gasWanted: 0n,
    gasUsed: BigInt(tx.length),
    events: [],
    codespace: '',
  }))
  const validatorUpdates = [...changes].map(([key, power]) => ({ pubKey: keys[key]!, power }))
  return {
    ledger: { digest, lines, powers },
    outcome: { txResults, validatorUpdates, consensusParamUpdates: null, appHash: sha256Binary(digest) },
  }
}

/** The last word of a line may tell lines of the same change apart. */
function readChange(line: string): { readonly key: number; readonly power: bigint } | undefined {
  const match = /^power (\d{1,4}) (\d{1,9})( |$)/.exec(line)
  return match === null ? undefined : { key: Number(match[1]), power: BigInt(match[2]!) }
}
