/**
 * What must hold in every run, asked after every event that could break it. Numbers are those of spec consensus §8.2.
 */
import { fromBinary, toHex } from '../../primitives/bytes.ts'
import { decodeUtf8 } from '../../primitives/utf8.ts'
import { blockIdKey, isNil } from '../block-id.ts'
import type { ChainState } from '../chain-state.ts'
import { verifyCommit, withoutExtensions } from '../commit.ts'
import { evidenceHash } from '../hash.ts'
import type { VerifyMessage } from '../key.ts'
import { isQuorum } from '../quorum.ts'
import type { Decision } from '../replica-host.ts'
import { MILLISECOND, type Time } from '../time.ts'
import { setHash, type ValidatorSet } from '../validator-set.ts'
import { checkVote, verifyVote } from '../vote.ts'
import { PRECOMMIT, PREVOTE, type PublicKey, type Vote } from '../wire.ts'

/** A promise of consensus was broken. */
export class InvariantBroken extends Error {
  override readonly name = 'InvariantBroken'
  readonly invariant: string
  constructor(invariant: string, what: string) {
    super(`${invariant}: ${what}`)
    this.invariant = invariant
  }
}

interface Agreed {
  readonly key: string
  readonly appHash: string
  readonly validatorsHash: string
  readonly resultsHash: string
}

interface Precommitted {
  readonly round: number
  readonly key: string
}

export interface InvariantSetting {
  readonly chainId: string
  readonly verify: VerifyMessage
  readonly isHonest: (address: string) => boolean
  /** Of a validator; undefined for an address that nobody has. */
  readonly keyOf: (address: string) => PublicKey | undefined
  /** What clients sent. */
  readonly submitted: ReadonlySet<string>
}

export class Invariants {
  readonly #setting: InvariantSetting
  readonly #agreed = new Map<bigint, Agreed>()
  readonly #heights = new Map<string, bigint>()
  readonly #lines = new Map<string, bigint>()
  /** First vote of each honest validator at a height, round and type. */
  readonly #voted = new Map<string, string>()
  readonly #precommitted = new Map<string, Precommitted[]>()
  /** Who prevoted what, over the whole network. */
  readonly #prevotes = new Map<string, Set<string>>()
  readonly #sets = new Map<bigint, ValidatorSet>()
  /** What the application wants the powers to be at a height, by address. */
  readonly #schedule = new Map<bigint, ReadonlyMap<string, bigint>>()
  readonly evidence = new Map<string, bigint>()
  /** Pairs of contradicting votes that were seen, by voter. */
  readonly equivocators = new Set<string>()
  #lastTime: Time = 0n
  #lastTimeHeight = 0n

  constructor(setting: InvariantSetting) {
    this.#setting = setting
  }

  get height(): bigint {
    return [...this.#agreed.keys()].reduce((most, height) => (height > most ? height : most), 0n)
  }

  setAt(height: bigint, set: ValidatorSet): void {
    if (!this.#sets.has(height)) this.#sets.set(height, set)
  }

  /** The application has executed a block: from the second height on its validators have these powers. */
  schedule(height: bigint, powers: ReadonlyMap<string, bigint>): void {
    this.#schedule.set(height + 2n, powers)
  }

  /** I1 agreement, I2 validity, I3 integrity, I4 equal results, I5 good commits, I13 time, I16 validators. */
  onApplied(node: string, before: ValidatorSet, { block, blockId, commit }: Decision, next: ChainState): void {
    const { header } = block
    const { height } = header
    const last = this.#heights.get(node)
    if (last !== undefined && height !== last + 1n)
      throw new InvariantBroken('I3', `${node} applied ${height} after ${last}`)
    this.#heights.set(node, height)
    const result: Agreed = {
      key: blockIdKey(blockId),
      appHash: next.appHash,
      validatorsHash: setHash(next.nextValidators),
      resultsHash: next.lastResultsHash,
    }
    const agreed = this.#agreed.get(height)
    if (agreed === undefined) this.#onFirst(height, result, { block, blockId, commit, bytes: new Uint8Array(0) })
    else {
      if (agreed.key !== result.key) throw new InvariantBroken('I1', `two blocks at ${height}`)
      if (agreed.appHash !== result.appHash || agreed.resultsHash !== result.resultsHash) {
        throw new InvariantBroken('I4', `${node} has other results at ${height}`)
      }
      if (agreed.validatorsHash !== result.validatorsHash) throw new InvariantBroken('I16', `${node} at ${height}`)
    }
    const target = { chainId: this.#setting.chainId, height, blockId }
    const refused = verifyCommit(before, target, withoutExtensions(commit), this.#setting.verify)
    if (refused !== null) throw new InvariantBroken('I5', `the commit of ${height} at ${node}: ${refused.code}`)
    this.#checkLastCommit(block)
    this.#checkSet(height, before)
    if (commit.round === 0 && header.proposerAddress !== before.proposer?.address) {
      throw new InvariantBroken('I16', `${height} was proposed out of turn`)
    }
    this.setAt(height + 1n, next.validators)
  }

  /** I5: a block carries two thirds of those that decided the one before. */
  #checkLastCommit({ header, lastCommit }: Decision['block']): void {
    const height = header.height - 1n
    const set = this.#sets.get(height)
    if (set === undefined || !this.#agreed.has(height)) return
    const target = { chainId: this.#setting.chainId, height, blockId: header.lastBlockId }
    const refused = lastCommit === null ? 'none' : verifyCommit(set, target, lastCommit, this.#setting.verify)
    if (refused !== null) throw new InvariantBroken('I5', `the last commit in block ${header.height}`)
  }

  /** I16: who decides a height is who the application named two heights before. */
  #checkSet(height: bigint, { validators }: ValidatorSet): void {
    const wanted = this.#schedule.get(height)
    if (wanted === undefined) return
    const isEqual =
      wanted.size === validators.length &&
      validators.every(({ address, votingPower }) => wanted.get(address) === votingPower)
    if (!isEqual) throw new InvariantBroken('I16', `the validators of ${height} are not those that were named`)
  }

  #onFirst(height: bigint, result: Agreed, { block }: Decision): void {
    this.#agreed.set(height, result)
    if (height > this.#lastTimeHeight) {
      if (block.header.time < this.#lastTime || (block.header.time === this.#lastTime && height > 1n)) {
        throw new InvariantBroken('I13', `the time of ${height} is not later`)
      }
      this.#lastTime = block.header.time
      this.#lastTimeHeight = height
    }
    for (const tx of block.data.txs) {
      const line = decodeUtf8(tx) ?? ''
      if (!this.#setting.submitted.has(line)) throw new InvariantBroken('I2', `nobody sent ${line}`)
      if (this.#lines.has(line)) throw new InvariantBroken('I2', `${line} is there twice`)
      this.#lines.set(line, height)
    }
    for (const piece of block.evidence.evidence) {
      if (piece === null) continue
      const hash = evidenceHash(piece)
      if (this.evidence.has(hash)) throw new InvariantBroken('I10', 'the same evidence twice')
      this.evidence.set(hash, height)
      const voter = piece.kind === 'duplicateVoteEvidence' ? (piece.value.voteA?.validatorAddress ?? '') : ''
      if (this.#setting.isHonest(voter)) throw new InvariantBroken('I9', `evidence against an honest validator`)
    }
  }

  /** I6 no equivocation and I7 locks, of the votes of honest validators as they leave. */
  onVote(vote: Vote): void {
    if (checkVote(vote) !== null) return
    const { height, round, type, validatorAddress: voter, blockId } = vote
    const key = blockIdKey(blockId)
    const place = `${height}/${round}/${type}/${voter}`
    const earlier = this.#voted.get(place)
    if (earlier === key) return
    const pubKey = this.#setting.keyOf(voter)
    if (pubKey === undefined) return
    if (verifyVote(this.#setting.chainId, vote, { address: voter, pubKey }, this.#setting.verify) !== null) return
    if (earlier === undefined) this.#voted.set(place, key)
    else {
      if (this.#setting.isHonest(voter)) {
        throw new InvariantBroken('I6', `${short(voter)} voted twice at ${height}/${round}, type ${type}`)
      }
      this.equivocators.add(voter)
    }
    if (type === PREVOTE) {
      const name = `${height}/${round}/${key}`
      const voters = this.#prevotes.get(name)
      if (voters === undefined) this.#prevotes.set(name, new Set([voter]))
      else voters.add(voter)
    }
    if (earlier !== undefined || isNil(blockId) || !this.#setting.isHonest(voter)) return
    const own = `${height}/${voter}`
    const precommits = this.#precommitted.get(own) ?? []
    if (type === PRECOMMIT) {
      precommits.push({ round, key })
      this.#precommitted.set(own, precommits)
      return
    }
    for (const lock of precommits) {
      if (lock.round >= round || lock.key === key) continue
      if (!this.#hasPolka(height, key, lock.round, round)) {
        throw new InvariantBroken('I7', `${short(voter)} left its lock of round ${lock.round} in ${height}/${round}`)
      }
    }
  }

  #hasPolka(height: bigint, key: string, from: number, below: number): boolean {
    const set = this.#sets.get(height)
    if (set === undefined) return true
    for (let round = from; round < below; round++) {
      const voters = this.#prevotes.get(`${height}/${round}/${key}`)
      let power = 0n
      for (const { address, votingPower } of set.validators) if (voters?.has(address)) power += votingPower
      if (isQuorum(power, set.totalVotingPower)) return true
    }
    return false
  }

  /** I13: no block from the future of all honest clocks. */
  onTime(time: Time, latestClock: Time, toleranceMs: number): void {
    if (time > latestClock + BigInt(Math.ceil(toleranceMs)) * MILLISECOND) {
      throw new InvariantBroken('I13', 'a block from the future')
    }
  }

  has(line: string): boolean {
    return this.#lines.has(line)
  }
}

function short(address: string): string {
  return toHex(fromBinary(address)).slice(0, 8)
}
