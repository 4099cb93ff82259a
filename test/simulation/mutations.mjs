/**
 * Plants known bugs in the consensus, one at a time, and asks whether the tests find each: `node test/simulation/mutations.mjs [number…]`.
 * Works on a copy of the sources; a bug whose place is no longer in the code is reported as such.
 *
 * @source spec consensus §8.4, T9
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const C = 'devnet/consensus/'
const MUTATIONS = [
  ['two thirds are enough', `${C}quorum.ts`, 'voted * 3n > total * 2n', 'voted * 3n >= total * 2n'],
  ['votes for nil count for a block', `${C}vote-set.ts`, 'const before = tally ?? emptyTally(set, vote.blockId, false)', 'const before = tally ?? (isComplete(vote.blockId) ? [...set.byBlock.values()].find(({ blockId }) => !isComplete(blockId)) && { ...emptyTally(set, vote.blockId, false), power: [...set.byBlock.values()].find(({ blockId }) => !isComplete(blockId)).power } : undefined) ?? emptyTally(set, vote.blockId, false)'],
  ['a fresh proposal is not held against the lock', `${C}round.ts`, 'const mayVote = state.locked === null || equalBlockIds(state.locked.blockId, blockId)\n', 'const mayVote = true\n'],
  ['a proof may be older than the lock', `${C}round.ts`, 'state.locked.round <= polRound', 'state.locked.round >= polRound'],
  ['a nil polka unlocks', `${C}round.ts`, "return { state: cast(state, PRECOMMIT, NIL_BLOCK_ID, effects), effects }\n}\n\n/** R3. */", "return { state: cast({ ...state, locked: null }, PRECOMMIT, NIL_BLOCK_ID, effects), effects }\n}\n\n/** R3. */"],
  ['the round of the proof is not sent', `${C}replica.ts`, 'polRound: valid.round', 'polRound: -1'],
  ['guards are not asked again', `${C}round.ts`, 'for (let fired = fire(next); fired !== null; fired = fire(next)) {', 'for (let fired = fire(next); fired !== null; fired = null) {'],
  ['waiting begins anew with each vote', `${C}round.ts`, "return { state: { ...state, firedR3: round }, effects }", 'return { state: effects.length > 0 && state.keeper.ahead.size < 0 ? state : { ...state, firedR3: round - 1 }, effects }'],
  ['votes leave before the journal is durable', `${C}replica.ts`, 'if (!this.#hasUnsynced) return this.#dispatch(batch)', 'this.#dispatch(batch)\n    return'],
  ['what was signed is forgotten', `${C}replica.ts`, '      this.#remember(record)\n      if (height !== this.height) continue', '      if (height !== this.height || record.kind === "vote" || record.kind === "proposal") continue'],
  ['a timer of an old round counts', `${C}round.ts`, 'if (round !== state.round || state.decided !== null) return state', 'if (state.decided !== null) return state'],
  ['the proposer is of the set of another height', `${C}replica.ts`, '      validators,\n      hasExtensions: hasExtensions(params, height),', '      validators: { ...validators, proposer: this.#chain.lastValidators.proposer ?? validators.proposer },\n      hasExtensions: hasExtensions(params, height),'],
  ['updates of validators count a height too early', `${C}chain-state.ts`, '    validators: state.nextValidators,\n    nextValidators: incrementPriorities(updated, 1),', '    validators: updated,\n    nextValidators: incrementPriorities(updated, 1),'],
  ['block ids are compared by the hash alone', `${C}block-id.ts`, '    a.hash === b.hash &&\n    a.partSetHeader.total === b.partSetHeader.total &&\n    a.partSetHeader.hash === b.partSetHeader.hash', '    a.hash === b.hash'],
  ['a validator counts twice in a vote set', `${C}vote-keeper.ts`, "return set.byBlock.get(key)?.votes[vote.validatorIndex] ? 'known' : 'wanted'", "return 'wanted'"],
  ['the last commit is not verified', `${C}block-validation.ts`, 'return verifyCommit(state.lastValidators, target, lastCommit, verify)', 'return lastCommit.height === target.height ? null : verifyCommit(state.lastValidators, target, lastCommit, verify)'],
]

const root = resolve(import.meta.dirname, '..', '..')
const wanted = process.argv.slice(2).map(Number)
let survived = 0
let planted = 0
for (const [index, [name, file, from, to]] of MUTATIONS.entries()) {
  if (wanted.length > 0 && !wanted.includes(index + 1)) continue
  planted++
  const source = readFileSync(join(root, file), 'utf8')
  if (source.split(from).length !== 2) {
    console.log(`${index + 1}. ${name}: its place is not in ${file} any more`)
    survived++
    continue
  }
  const copy = mkdtempSync(join(tmpdir(), 'troupe-mutation-'))
  try {
    for (const part of ['devnet', 'test', 'package.json', 'vitest.config.ts', 'tsconfig.json']) {
      cpSync(join(root, part), join(copy, part), { recursive: true })
    }
    mkdirSync(join(copy, 'compiler'), { recursive: true })
    cpSync(join(root, 'compiler'), join(copy, 'compiler'), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    writeFileSync(join(copy, file), source.replace(from, () => to))
    const tests = ['test/devnet/consensus', 'test/simulation/mixed.test.ts', 'test/simulation/faults.test.ts', 'test/conformance/comet.test.ts']
    const { status, stdout } = spawnSync('npx', ['vitest', 'run', '--bail', '1', ...tests], {
      cwd: copy,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1', TROUPE_SIMULATION_SHARE: '0.2' },
      timeout: 1_200_000,
    })
    const first = /(?:FAIL|×) (.*)/.exec(stdout)?.[1] ?? ''
    console.log(`${index + 1}. ${name}: ${status === 0 ? 'NOT FOUND' : `found by ${first.trim().slice(0, 120)}`}`)
    if (status === 0) survived++
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}
console.log(`${planted - survived} of ${planted} found`)
process.exitCode = survived === 0 ? 0 : 1
