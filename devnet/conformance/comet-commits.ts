/** `commits`: commits judged in full, lightly and by trust; extended commits; light client jumps; median times. */

import {
  checkCommit,
  checkExtendedCommit,
  checkExtensions,
  type Fraction,
  medianTime,
  verifyCommit,
  verifyCommitLight,
  verifyCommitLightAll,
  verifyCommitTrusting,
  verifyCommitTrustingAll,
  verifyExtendedCommit,
  withoutExtensions,
} from '../consensus/commit.ts'
import { isFault } from '../consensus/fault.ts'
import {
  type CheckedLightBlock,
  checkTrustLevel,
  type Jump,
  readLightBlock,
  verifyAdjacent,
  verifyBackwards,
  verifyJump,
  verifyNonAdjacent,
} from '../consensus/light-client.ts'
import { decode, encode } from '../consensus/schema.ts'
import { splitTime } from '../consensus/time.ts'
import { fromWireValidatorSet, NO_VALIDATORS, type ValidatorSet } from '../consensus/validator-set.ts'
import { BLOCK_ID, COMMIT, EXTENDED_COMMIT, HEADER, LIGHT_BLOCK, VALIDATOR_SET } from '../consensus/wire.ts'
import { fromHex, toHex } from '../primitives/bytes.ts'
import type { Check, CometFile, CometReport } from './comet-report.ts'
import { timeOf } from './comet-view.ts'

export function runCommits(file: CometFile, report: CometReport): void {
  const each = (part: string, compare: (check: Check, entry: CometFile) => void): void => {
    for (const [i, entry] of file[part].entries()) {
      report.run(`${part} ${i}, ${entry.name ?? ''}`, (check) => compare(check, entry))
    }
  }
  each('commits', compareCommit)
  each('extended', compareExtended)
  each('light', compareJump)
  each('backwards', compareBackwards)
  each('trustLevels', (check, entry) => check.verdict('valid', entry.valid, checkTrustLevel(fractionOf(entry))))
  each('medianTimes', compareMedian)
}

/** A set that the library made: it is well formed. */
export function readSet(hex: string): ValidatorSet {
  const set = fromWireValidatorSet(decode(VALIDATOR_SET, fromHex(hex)))
  if (isFault(set)) throw new Error(`validators refused: ${set.code}`)
  return set
}

function fractionOf({ numerator, denominator }: CometFile): Fraction {
  return { numerator: BigInt(numerator), denominator: BigInt(denominator) }
}

function targetOf(entry: CometFile) {
  const blockId = decode(BLOCK_ID, fromHex(entry.blockId))
  return { chainId: entry.chainId, height: BigInt(entry.height), blockId }
}

function compareCommit(check: Check, entry: CometFile): void {
  const set = readSet(entry.validators)
  const commit = decode(COMMIT, fromHex(entry.commit))
  const target = targetOf(entry)
  check.equal('commit', entry.commit, toHex(encode(COMMIT, commit)))
  check.verdict('wellFormed', entry.wellFormed, checkCommit(commit))
  check.verdict('full', entry.full, verifyCommit(set, target, commit))
  check.verdict('light', entry.light, verifyCommitLight(set, target, commit))
  check.verdict('lightAll', entry.lightAll, verifyCommitLightAll(set, target, commit))
  for (const trusted of entry.trusted) {
    const trust = { chainId: entry.chainId, set, level: fractionOf(trusted) }
    const name = `${trusted.numerator}/${trusted.denominator}`
    check.verdict(`trusting ${name}`, trusted.trusting, verifyCommitTrusting(trust, commit))
    check.verdict(`trustingAll ${name}`, trusted.trustingAll, verifyCommitTrustingAll(trust, commit))
  }
}

function compareExtended(check: Check, entry: CometFile): void {
  const commit = decode(EXTENDED_COMMIT, fromHex(entry.extendedCommit))
  check.equal('extendedCommit', entry.extendedCommit, toHex(encode(EXTENDED_COMMIT, commit)))
  check.equal('commit', entry.commit, toHex(encode(COMMIT, withoutExtensions(commit))))
  check.verdict('wellFormed', entry.wellFormed, checkExtendedCommit(commit))
  check.verdict('ensureEnabled', entry.ensureEnabled, checkExtensions(commit, true))
  check.verdict('ensureDisabled', entry.ensureDisabled, checkExtensions(commit, false))
  check.verdict('verify', entry.verify, verifyExtendedCommit(readSet(entry.validators), targetOf(entry), commit))
}

function compareJump(check: Check, entry: CometFile): void {
  const trusted = decode(LIGHT_BLOCK, fromHex(entry.trusted))
  const untrusted = decode(LIGHT_BLOCK, fromHex(entry.untrusted))
  const { header, commit } = trusted.signedHeader!
  const chainId = header!.chainId
  const form = readLightBlock(untrusted, chainId)
  check.verdict('untrustedForm', entry.untrustedForm, isFault(form) ? form : null)
  const jump: Jump = {
    trusted: { header: header!, commit: commit! },
    trustedValidators: readSet(entry.trustedValidators),
    untrusted: untrusted.signedHeader!,
    untrustedValidators: setOf(untrusted.validatorSet),
    trustingPeriod: timeOf(entry.trustingPeriod),
    now: timeOf(entry.now),
    maxClockDrift: timeOf(entry.maxClockDrift),
    trustLevel: fractionOf(entry.trustLevel),
  }
  check.verdict('verify', entry.verify, verifyJump(jump))
  check.verdict('adjacent', entry.adjacent, verifyAdjacent(jump))
  check.verdict('nonAdjacent', entry.nonAdjacent, verifyNonAdjacent(jump))
}

function setOf(wire: CometFile): ValidatorSet {
  const set = wire === null ? NO_VALIDATORS : fromWireValidatorSet(wire)
  return isFault(set) ? NO_VALIDATORS : set
}

/** Light blocks that the library made. */
export function readLight(hex: string): CheckedLightBlock {
  const block = decode(LIGHT_BLOCK, fromHex(hex))
  const read = readLightBlock(block, block.signedHeader?.header?.chainId ?? '')
  if (isFault(read)) throw new Error(`light block refused: ${read.code}`)
  return read
}

function compareBackwards(check: Check, entry: CometFile): void {
  const [untrusted, trusted] = [entry.untrusted, entry.trusted].map((hex) => decode(HEADER, fromHex(hex)))
  check.verdict('verify', entry.verify, verifyBackwards(untrusted!, trusted!))
}

function compareMedian(check: Check, entry: CometFile): void {
  const commit = decode(COMMIT, fromHex(entry.commit))
  const median = medianTime(commit, readSet(entry.validators))
  check.verdict('result', entry.result, typeof median === 'bigint' ? null : median)
  if (typeof median !== 'bigint') return
  const { seconds, nanos } = splitTime(median)
  check.equal('median', entry.median, { seconds: String(seconds), nanos })
}
