/**
 * What a validator may sign, given what it signed last: never two different things at one height, round and step. The same
 * again gets the same signature; if only the time differs, the earlier time with it.
 *
 * @source CometBFT v0.38.25 `privval/file.go`
 */

import { equalBytes } from '../primitives/bytes.ts'
import { type Fault, fault, isFault } from './fault.ts'
import { WireError } from './protobuf.ts'
import { extensionSignBytes, proposalSignBytes, timeIfOnlyTimeDiffers, voteSignBytes } from './sign-bytes.ts'
import type { Time } from './time.ts'
import { isExtensible, isVoteType } from './vote.ts'
import { PREVOTE, type Proposal, type Vote } from './wire.ts'

const NO_BYTES = new Uint8Array(0)

export const STEP_PROPOSE = 1
export const STEP_PREVOTE = 2
export const STEP_PRECOMMIT = 3

/** What was signed last. It must survive a crash before the signature leaves. */
export interface LastSigned {
  readonly height: bigint
  readonly round: number
  /** 0 before the first signature. */
  readonly step: number
  readonly signBytes: Uint8Array
  readonly signature: Uint8Array
}

export const NOTHING_SIGNED: LastSigned = { height: 0n, round: 0, step: 0, signBytes: NO_BYTES, signature: NO_BYTES }

export interface SignedMessage<T> {
  /** With signatures, and with the time of the earlier signature if that was given again. */
  readonly message: T
  /** The same object if nothing new was signed. */
  readonly last: LastSigned
}

export interface Signer {
  readonly chainId: string
  /** Signs as `signMessage` does with the validator's key. */
  readonly sign: (message: Uint8Array) => Uint8Array
  /** Whether precommits have extensions. The library's validator signs them even where they are thrown away. */
  readonly signsExtensions: boolean
}

export function signVote(last: LastSigned, signer: Signer, vote: Vote): SignedMessage<Vote> | Fault {
  if (!isVoteType(vote.type)) return fault('type')
  const step = vote.type === PREVOTE ? STEP_PREVOTE : STEP_PRECOMMIT
  const regression = checkRegression(last, vote, step)
  if (regression !== null) return regression
  const bytes = attempt(() => voteSignBytes(signer.chainId, vote))
  if (isFault(bytes)) return bytes
  if (!isExtensible(vote) && vote.extension.length > 0) return fault('extension')
  const signed = signOnce(last, signer, { kind: 'vote', height: vote.height, round: vote.round, step, bytes })
  if (isFault(signed)) return signed
  // Extensions may differ each time the application is asked, so they are signed anew.
  const hasExtension = signer.signsExtensions && isExtensible(vote)
  const extensionSignature = hasExtension ? signer.sign(extensionSignBytes(signer.chainId, vote)) : NO_BYTES
  const { signature } = signed.last
  return {
    message: { ...vote, timestamp: signed.time ?? vote.timestamp, signature, extensionSignature },
    last: signed.last,
  }
}

export function signProposal(last: LastSigned, signer: Signer, proposal: Proposal): SignedMessage<Proposal> | Fault {
  const regression = checkRegression(last, proposal, STEP_PROPOSE)
  if (regression !== null) return regression
  const bytes = attempt(() => proposalSignBytes(signer.chainId, proposal))
  if (isFault(bytes)) return bytes
  const { height, round } = proposal
  const signed = signOnce(last, signer, { kind: 'proposal', height, round, step: STEP_PROPOSE, bytes })
  if (isFault(signed)) return signed
  const message = { ...proposal, timestamp: signed.time ?? proposal.timestamp, signature: signed.last.signature }
  return { message, last: signed.last }
}

function checkRegression(
  last: LastSigned,
  { height, round }: { readonly height: bigint; readonly round: number },
  step: number,
): Fault | null {
  if (last.height !== height) return last.height > height ? fault('height-regression') : null
  if (last.round !== round) return last.round > round ? fault('round-regression') : null
  return last.step > step ? fault('step-regression') : null
}

interface Statement {
  readonly kind: 'vote' | 'proposal'
  readonly height: bigint
  readonly round: number
  readonly step: number
  readonly bytes: Uint8Array
}

/** No regression: what is asked is later than the last, or at the very same place. */
function signOnce(
  last: LastSigned,
  { sign }: Signer,
  { kind, height, round, step, bytes }: Statement,
): { readonly last: LastSigned; readonly time?: Time } | Fault {
  if (last.height !== height || last.round !== round || last.step !== step) {
    return { last: { height, round, step, signBytes: bytes, signature: sign(bytes) } }
  }
  if (equalBytes(bytes, last.signBytes)) return { last }
  const time = timeIfOnlyTimeDiffers(kind, last.signBytes, bytes)
  return time === undefined ? fault('conflicting-data') : { last, time }
}

function attempt(work: () => Uint8Array): Uint8Array | Fault {
  try {
    return work()
  } catch (error) {
    if (error instanceof WireError) return fault('malformed')
    throw error
  }
}
