/**
 * Vectors of CometBFT's formats and rules, made with the genuine library: one JSON object a file, many cases in it. Every
 * field of a case is compared here, but for RPC exchanges and subscriptions of `blocks` and `live` (`rpc/comet/recorded.ts`).
 */

import { runBlocks, runLive } from './comet-blocks.ts'
import { runCommits } from './comet-commits.ts'
import { runEvidence } from './comet-evidence.ts'
import { runGolden } from './comet-golden.ts'
import { runHashes } from './comet-hashes.ts'
import { runProposer } from './comet-proposer.ts'
import type { CaseResult } from './comet-report.ts'
import { type CometFile, CometReport } from './comet-report.ts'
import { runSignBytes } from './comet-sign-bytes.ts'
import { runSignGuard } from './comet-sign-guard.ts'
import { runVoteSets } from './comet-vote-sets.ts'
import { runWire } from './comet-wire.ts'
import { VectorError } from './vector.ts'

const RUNNERS: Readonly<Record<string, (file: CometFile, report: CometReport) => void>> = {
  golden: runGolden,
  'sign-bytes': runSignBytes,
  hashes: runHashes,
  proposer: runProposer,
  commits: runCommits,
  'vote-sets': runVoteSets,
  evidence: runEvidence,
  wire: runWire,
  'sign-guard': runSignGuard,
  blocks: runBlocks,
  live: runLive,
}

/** The file, when it is one of CometBFT's vectors; else undefined. */
export function readCometVector(text: string): CometFile | undefined {
  if (!/"library"\s*:\s*"[^"]*cometbft/i.test(text.slice(0, 4096))) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whether the file has exchanges of a client with a node. */
export function hasExchanges(file: CometFile): boolean {
  return file.file === 'live' || file.file === 'blocks'
}

/** Runs every case of the file. @throws VectorError for a file that has no runner */
export function runCometVector(file: CometFile): readonly CaseResult[] {
  const run = RUNNERS[file.file]
  if (file.format !== 1 || run === undefined)
    throw new VectorError(`no runner for ${file.file} of format ${file.format}`)
  const report = new CometReport(file.file)
  run(file, report)
  return report.results
}
