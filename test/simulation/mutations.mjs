/**
 * Plants known bugs in the consensus, one at a time, and asks whether the tests find each: `node test/simulation/mutations.mjs [number…]`.
 * The scenarios are asked first, then a fifth of the simulation. A bug whose place is no longer in the code is reported as such.
 *
 * @source spec consensus §8.4, T9
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const CONSENSUS = 'devnet/consensus'
const bug = (name, file, from, to) => ({ name, file: `${CONSENSUS}/${file}`, from, to })

export const MUTATIONS = [
  bug('two thirds are enough', 'quorum.ts', 'voted * 3n > total * 2n', 'voted * 3n >= total * 2n'),
  bug(
    'votes for nil count for a block',
    'vote-set.ts',
    'isQuorum(after.power, set.validators.totalVotingPower)',
    'isQuorum(after.power + (isComplete(vote.blockId) ? (set.byBlock.get(blockIdKey(NIL_BLOCK_ID))?.power ?? 0n) : 0n), set.validators.totalVotingPower)',
  ),
  bug(
    'a fresh proposal is not held against the lock',
    'round.ts',
    'const mayVote = state.locked === null || equalBlockIds(state.locked.blockId, blockId)\n',
    'const mayVote = true\n',
  ),
  bug('a proof may be older than the lock', 'round.ts', 'state.locked.round <= polRound', 'state.locked.round >= polRound'),
  bug(
    'a nil polka unlocks',
    'round.ts',
    'return { state: cast(state, PRECOMMIT, NIL_BLOCK_ID, effects), effects }\n}\n\n/** R3. */',
    'return { state: cast({ ...state, locked: null }, PRECOMMIT, NIL_BLOCK_ID, effects), effects }\n}\n\n/** R3. */',
  ),
  bug('the round of the proof is not sent', 'own-messages.ts', 'polRound: valid.round', 'polRound: -1'),
  bug(
    'guards are not asked again',
    'round.ts',
    'for (let fired = fire(next); fired !== null; fired = fire(next)) {',
    'for (let fired = fire(next); fired !== null; fired = null) {',
  ),
  bug(
    'waiting begins anew with each vote',
    'round.ts',
    'return keeper === state.keeper ? state : { ...state, keeper }',
    'return keeper === state.keeper ? state : { ...state, keeper, firedR3: -1, firedR6: -1 }',
  ),
  bug(
    'votes leave before the journal is durable',
    'outbox.ts',
    'if (!this.#hasUnsynced) return this.#dispatch(batch)\n',
    'this.#dispatch(batch.splice(0))\n    if (!this.#hasUnsynced) return\n',
  ),
  bug('what was signed is forgotten over a restart', 'journal-replay.ts', '    lastSigned = signedIn(record, first.keeper.chainId) ?? lastSigned\n', ''),
  bug(
    'a timer of an old round counts',
    'round.ts',
    'if (round !== state.round || state.decided !== null) return state',
    'if (state.decided !== null) return state',
  ),
  bug(
    'the proposer is that of the height before',
    'replica-core.ts',
    '      height,\n      validators,\n',
    '      height,\n      validators: { ...validators, proposer: this.chain.lastValidators.proposer ?? validators.proposer },\n',
  ),
  bug(
    'updates of validators count a height too early',
    'chain-state.ts',
    '    validators: state.nextValidators,\n    nextValidators:',
    '    validators: updated,\n    nextValidators:',
  ),
  bug(
    'block ids are compared by the hash alone',
    'block-id.ts',
    'a.hash === b.hash &&\n    a.partSetHeader.total === b.partSetHeader.total &&\n    a.partSetHeader.hash === b.partSetHeader.hash',
    'a.hash === b.hash',
  ),
  bug(
    'a validator counts twice in a commit',
    'commit.ts',
    "if (places !== undefined && seen.has(place)) return fault('double-vote')",
    '',
  ),
  bug(
    'the last commit is not verified',
    'block-validation.ts',
    'return verifyCommit(state.lastValidators, target, lastCommit, verify)',
    'return lastCommit.height === target.height ? null : verifyCommit(state.lastValidators, target, lastCommit, verify)',
  ),
]

const ROOT = resolve(import.meta.dirname, '..', '..')
/** Seconds, then minutes. */
const STAGES = [
  ['test/devnet/consensus'],
  ['test/simulation/faults.test.ts', 'test/simulation/mixed.test.ts'],
]

/** The first test that fails with the bug in, or with none for 0; null when none does. */
function findMutation(number, stages = STAGES) {
  for (const tests of stages) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/simulation/mutation.config.mjs', ...tests],
      {
        cwd: ROOT,
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: '1', TROUPE_MUTATION: String(number), TROUPE_SIMULATION_SHARE: '0.2' },
        timeout: 1_200_000,
      },
    )
    // A run that could not begin is no finding.
    const first = /FAIL +(.*)/.exec(stdout + stderr)?.[1]
    if (status !== 0 && first !== undefined) return first.trim().slice(0, 160)
    if (status !== 0) throw new Error(`the tests did not run: ${(stdout + stderr).slice(-2000)}`)
  }
  return null
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = process.argv.slice(2).map(Number)
  const began = performance.now()
  // What fails anyway would find every bug.
  const broken = findMutation(0, STAGES.slice(0, 1))
  if (broken !== null) throw new Error(`without any bug fails ${broken}`)
  let planted = 0
  let found = 0
  for (const [index, { name, file, from }] of MUTATIONS.entries()) {
    const number = index + 1
    if (wanted.length > 0 && !wanted.includes(number)) continue
    planted++
    if (readFileSync(join(ROOT, file), 'utf8').split(from).length !== 2) {
      console.log(`${number}. ${name}: its place is not in ${file} any more`)
      continue
    }
    const by = findMutation(number)
    if (by !== null) found++
    console.log(`${number}. ${name}: ${by === null ? 'NOT FOUND' : `found by ${by}`}`)
  }
  console.log(JSON.stringify({ tier: 'T9', planted, found, seconds: Math.round((performance.now() - began) / 1000) }))
  process.exitCode = found === planted ? 0 : 1
}
