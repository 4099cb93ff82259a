/**
 * What nodes say to each other, channel by channel, and what a node writes to its log.
 *
 * @source CometBFT v0.38.25 `proto/tendermint/{consensus,mempool,blocksync,statesync,p2p}/*.proto`
 */

import {
  binary,
  bool,
  bytes,
  duration,
  enumeration,
  int32,
  int64,
  message,
  nested,
  optional,
  repeated,
  repeatedBytes,
  text,
  time,
  uint32,
  uint64,
  union,
  type ValueOf,
} from './schema.ts'
import {
  BIT_ARRAY,
  BLOCK,
  BLOCK_ID,
  EVENT_DATA_ROUND_STATE,
  EXTENDED_COMMIT,
  PART,
  PART_SET_HEADER,
  PROPOSAL,
  VOTE,
} from './wire.ts'

/** Channels 0x20 to 0x23. */
export const CONSENSUS_MESSAGE = union('sum', {
  newRoundStep: nested(
    1,
    message({
      height: int64(1),
      round: int32(2),
      step: uint32(3),
      secondsSinceStartTime: int64(4),
      lastCommitRound: int32(5),
    }),
  ),
  newValidBlock: nested(
    2,
    message({
      height: int64(1),
      round: int32(2),
      blockPartSetHeader: nested(3, PART_SET_HEADER),
      blockParts: optional(4, BIT_ARRAY),
      isCommit: bool(5),
    }),
  ),
  proposal: nested(3, message({ proposal: nested(1, PROPOSAL) })),
  proposalPol: nested(4, message({ height: int64(1), proposalPolRound: int32(2), proposalPol: nested(3, BIT_ARRAY) })),
  blockPart: nested(5, message({ height: int64(1), round: int32(2), part: nested(3, PART) })),
  vote: nested(6, message({ vote: optional(1, VOTE) })),
  hasVote: nested(7, message({ height: int64(1), round: int32(2), type: enumeration(3), index: int32(4) })),
  voteSetMaj23: nested(
    8,
    message({ height: int64(1), round: int32(2), type: enumeration(3), blockId: nested(4, BLOCK_ID) }),
  ),
  voteSetBits: nested(
    9,
    message({
      height: int64(1),
      round: int32(2),
      type: enumeration(3),
      blockId: nested(4, BLOCK_ID),
      votes: nested(5, BIT_ARRAY),
    }),
  ),
})
export type ConsensusMessage = NonNullable<ValueOf<typeof CONSENSUS_MESSAGE>>

/** Channel 0x30. */
export const MEMPOOL_MESSAGE = union('sum', { txs: nested(1, message({ txs: repeatedBytes(1) })) })

/** Channel 0x40. */
export const BLOCKSYNC_MESSAGE = union('sum', {
  blockRequest: nested(1, message({ height: int64(1) })),
  noBlockResponse: nested(2, message({ height: int64(1) })),
  blockResponse: nested(3, message({ block: optional(1, BLOCK), extCommit: optional(2, EXTENDED_COMMIT) })),
  statusRequest: nested(4, message({})),
  statusResponse: nested(5, message({ height: int64(1), base: int64(2) })),
})

/** Channels 0x60 and 0x61. */
export const STATESYNC_MESSAGE = union('sum', {
  snapshotsRequest: nested(1, message({})),
  snapshotsResponse: nested(
    2,
    message({ height: uint64(1), format: uint32(2), chunks: uint32(3), hash: binary(4), metadata: bytes(5) }),
  ),
  chunkRequest: nested(3, message({ height: uint64(1), format: uint32(2), index: uint32(3) })),
  chunkResponse: nested(
    4,
    message({ height: uint64(1), format: uint32(2), index: uint32(3), chunk: bytes(4), missing: bool(5) }),
  ),
})

const NET_ADDRESS = message({ id: text(1), ip: text(2), port: uint32(3) })

/** Channel 0x00. */
export const PEX_MESSAGE = union('sum', {
  pexRequest: nested(1, message({})),
  pexAddrs: nested(2, message({ addrs: repeated(1, NET_ADDRESS) })),
})

export const LOG_MESSAGE = union('sum', {
  eventDataRoundState: nested(1, EVENT_DATA_ROUND_STATE),
  msgInfo: nested(2, message({ msg: nested(1, CONSENSUS_MESSAGE), peerId: text(2) })),
  timeoutInfo: nested(3, message({ duration: duration(1), height: int64(2), round: int32(3), step: uint32(4) })),
  endHeight: nested(4, message({ height: int64(1) })),
})
export type LogMessage = NonNullable<ValueOf<typeof LOG_MESSAGE>>

/** One record of the write-ahead log. */
export const TIMED_LOG_MESSAGE = message({ time: time(1), msg: optional(2, LOG_MESSAGE) })
export type TimedLogMessage = ValueOf<typeof TIMED_LOG_MESSAGE>
