/** `vote-sets`: votes and claims event by event, and the commit that comes of them. */

import { isFault } from '../consensus/fault.ts'
import { decode, encode } from '../consensus/schema.ts'
import {
  addVote,
  claimMajority,
  commitOf,
  createVoteSet,
  extendedCommitOf,
  hasAll,
  hasAnyQuorum,
  type VoteSet,
} from '../consensus/vote-set.ts'
import { BLOCK_ID, COMMIT, EXTENDED_COMMIT, VOTE } from '../consensus/wire.ts'
import { fromHex, toHex } from '../primitives/bytes.ts'
import { readSet } from './comet-commits.ts'
import type { Check, CometFile, CometReport } from './comet-report.ts'

export function runVoteSets(file: CometFile, report: CometReport): void {
  for (const [i, run] of file.runs.entries()) report.run(`run ${i}`, (check) => compareRun(check, run))
}

function compareRun(check: Check, run: CometFile): void {
  const { chainId, round, type, extensions } = run
  const step = { chainId, height: BigInt(run.height), round, type, hasExtensions: extensions }
  let set = createVoteSet(step, readSet(run.validators))
  for (const [i, event] of run.events.entries()) {
    if (event.claim !== undefined) {
      const claimed = claimMajority(set, event.peer, decode(BLOCK_ID, fromHex(event.claim)))
      check.verdict(`event ${i} claim`, event.result, isFault(claimed) ? claimed : null)
      if (!isFault(claimed)) set = claimed
    } else {
      const added = addVote(set, decode(VOTE, fromHex(event.vote)))
      check.verdict(`event ${i} vote`, event.result, added.fault)
      check.equal(`event ${i} added`, event.added, added.isAdded)
      set = added.set
    }
    check.equal(`event ${i} majority`, event.majority, majorityOf(set))
    check.equal(`event ${i} anyTwoThirds`, event.anyTwoThirds, hasAnyQuorum(set))
    check.equal(`event ${i} all`, event.all, hasAll(set))
    check.equal(`event ${i} voters`, event.voters, votersOf(set))
  }
  if (run.commit !== undefined) check.equal('commit', run.commit, toHex(encode(COMMIT, commitOf(set)!)))
  if (run.extendedCommit === undefined) return
  check.equal('extendedCommit', run.extendedCommit, toHex(encode(EXTENDED_COMMIT, extendedCommitOf(set)!)))
}

/** Empty for nil. */
function majorityOf({ majority }: VoteSet): string | null {
  if (majority === null) return null
  return majority.hash === '' ? '' : toHex(encode(BLOCK_ID, majority))
}

function votersOf({ votes }: VoteSet): string {
  return `BA{${votes.length}:${votes.map((vote) => (vote === null ? '_' : 'x')).join('')}}`
}
