/** `proposer`: whose turn it is, round by round and over updates; refused updates; where one jump and many steps differ. */

import { type Fault, isFault } from '../consensus/fault.ts'
import {
  changeOf,
  createValidatorSet,
  incrementPriorities,
  setHash,
  updateValidatorSet,
  type ValidatorChange,
  type ValidatorSet,
} from '../consensus/validator-set.ts'
import { fromHex, toBinary } from '../primitives/bytes.ts'
import { hexOf } from './comet-hashes.ts'
import type { Check, CometFile, CometReport } from './comet-report.ts'

export function runProposer(file: CometFile, report: CometReport): void {
  for (const [i, entry] of file.sets.entries()) {
    report.run(`sets ${i}, ${entry.name}`, (check) => compareRun(check, entry))
  }
  for (const [i, entry] of file.refused.entries()) {
    report.run(`refused ${i}, ${entry.name}`, (check) => compareRefused(check, entry))
  }
  for (const [i, entry] of file.paths.entries()) report.run(`paths ${i}`, (check) => comparePath(check, entry))
}

function changesOf(list: CometFile): ValidatorChange[] {
  return list.map(({ type, public: key, power }: CometFile) =>
    changeOf({ kind: type, value: fromHex(key) }, BigInt(power)),
  )
}

function compareRun(check: Check, entry: CometFile): void {
  const changes = changesOf(entry.validators)
  check.equal(
    'addresses',
    entry.validators.map((given: CometFile) => given.address),
    changes.map(({ address }) => hexOf(address)),
  )
  let set = createValidatorSet(changes) as ValidatorSet
  check.equal('order', entry.order, orderOf(set))
  check.equal('totalPower', entry.totalPower, String(set.totalVotingPower))
  check.equal('first proposer', entry.first.proposer, proposerIndex(set))
  check.equal('first priorities', entry.first.priorities, prioritiesOf(set))
  for (const [i, step] of entry.steps.entries()) {
    if (step.rounds !== undefined) {
      for (let round = 0; round < step.rounds; round++) {
        set = incrementPriorities(set, 1)
        check.equal(`step ${i} round ${round} proposer`, step.proposers[round], proposerIndex(set))
        check.equal(`step ${i} round ${round} priorities`, step.priorities[round], prioritiesOf(set))
      }
    } else if (step.jump !== undefined) {
      set = incrementPriorities(set, step.jump)
      check.equal(`step ${i} jump proposer`, step.proposer, proposerIndex(set))
      check.equal(`step ${i} jump priorities`, step.priorities, prioritiesOf(set))
    } else {
      const updated = updateValidatorSet(set, changesOf(step.update))
      check.verdict(`step ${i} update`, step.result, isFault(updated) ? updated : null)
      if (!isFault(updated)) set = updated
      compareSet(check, `step ${i}`, step, set)
    }
  }
  check.equal('hash', entry.hash, hexOf(setHash(set)))
}

function compareRefused(check: Check, entry: CometFile): void {
  if (entry.create !== undefined) {
    const created = createValidatorSet(changesOf(entry.create))
    check.verdict('create', entry.result, isFault(created) ? created : null)
    if (!isFault(created)) compareSet(check, 'created', entry, created)
    return
  }
  const set = createValidatorSet(changesOf(entry.validators)) as ValidatorSet
  const started = startOf(entry.start, set)
  const updated: ValidatorSet | Fault = updateValidatorSet(started, changesOf(entry.update))
  check.verdict('update', entry.result, isFault(updated) ? updated : null)
  compareSet(check, 'after', entry, isFault(updated) ? started : updated)
}

/** Some cases begin after rounds that are not shown: the priorities are given. */
function startOf(start: CometFile, set: ValidatorSet): ValidatorSet {
  const validators = start.order.map((address: string, i: number) => ({
    ...set.validators.find((validator) => hexOf(validator.address) === address)!,
    proposerPriority: BigInt(start.priorities[i]),
  }))
  return { ...set, validators, proposer: validators[start.proposer] }
}

function compareSet(check: Check, name: string, expected: CometFile, set: ValidatorSet): void {
  if (expected.order !== undefined) check.equal(`${name} order`, expected.order, orderOf(set))
  if (expected.totalPower !== undefined)
    check.equal(`${name} totalPower`, expected.totalPower, String(set.totalVotingPower))
  if (expected.proposer !== undefined) check.equal(`${name} proposer`, expected.proposer, proposerIndex(set))
  if (expected.priorities !== undefined) check.equal(`${name} priorities`, expected.priorities, prioritiesOf(set))
  if (expected.hash !== undefined) check.equal(`${name} hash`, expected.hash, hexOf(setHash(set)))
}

function comparePath(check: Check, entry: CometFile): void {
  const validators = entry.order.map((address: string, i: number) => ({
    address: toBinary(fromHex(address)),
    pubKey: { kind: 'ed25519', value: new Uint8Array(32) },
    votingPower: BigInt(entry.powers[i]),
    proposerPriority: BigInt(entry.start[i]),
  }))
  const totalVotingPower = validators.reduce((sum: bigint, { votingPower }: CometFile) => sum + votingPower, 0n)
  const set: ValidatorSet = { validators, proposer: null, totalVotingPower }
  const jump = incrementPriorities(set, entry.times)
  check.equal('jumpProposer', entry.jumpProposer, proposerIndex(jump))
  check.equal('jumpPriorities', entry.jumpPriorities, prioritiesOf(jump))
  let walk = set
  for (let i = 0; i < entry.times; i++) walk = incrementPriorities(walk, 1)
  check.equal('walkProposer', entry.walkProposer, proposerIndex(walk))
  check.equal('walkPriorities', entry.walkPriorities, prioritiesOf(walk))
}

function orderOf({ validators }: ValidatorSet): string[] {
  return validators.map(({ address }) => hexOf(address))
}

function prioritiesOf({ validators }: ValidatorSet): string[] {
  return validators.map(({ proposerPriority }) => String(proposerPriority))
}

/** −1 when the last one elected has left. */
function proposerIndex({ validators, proposer }: ValidatorSet): number {
  return validators.findIndex(({ address }) => address === proposer?.address)
}
