/**
 * Nodes, their peers and what they decide, as CometBFT's RPC writes it.
 *
 * @source CometBFT v0.38.25 `rpc/core/{status,net,consensus}.go`, `consensus/types/{round_state,height_vote_set}.go`
 */

import { NIL_BLOCK_ID } from '../../consensus/block-id.ts'
import type { ChainState } from '../../consensus/chain-state.ts'
import { capitalHex, publicKeyDocument } from '../../consensus/genesis-document.ts'
import { addressOf } from '../../consensus/key.ts'
import type { RoundState } from '../../consensus/round.ts'
import { formatTime } from '../../consensus/time.ts'
import type { ValidatorSet } from '../../consensus/validator-set.ts'
import { createVoteKeeper } from '../../consensus/vote-keeper.ts'
import type { VoteSet } from '../../consensus/vote-set.ts'
import {
  type BlockMeta,
  type ExtendedCommit,
  FLAG_ABSENT,
  FLAG_NIL,
  PRECOMMIT,
  PREVOTE,
  type Vote,
} from '../../consensus/wire.ts'
import type { Deciding } from '../../node/chain.ts'
import { toHex } from '../../primitives/bytes.ts'
import { base64OrNull, blockIdJson, blockJson, type Json, type JsonObject, validatorJson } from './block-json.ts'
import type { CometNode, NodeIdentity } from './node.ts'

const BLOCK_PROTOCOL = '11'
const PEER_PROTOCOL = '8'
/** Channels that a CometBFT node has. Ours speaks with its peers otherwise, but clients insist on some. */
const CHANNELS = '40202122233038606100'

export function statusJson(node: CometNode): JsonObject {
  const { blocks, publicKey } = node
  const [earliest, latest] = [blocks.meta(blocks.base), blocks.meta(blocks.published)]
  const address = publicKey === null ? '' : addressOf(publicKey)
  const own = blocks.state?.validators.validators.find((validator) => validator.address === address)
  return {
    node_info: nodeInfoJson(node, node.identity),
    sync_info: {
      ...edgeJson('latest', latest),
      ...edgeJson('earliest', earliest),
      catching_up: node.isCatchingUp(),
    },
    validator_info: {
      address: capitalHex(address),
      pub_key: publicKey === null ? null : publicKeyDocument(publicKey),
      voting_power: String(own?.votingPower ?? 0n),
    },
  }
}

function edgeJson(edge: 'latest' | 'earliest', meta: BlockMeta | undefined): JsonObject {
  return {
    [`${edge}_block_hash`]: capitalHex(meta?.blockId.hash ?? ''),
    [`${edge}_app_hash`]: capitalHex(meta?.header.appHash ?? ''),
    [`${edge}_block_height`]: String(meta?.header.height ?? 0n),
    [`${edge}_block_time`]: meta === undefined ? '1970-01-01T00:00:00Z' : formatTime(meta.header.time),
  }
}

function nodeInfoJson({ blocks, genesis }: CometNode, identity: NodeIdentity): JsonObject {
  const app = blocks.state?.version.app ?? 0n
  return {
    protocol_version: { p2p: PEER_PROTOCOL, block: BLOCK_PROTOCOL, app: String(app) },
    id: identity.id,
    listen_addr: identity.listenAddress,
    network: genesis.chainId,
    version: identity.version,
    channels: CHANNELS,
    moniker: identity.moniker,
    other: { tx_index: blocks.events === null ? 'off' : 'on', rpc_address: identity.rpcAddress },
  }
}

/** Nobody measures the connections. */
const NO_FLOW: JsonObject = {
  Start: '0001-01-01T00:00:00Z',
  Bytes: '0',
  Samples: '0',
  InstRate: '0',
  CurRate: '0',
  AvgRate: '0',
  PeakRate: '0',
  BytesRem: '0',
  Duration: '0',
  Idle: '0',
  TimeRem: '0',
  Progress: 0,
  Active: true,
}

export function netInfoJson(node: CometNode): JsonObject {
  const peers = node.peers()
  return {
    listening: true,
    listeners: ['Listener(@)'],
    n_peers: String(peers.length),
    peers: peers.map(({ identity, ip }) => ({
      node_info: nodeInfoJson(node, identity),
      is_outbound: true,
      connection_status: { Duration: '0', SendMonitor: NO_FLOW, RecvMonitor: NO_FLOW, Channels: [] },
      remote_ip: ip,
    })),
  }
}

// --- what is being decided ------------------------------------------------------------------------------------------

/** As CometBFT counts the steps: 1 waits for the height to begin, 8 has decided. */
function stepOf({ rounds, isWaiting }: Deciding): number {
  if (rounds === null || isWaiting || rounds.round < 0) return 1
  if (rounds.decided !== null) return 8
  return { propose: 3, prevote: 4, precommit: 6 }[rounds.step]
}

interface Stage {
  readonly deciding: Deciding
  readonly chain: ChainState
  readonly height: bigint
  /** 0 before the first. */
  readonly round: number
  readonly votes: ReturnType<typeof createVoteKeeper>
  readonly proposer: string
}

function stageOf(node: CometNode): Stage | undefined {
  const chain = node.blocks.state
  if (chain === undefined) return undefined
  const deciding = node.deciding()
  const { rounds } = deciding
  const height = rounds?.keeper.height ?? chain.lastHeight + 1n
  const round = Math.max(rounds?.round ?? 0, 0)
  const { chainId, validators } = chain
  const votes = rounds?.keeper ?? createVoteKeeper({ chainId, height, validators, hasExtensions: false })
  const proposer = rounds?.elections.proposers[round] ?? validators.proposer?.address ?? ''
  return { deciding, chain, height, round, votes, proposer }
}

export function consensusStateJson(node: CometNode): JsonObject | undefined {
  const stage = stageOf(node)
  if (stage === undefined) return undefined
  const { deciding, chain, height, round, proposer } = stage
  const { rounds } = deciding
  const proposed = rounds?.proposals.get(round)?.proposal.blockId ?? NIL_BLOCK_ID
  return {
    round_state: {
      'height/round/step': `${height}/${round}/${stepOf(deciding)}`,
      start_time: formatTime(chain.lastTime),
      proposal_block_hash: capitalHex(proposed.hash),
      locked_block_hash: capitalHex(rounds?.locked?.blockId.hash ?? ''),
      valid_block_hash: capitalHex(rounds?.valid?.blockId.hash ?? ''),
      height_vote_set: votesJson(stage),
      proposer: {
        address: capitalHex(proposer),
        index: chain.validators.validators.findIndex(({ address }) => address === proposer),
      },
    },
  }
}

export function dumpConsensusStateJson(node: CometNode): JsonObject | undefined {
  const stage = stageOf(node)
  if (stage === undefined) return undefined
  const { deciding, chain, height, round } = stage
  const { rounds } = deciding
  const lastCommit = node.blocks.extendedCommit(chain.lastHeight) ?? null
  const received = rounds?.proposals.get(round)?.proposal
  const blockJsonOf = (hash: string | undefined): Json => {
    const candidate = [...(rounds?.candidates.values() ?? [])].find(({ blockId }) => blockId.hash === hash)
    return candidate === undefined ? null : blockJson(candidate.block)
  }
  const partsJsonOf = (choice: RoundState['locked'] | undefined): Json =>
    choice == null ? null : partsJson(choice.blockId.partSetHeader.total, blockJsonOf(choice.blockId.hash) !== null)
  return {
    round_state: {
      height: String(height),
      round,
      step: stepOf(deciding),
      start_time: formatTime(chain.lastTime),
      commit_time: formatTime(chain.lastTime),
      validators: validatorSetJson(chain.validators),
      proposal:
        received === undefined
          ? null
          : {
              Type: received.type,
              height: String(received.height),
              round: received.round,
              pol_round: received.polRound,
              block_id: blockIdJson(received.blockId),
              timestamp: formatTime(received.timestamp),
              signature: base64OrNull(received.signature),
            },
      proposal_block: blockJsonOf(received?.blockId.hash),
      proposal_block_parts:
        received === undefined
          ? null
          : partsJson(received.blockId.partSetHeader.total, blockJsonOf(received.blockId.hash) !== null),
      locked_round: rounds?.locked?.round ?? -1,
      locked_block: blockJsonOf(rounds?.locked?.blockId.hash),
      locked_block_parts: partsJsonOf(rounds?.locked),
      valid_round: rounds?.valid?.round ?? -1,
      valid_block: blockJsonOf(rounds?.valid?.blockId.hash),
      valid_block_parts: partsJsonOf(rounds?.valid),
      votes: votesJson(stage),
      commit_round: rounds?.decided?.round ?? -1,
      last_commit: lastCommit === null ? null : lastCommitJson(lastCommit, chain.lastValidators),
      last_validators: validatorSetJson(chain.lastValidators),
      triggered_timeout_precommit: false,
    },
    peers: node.peers().map(({ identity: { id, listenAddress } }) => ({
      node_address: `${id}@${listenAddress.replace(/^\w+:\/\//, '')}`,
      peer_state: { round_state: {}, stats: { votes: '0', block_parts: '0' } },
    })),
  }
}

function validatorSetJson({ validators, proposer }: ValidatorSet): JsonObject {
  return { validators: validators.map(validatorJson), proposer: proposer === null ? null : validatorJson(proposer) }
}

function partsJson(total: number, isComplete: boolean): JsonObject {
  const bits = (isComplete ? 'x' : '_').repeat(total)
  return { 'count/total': `${isComplete ? total : 0}/${total}`, parts_bit_array: `BA{${total}:${bits}}` }
}

function votesJson({ votes: { rounds }, round }: Stage): Json {
  const list: JsonObject[] = []
  for (let number = 0; number <= round; number++) {
    const votes = rounds.get(number)
    if (votes === undefined) continue
    list.push({
      round: number,
      prevotes: votes.prevotes.votes.map(voteText),
      prevotes_bit_array: bitsText(votes.prevotes),
      precommits: votes.precommits.votes.map(voteText),
      precommits_bit_array: bitsText(votes.precommits),
    })
  }
  return list
}

const TYPE_NAMES: Readonly<Record<number, string>> = {
  [PREVOTE]: 'SIGNED_MSG_TYPE_PREVOTE(Prevote)',
  [PRECOMMIT]: 'SIGNED_MSG_TYPE_PRECOMMIT(Precommit)',
}

function voteText(vote: Vote | null): string {
  if (vote === null) return 'nil-Vote'
  const { validatorIndex, validatorAddress, height, round, type, blockId, signature, extension, timestamp } = vote
  const place = `${height}/${String(round).padStart(2, '0')}/${TYPE_NAMES[type] ?? type}`
  const prints = `${print(capitalHex(blockId.hash))} ${print(toHex(signature))} ${print(toHex(extension))}`
  return `Vote{${validatorIndex}:${print(capitalHex(validatorAddress))} ${place} ${prints} @ ${formatTime(timestamp)}}`
}

/** The first six bytes, filled up with zeros. */
function print(hex: string): string {
  return hex.slice(0, 12).toUpperCase().padEnd(12, '0')
}

function bitsText({ votes, power, validators }: VoteSet): string {
  return bitArrayText(
    votes.map((vote) => vote !== null),
    power,
    validators.totalVotingPower,
  )
}

function bitArrayText(bits: readonly boolean[], power: bigint, total: bigint): string {
  const share = total === 0n ? 0 : Number((power * 10_000n) / total) / 10_000
  const text = bits.map((isSet) => (isSet ? 'x' : '_')).join('')
  return `BA{${bits.length}:${text}} ${power}/${total} = ${share.toFixed(2)}`
}

function lastCommitJson(commit: ExtendedCommit, { validators, totalVotingPower }: ValidatorSet): JsonObject {
  const { height, round, extendedSignatures } = commit
  let power = 0n
  const votes = extendedSignatures.map((signed, index) => {
    if (signed.blockIdFlag === FLAG_ABSENT) return null
    power += validators[index]?.votingPower ?? 0n
    const blockId = signed.blockIdFlag === FLAG_NIL ? NIL_BLOCK_ID : commit.blockId
    return { ...signed, type: PRECOMMIT, height, round, blockId, validatorIndex: index }
  })
  const bits = votes.map((vote) => vote !== null)
  return {
    votes: votes.map(voteText),
    votes_bit_array: bitArrayText(bits, power, totalVotingPower),
    peer_maj_23s: {},
  }
}
