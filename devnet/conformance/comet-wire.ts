/** `wire`: gossip and other channels, ABCI frames, the log and its torn ends, what decoders forgive. */

import { checkConsensusMessage } from '../consensus/gossip.ts'
import { encodeLogRecord, readLog } from '../consensus/log-record.ts'
import { decode, encode, type Message } from '../consensus/schema.ts'
import { EVIDENCE_LIST, VOTE } from '../consensus/wire.ts'
import { ABCI_REQUEST, ABCI_RESPONSE, decodeFrame, encodeFrame } from '../consensus/wire-abci.ts'
import {
  BLOCKSYNC_MESSAGE,
  CONSENSUS_MESSAGE,
  type LogMessage,
  MEMPOOL_MESSAGE,
  PEX_MESSAGE,
  STATESYNC_MESSAGE,
  TIMED_LOG_MESSAGE,
} from '../consensus/wire-channels.ts'
import { fromHex, toHex } from '../primitives/bytes.ts'
import { compareWire } from './comet-hashes.ts'
import { attempt, type Check, type CometFile, type CometReport, faultIn } from './comet-report.ts'
import { fromView, toView } from './comet-view.ts'

const CHANNELS: Readonly<Record<string, Message<unknown>>> = {
  'mempool 0x30': MEMPOOL_MESSAGE,
  'blocksync 0x40': BLOCKSYNC_MESSAGE,
  'statesync 0x60, 0x61': STATESYNC_MESSAGE,
  'pex 0x00': PEX_MESSAGE,
  'evidence 0x38': EVIDENCE_LIST,
}

/** The library's names of what the log holds. */
const LOG_KINDS: Readonly<Record<LogMessage['kind'], string>> = {
  endHeight: 'consensus.EndHeightMessage',
  eventDataRoundState: 'types.EventDataRoundState',
  timeoutInfo: 'consensus.timeoutInfo',
  msgInfo: 'consensus.msgInfo',
}

export function runWire(file: CometFile, report: CometReport): void {
  for (const [i, entry] of file.gossip.entries()) {
    report.run(`gossip ${i}, ${entry.name}`, (check) => {
      const message = compareWire(check, CONSENSUS_MESSAGE, entry.message, entry.proto)
      check.verdict('form', 'ok', checkConsensusMessage(message))
    })
  }
  for (const [i, entry] of file.otherChannels.entries()) {
    report.run(`otherChannels ${i}, ${entry.name}`, (check) => {
      compareWire(check, CHANNELS[entry.channel]!, entry.message, entry.proto)
    })
  }
  for (const [part, envelope] of [
    ['abciRequests', ABCI_REQUEST],
    ['abciResponses', ABCI_RESPONSE],
  ] as const) {
    for (const [i, entry] of file[part].entries()) {
      report.run(`${part} ${i}, ${entry.name} with ${entry.fields}`, (check) =>
        compareFrame(check, envelope as Message<unknown>, entry),
      )
    }
  }
  for (const [i, entry] of file.log.records.entries()) {
    report.run(`log record ${i}, ${entry.name}`, (check) => {
      const message = fromView(TIMED_LOG_MESSAGE, entry.message)
      check.equal('record', entry.record, toHex(encodeLogRecord(message)))
      const { records, fault } = readLog(fromHex(entry.record))
      check.verdict('read', 'ok', fault)
      check.equal(
        'message',
        [entry.message],
        records.map((record) => toView(TIMED_LOG_MESSAGE, record)),
      )
    })
  }
  for (const [i, entry] of file.log.streams.entries()) {
    report.run(`log stream ${i}, ${entry.name}`, (check) => {
      const { records, fault } = readLog(fromHex(entry.bytes))
      check.equal(
        'decoded',
        entry.decoded,
        records.map(({ msg }) => LOG_KINDS[msg!.kind]),
      )
      check.verdict('then', entry.then === 'end' ? 'ok' : entry.then, fault)
    })
  }
  for (const [i, entry] of file.decoding.entries()) {
    report.run(`decoding ${i}, ${entry.name}`, (check) => compareDecoding(check, entry))
  }
}

function compareFrame(check: Check, envelope: Message<unknown>, entry: CometFile): void {
  const message = fromView(envelope, entry.message)
  check.equal('frame', entry.frame, toHex(encodeFrame(envelope, message)))
  const stream = fromHex(entry.frame)
  const frame = decodeFrame(envelope, stream, 0)
  check.equal('decoded', entry.message, frame === undefined ? undefined : toView(envelope, frame.value))
  check.equal('next', stream.length, frame?.next)
  check.equal('torn', undefined, decodeFrame(envelope, stream.subarray(0, -1), 0)?.next)
}

function compareDecoding(check: Check, entry: CometFile): void {
  const vote = attempt(() => decode(VOTE, fromHex(entry.bytes)))
  check.verdict('decoded', entry.decoded, faultIn(vote))
  if (entry.vote === undefined || 'code' in vote) return
  check.equal('vote', entry.vote, toView(VOTE, vote))
  const encoded = attempt(() => encode(VOTE, vote))
  check.value('encoded', entry.encoded, encoded instanceof Uint8Array ? toHex(encoded) : encoded)
}
