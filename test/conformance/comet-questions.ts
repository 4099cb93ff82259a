/**
 * Questions for the genuine library about what we make: votes, proposals, headers, commits, blocks, evidence, light blocks
 * and whole chains with genuine signatures, most of them then forged in one place or damaged on the wire.
 */
import type { FinalizeBlockResponse } from '../../devnet/consensus/application.ts'
import { makeBlock as buildBlock } from '../../devnet/consensus/block-building.ts'
import { applyBlock, type ChainState, createChainState, type Genesis } from '../../devnet/consensus/chain-state.ts'
import { ABSENT_SIG, EMPTY_COMMIT, medianTime } from '../../devnet/consensus/commit.ts'
import { duplicateVoteEvidence } from '../../devnet/consensus/evidence.ts'
import { isFault } from '../../devnet/consensus/fault.ts'
import { commitHash, evidenceListHash, headerHash, txsHash } from '../../devnet/consensus/hash.ts'
import { addressOf, type PrivateKey, publicKeyOf, signMessage } from '../../devnet/consensus/key.ts'
import { DEFAULT_PARAMS } from '../../devnet/consensus/params.ts'
import { encode, type Message } from '../../devnet/consensus/schema.ts'
import { extensionSignBytes, proposalSignBytes, voteSignBytes } from '../../devnet/consensus/sign-bytes.ts'
import { SECOND, splitTime } from '../../devnet/consensus/time.ts'
import {
  changeOf,
  createValidatorSet,
  incrementPriorities,
  setHash,
  toWireValidatorSet,
  type ValidatorSet,
} from '../../devnet/consensus/validator-set.ts'
import {
  BLOCK,
  BLOCK_ID,
  type Block,
  type BlockId,
  COMMIT,
  type Commit,
  type CommitSig,
  EVIDENCE,
  type Evidence,
  FLAG_COMMIT,
  FLAG_NIL,
  HEADER,
  type Header,
  LIGHT_BLOCK,
  type LightBlock,
  PRECOMMIT,
  PREVOTE,
  PROPOSAL,
  PROPOSAL_TYPE,
  VALIDATOR_SET,
  VOTE,
  type Vote,
} from '../../devnet/consensus/wire.ts'
import { ABCI_RESPONSE, FINALIZE_BLOCK_RESPONSE } from '../../devnet/consensus/wire-abci.ts'
import { formatGenesis } from '../../devnet/node/abci/comet-home.ts'
import { identifyBlock } from '../../devnet/node/block-executor.ts'
import { fromBinary, toHex } from '../../devnet/primitives/bytes.ts'
import { sha256 } from '../../devnet/primitives/hash.ts'
import { type Dice, damage, forge } from './comet-dice.ts'

/** As the oracle reads it: hex for bytes, decimal text for 64-bit numbers. */
export type Question = Readonly<Record<string, unknown>> & { readonly kind: string; readonly name: string }

const NO_BYTES = new Uint8Array(0)
const NIL: BlockId = { hash: '', partSetHeader: { total: 0, hash: '' } }
const hex = (binary: string | Uint8Array): string => toHex(typeof binary === 'string' ? fromBinary(binary) : binary)

/** Validators with their keys. */
interface Crew {
  readonly keys: ReadonlyMap<string, PrivateKey>
  readonly set: ValidatorSet
}

export function makeQuestion(dice: Dice): Question {
  return dice.pick([
    askVote,
    askProposal,
    askHeader,
    askCommit,
    askBlock,
    askDuplicateVote,
    askAttack,
    askChain,
    askLight,
    askJump,
  ])(dice)
}

/** As it is, forged, or damaged. */
function spoil<T>(dice: Dice, message: Message<T>, value: T): { readonly how: string; readonly bytes: string } {
  const fate = dice.below(10)
  if (fate < 3) return { how: 'genuine', bytes: hex(encode(message, value)) }
  if (fate < 9) return { how: 'forged', bytes: hex(encode(message, forge(dice, message, value))) }
  return { how: 'damaged', bytes: hex(damage(dice, encode(message, value))) }
}

function keyText({ kind, value }: ReturnType<typeof publicKeyOf>) {
  return { type: kind, bytes: hex(value) }
}

// --- parts ------------------------------------------------------------------------------------------------------

function makeKey(dice: Dice): PrivateKey {
  // Sets of ed25519 alone are verified in one batch by the library, which may name another of two faults.
  return { kind: dice.chance(0.15) ? 'ed25519' : 'secp256k1', secret: sha256(dice.bytes(16)) }
}

function makeCrew(dice: Dice): Crew {
  const count = dice.between(1, 7)
  const keys = Array.from({ length: count }, (_, i) =>
    i === 0 ? { kind: 'secp256k1' as const, secret: sha256(dice.bytes(16)) } : makeKey(dice),
  )
  const most = dice.pick([1, 10, 1_000_000])
  const changes = keys.map((key) => changeOf(publicKeyOf(key), BigInt(dice.between(1, most))))
  const set = createValidatorSet(changes)
  if (isFault(set)) throw new Error(set.code)
  return {
    keys: new Map(keys.map((key) => [addressOf(publicKeyOf(key)), key])),
    set: incrementPriorities(set, dice.between(1, 5)),
  }
}

function makeBlockId(dice: Dice): BlockId {
  return { hash: dice.binary(32), partSetHeader: { total: dice.between(1, 9), hash: dice.binary(32) } }
}

function makeTime(dice: Dice): bigint {
  return BigInt(1_600_000_000 + dice.below(200_000_000)) * SECOND + BigInt(dice.below(1_000_000_000))
}

function makeChainId(dice: Dice): string {
  return dice.pick(['31337', 'ipc-devnet-1', 'x'.repeat(50), 'ä', String(dice.below(1_000_000))])
}

function makeHeader(dice: Dice, overrides: Partial<Header> = {}): Header {
  const hash = () => (dice.chance(0.1) ? '' : dice.binary(32))
  return {
    version: { block: 11n, app: BigInt(dice.below(3)) },
    chainId: makeChainId(dice),
    height: BigInt(dice.between(1, 1_000_000)),
    time: makeTime(dice),
    lastBlockId: dice.chance(0.1) ? NIL : makeBlockId(dice),
    lastCommitHash: hash(),
    dataHash: hash(),
    validatorsHash: dice.binary(32),
    nextValidatorsHash: dice.binary(32),
    consensusHash: dice.binary(32),
    appHash: dice.binary(dice.pick([0, 8, 20, 32])),
    lastResultsHash: hash(),
    evidenceHash: hash(),
    proposerAddress: dice.binary(20),
    ...overrides,
  }
}

interface CommitPlan {
  readonly chainId: string
  readonly height: bigint
  readonly round: number
  readonly blockId: BlockId
}

/** Who signs what is left to chance, so that some commits lack power. */
function makeCommit(
  dice: Dice,
  { set, keys }: Crew,
  plan: CommitPlan,
  willingness = dice.pick([0.6, 0.9, 1]),
  earliest?: bigint,
): Commit {
  const { chainId, height, round, blockId } = plan
  const signatures = set.validators.map(({ address }): CommitSig => {
    if (!dice.chance(willingness)) {
      if (dice.chance(0.5)) return ABSENT_SIG
    } else return sign(FLAG_COMMIT, blockId, address)
    return sign(FLAG_NIL, NIL, address)
  })
  return { height, round, blockId, signatures }

  function sign(blockIdFlag: number, votedFor: BlockId, validatorAddress: string): CommitSig {
    const timestamp = earliest === undefined ? makeTime(dice) : earliest + BigInt(dice.below(1_000_000_000))
    const message = voteSignBytes(chainId, { type: PRECOMMIT, height, round, blockId: votedFor, timestamp })
    const signature = signMessage(keys.get(validatorAddress)!, message)
    return { blockIdFlag, validatorAddress, timestamp, signature }
  }
}

function makeVote(dice: Dice, key: PrivateKey, chainId: string, overrides: Partial<Vote> = {}): Vote {
  const unsigned: Vote = {
    type: dice.pick([PREVOTE, PRECOMMIT]),
    height: BigInt(dice.between(1, 1000)),
    round: dice.below(4),
    blockId: dice.chance(0.2) ? NIL : makeBlockId(dice),
    timestamp: makeTime(dice),
    validatorAddress: addressOf(publicKeyOf(key)),
    validatorIndex: dice.below(5),
    signature: NO_BYTES,
    extension: NO_BYTES,
    extensionSignature: NO_BYTES,
    ...overrides,
  }
  const vote = { ...unsigned, signature: signMessage(key, voteSignBytes(chainId, unsigned)) }
  if (vote.type !== PRECOMMIT || vote.blockId.hash === '' || dice.chance(0.5)) return vote
  const extended = { ...vote, extension: dice.bytes(dice.below(20)) }
  return { ...extended, extensionSignature: signMessage(key, extensionSignBytes(chainId, extended)) }
}

// --- questions --------------------------------------------------------------------------------------------------

function askVote(dice: Dice): Question {
  const key = makeKey(dice)
  const chainId = makeChainId(dice)
  const { how, bytes } = spoil(dice, VOTE, makeVote(dice, key, chainId))
  const mode = dice.chance(0.5) ? 'extended' : ''
  return { kind: 'vote', name: how, bytes, chainId, mode, publicKey: keyText(publicKeyOf(key)) }
}

function askProposal(dice: Dice): Question {
  const key = makeKey(dice)
  const chainId = makeChainId(dice)
  const round = dice.below(4)
  const unsigned = {
    type: PROPOSAL_TYPE,
    height: BigInt(dice.between(1, 1000)),
    round,
    polRound: dice.between(-1, round),
    blockId: makeBlockId(dice),
    timestamp: makeTime(dice),
    signature: NO_BYTES,
  }
  const proposal = { ...unsigned, signature: signMessage(key, proposalSignBytes(chainId, unsigned)) }
  const { how, bytes } = spoil(dice, PROPOSAL, proposal)
  return { kind: 'proposal', name: how, bytes, chainId, publicKey: keyText(publicKeyOf(key)) }
}

function askHeader(dice: Dice): Question {
  const { how, bytes } = spoil(dice, HEADER, makeHeader(dice))
  return { kind: 'header', name: how, bytes }
}

function askCommit(dice: Dice): Question {
  const crew = makeCrew(dice)
  const height = BigInt(dice.between(1, 1000))
  const plan = { chainId: makeChainId(dice), height, round: dice.below(3), blockId: makeBlockId(dice) }
  const { how, bytes } = spoil(dice, COMMIT, makeCommit(dice, crew, plan))
  const mode = dice.pick(['full', 'light', 'lightAll', 'trusting'])
  // A light client may trust other validators than those that signed.
  const trusted = mode === 'trusting' && dice.chance(0.5) ? overlapping(dice, crew) : crew.set
  const [numerator, denominator] = dice.pick([
    [1, 3],
    [1, 2],
    [2, 3],
    [1, 1],
  ] as const)
  return {
    kind: 'commit',
    name: `${mode}, ${how}`,
    bytes,
    mode,
    chainId: plan.chainId,
    height: String(height),
    blockId: hex(encode(BLOCK_ID, plan.blockId)),
    validators: hex(encode(VALIDATOR_SET, toWireValidatorSet(trusted))),
    trustLevel: { numerator: String(numerator), denominator: String(denominator) },
  }
}

/** Some of the crew, and strangers. */
function overlapping(dice: Dice, { set }: Crew): ValidatorSet {
  const some = set.validators
    .filter(() => dice.chance(0.6))
    .map(({ pubKey }) => changeOf(pubKey, BigInt(dice.between(1, 50))))
  const strangers = Array.from({ length: dice.between(1, 2) }, () =>
    changeOf(publicKeyOf({ kind: 'secp256k1', secret: sha256(dice.bytes(16)) }), BigInt(dice.between(1, 50))),
  )
  const made = createValidatorSet([...some, ...strangers])
  if (isFault(made)) throw new Error(made.code)
  return made
}

function askBlock(dice: Dice): Question {
  const crew = makeCrew(dice)
  const { how, bytes } = spoil(dice, BLOCK, makeBlock(dice, crew))
  const [chainId, validators] = [CHAIN, hex(encode(VALIDATOR_SET, toWireValidatorSet(crew.set)))]
  return { kind: 'block', name: how, bytes, chainId, validators: dice.chance(0.8) ? validators : '' }
}

const CHAIN = 'ipc-devnet-1'

/** The commit is for the block before, by `crew`. */
function makeBlock(dice: Dice, crew: Crew): Block {
  const height = BigInt(dice.between(2, 1000))
  const lastBlockId = makeBlockId(dice)
  const plan = { chainId: CHAIN, height: height - 1n, round: dice.below(3), blockId: lastBlockId }
  const lastCommit = dice.chance(0.05) ? EMPTY_COMMIT : makeCommit(dice, crew, plan)
  const txs = Array.from({ length: dice.below(5) }, () => dice.bytes(dice.pick([0, 1, 40, 200, 40_000])))
  const evidence = dice.chance(0.3) ? [makeDuplicate(dice, crew)] : []
  const header = makeHeader(dice, {
    chainId: CHAIN,
    height,
    lastBlockId,
    lastCommitHash: commitHash(lastCommit),
    dataHash: txsHash(txs),
    evidenceHash: evidenceListHash(evidence),
  })
  return { header, data: { txs }, evidence: { evidence }, lastCommit }
}

function makeDuplicate(dice: Dice, { set, keys }: Crew): Evidence {
  const { address } = dice.pick(set.validators)
  const at = {
    type: dice.pick([PREVOTE, PRECOMMIT]),
    height: BigInt(dice.between(1, 1000)),
    round: dice.below(3),
    validatorIndex: set.validators.findIndex((validator) => validator.address === address),
  }
  const vote = (): Vote => ({
    ...makeVote(dice, keys.get(address)!, CHAIN, { ...at, blockId: makeBlockId(dice) }),
    extension: NO_BYTES,
    extensionSignature: NO_BYTES,
  })
  return duplicateVoteEvidence([vote(), vote()], makeTime(dice), set)!
}

function askDuplicateVote(dice: Dice): Question {
  const crew = makeCrew(dice)
  const { how, bytes } = spoil(dice, EVIDENCE, makeDuplicate(dice, crew))
  const validators = hex(encode(VALIDATOR_SET, toWireValidatorSet(crew.set)))
  return { kind: 'evidence', name: `duplicate vote, ${how}`, bytes, chainId: CHAIN, validators }
}

/** A light block that `crew` signed. */
function makeLight(dice: Dice, crew: Crew, overrides: Partial<Header>, round: number, willingness: number): LightBlock {
  const header = makeHeader(dice, { chainId: CHAIN, validatorsHash: setHash(crew.set), ...overrides })
  const blockId = { ...makeBlockId(dice), hash: headerHash(header)! }
  const commit = makeCommit(dice, crew, { chainId: CHAIN, height: header.height, round, blockId }, willingness)
  return { signedHeader: { header, commit }, validatorSet: toWireValidatorSet(crew.set) }
}

function askAttack(dice: Dice): Question {
  const crew = makeCrew(dice)
  const common = BigInt(dice.between(2, 100))
  const kind = dice.pick(['lunatic', 'equivocation', 'amnesia'] as const)
  const height = kind === 'lunatic' ? common + BigInt(dice.between(1, 5)) : common
  const time = makeTime(dice)
  const willingness = dice.pick([0.8, 1])
  const trusted = makeLight(dice, crew, { height, time }, 1, willingness)
  const { header: ours } = trusted.signedHeader!
  const base = { ...ours!, dataHash: dice.binary(32) }
  const forgedHeader = kind === 'lunatic' ? { ...base, appHash: dice.binary(32) } : base
  const round = kind === 'amnesia' ? 2 : 1
  const conflicting = makeLight(dice, crew, forgedHeader, round, willingness)
  const commonBlock = height === common ? trusted : makeLight(dice, crew, { height: common, time: time - SECOND }, 0, 1)
  const signers = conflicting.signedHeader!.commit!.signatures
  const attackers = crew.set.validators.filter(({ address }, i) => {
    if (signers[i]!.blockIdFlag !== FLAG_COMMIT || kind === 'amnesia') return false
    return (
      kind === 'lunatic' || trusted.signedHeader!.commit!.signatures[i]!.blockIdFlag === FLAG_COMMIT || address === ''
    )
  })
  const evidence: Evidence = {
    kind: 'lightClientAttackEvidence',
    value: {
      conflictingBlock: conflicting,
      commonHeight: common,
      byzantineValidators: attackers,
      totalVotingPower: crew.set.totalVotingPower,
      timestamp: time,
    },
  }
  const { how, bytes } = spoil(dice, EVIDENCE, evidence)
  return {
    kind: 'evidence',
    name: `${kind}, ${how}`,
    bytes,
    chainId: CHAIN,
    common: hex(encode(LIGHT_BLOCK, commonBlock)),
    trusted: hex(encode(LIGHT_BLOCK, trusted)),
  }
}

/** A chain of some blocks, with whatever an application might have answered; one block of it may be forged. */
function askChain(dice: Dice): Question {
  const keys = Array.from({ length: 6 }, () => makeKey(dice))
  const initial = keys.slice(0, dice.between(1, 4)).map((key) => ({
    pubKey: publicKeyOf(key),
    power: BigInt(dice.between(1, 20)),
  }))
  const genesis: Genesis = {
    chainId: CHAIN,
    initialHeight: BigInt(dice.pick([1, 1, 1000])),
    time: makeTime(dice),
    params: { ...DEFAULT_PARAMS, validator: { pubKeyTypes: ['secp256k1', 'ed25519'] } },
    validators: initial,
    appHash: '',
  }
  const answer = { consensusParams: null, validators: [], appHash: dice.binary(32) }
  const begun = createChainState(genesis, answer, 1n)
  if (isFault(begun)) throw new Error(begun.code)
  let state = begun
  const crewKeys = new Map(keys.map((key) => [addressOf(publicKeyOf(key)), key]))
  const [blocks, responses]: [string[], string[]] = [[], []]
  let lastCommit: Commit = EMPTY_COMMIT
  const count = dice.between(2, 8)
  const forgedAt = dice.chance(0.6) ? dice.below(count) : -1
  for (let i = 0; i < count; i++) {
    const isFirst = i === 0
    const time = isFirst ? state.lastTime : (medianTime(lastCommit, state.lastValidators) as bigint)
    const txs = Array.from({ length: dice.below(4) }, () => dice.bytes(dice.below(50)))
    const proposer = dice.pick(state.validators.validators).address
    const block = buildBlock(state, { time, txs, lastCommit, evidence: [], proposer })
    const { blockId } = identifyBlock(block)
    const plan = { chainId: CHAIN, height: block.header.height, round: dice.below(2), blockId }
    const response = makeResponse(dice, state, keys, txs.length)
    blocks.push(hex(encode(BLOCK, i === forgedAt ? forge(dice, BLOCK, block) : block)))
    responses.push(hex(encode(FINALIZE_BLOCK_RESPONSE, response)))
    lastCommit = makeCommit(dice, { set: state.validators, keys: crewKeys }, plan, 1, time + 1_000_000n)
    const next = applyBlock(state, block.header, blockId, response)
    if (isFault(next)) throw new Error(next.code)
    state = next
  }
  return {
    kind: 'chain',
    name: forgedAt < 0 ? 'genuine' : 'forged',
    genesis: JSON.parse(formatGenesis(genesis)),
    initChain: hex(encode(ABCI_RESPONSE.fields['initChain']!.inner!, answer)),
    appVersion: '1',
    blocks,
    responses,
    commit: hex(encode(COMMIT, lastCommit)),
  }
}

function makeResponse(dice: Dice, state: ChainState, keys: readonly PrivateKey[], txs: number): FinalizeBlockResponse {
  const txResults = Array.from({ length: txs }, () => ({
    code: dice.pick([0, 0, 1, 53]),
    data: dice.bytes(dice.below(9)),
    log: 'log',
    info: '',
    gasWanted: BigInt(dice.below(1000)),
    gasUsed: BigInt(dice.below(1000)),
    events: [],
    codespace: '',
  }))
  const members = state.nextValidators.validators
  const pubKey = publicKeyOf(dice.pick(keys))
  const isMember = members.some(({ address }) => address === addressOf(pubKey))
  // Who leaves must be there, and not the last.
  const power = isMember && members.length > 1 && dice.chance(0.4) ? 0n : BigInt(dice.between(1, 30))
  const validatorUpdates = dice.chance(0.4) ? [{ pubKey, power }] : []
  const block = { maxBytes: BigInt(dice.between(100_000, 200_000)), maxGas: -1n }
  const none = { evidence: null, validator: null, version: null, abci: null }
  const evidence = { ...state.params.evidence, maxBytes: 10_000n }
  const consensusParamUpdates = dice.chance(0.15) ? { ...none, block, evidence } : null
  return { events: [], txResults, validatorUpdates, consensusParamUpdates, appHash: dice.binary(32) }
}

function askLight(dice: Dice): Question {
  const block = makeLight(dice, makeCrew(dice), { height: BigInt(dice.between(1, 100)) }, 0, dice.pick([0.7, 1]))
  const { how, bytes } = spoil(dice, LIGHT_BLOCK, block)
  return { kind: 'lightblock', name: `own validators, ${how}`, bytes, chainId: CHAIN }
}

/** From a trusted light block to a later one. */
function askJump(dice: Dice): Question {
  const crew = makeCrew(dice)
  const next = dice.chance(0.5) ? crew : makeCrew(dice)
  const height = BigInt(dice.between(1, 100))
  const time = makeTime(dice)
  const first = { height, time, nextValidatorsHash: setHash(next.set) }
  const trusted = makeLight(dice, crew, first, 0, 1)
  const isAdjacent = dice.chance(0.5)
  const later = {
    height: height + (isAdjacent ? 1n : BigInt(dice.between(2, 9))),
    time: time + BigInt(dice.between(-1, 100)) * SECOND,
  }
  const block = makeLight(dice, isAdjacent ? next : dice.pick([crew, next]), later, 0, dice.pick([0.7, 1]))
  const { how, bytes } = spoil(dice, LIGHT_BLOCK, block)
  const period = dice.pick([50n, 1_000n])
  const { seconds, nanos } = splitTime(time + BigInt(dice.between(-20, 200)) * SECOND)
  return {
    kind: 'lightblock',
    name: `${isAdjacent ? 'next' : 'later'}, ${how}`,
    bytes,
    chainId: CHAIN,
    trusted: hex(encode(LIGHT_BLOCK, trusted)),
    trustedValidators: hex(encode(VALIDATOR_SET, toWireValidatorSet(isAdjacent ? next.set : crew.set))),
    now: { seconds: String(seconds), nanos },
    trustingPeriod: { seconds: String(period), nanos: 0 },
    maxClockDrift: { seconds: '10', nanos: 0 },
    trustLevel: { numerator: '1', denominator: '3' },
  }
}
