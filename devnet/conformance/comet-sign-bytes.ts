/** `sign-bytes`: canonical sign bytes, wire bytes, signatures, and which signatures are accepted. */

import type { Fault } from '../consensus/fault.ts'
import { addressOf, type PrivateKey, publicKeyOf, signMessage, verifyMessage } from '../consensus/key.ts'
import { checkProposal } from '../consensus/proposal.ts'
import { decode, encode, type Message } from '../consensus/schema.ts'
import { extensionSignBytes, proposalSignBytes, voteSignBytes } from '../consensus/sign-bytes.ts'
import { checkVote } from '../consensus/vote.ts'
import { PROPOSAL, type PublicKey, VOTE } from '../consensus/wire.ts'
import { fromBinary, fromHex, toHex } from '../primitives/bytes.ts'
import { attempt, type Check, type CometFile, type CometReport } from './comet-report.ts'
import { fromView, toView } from './comet-view.ts'

export function runSignBytes(file: CometFile, report: CometReport): void {
  const keys: PrivateKey[] = file.keys.map(privateKeyOf)
  for (const [i, key] of file.keys.entries()) report.run(`key ${i}`, (check) => compareKey(check, key))
  for (const [i, entry] of file.votes.entries()) {
    report.run(`vote ${i}, ${entry.name}`, (check) => {
      const vote = fromView(VOTE, entry.vote)
      compareMessage(check, entry, { message: VOTE, view: entry.vote, form: checkVote })
      const signed = attempt(() => voteSignBytes(entry.chainId, vote))
      check.value('signBytes', entry.signBytes, hexOr(signed))
      const extension = attempt(() => extensionSignBytes(entry.chainId, vote))
      if (entry.extensionSignBytes !== undefined) {
        check.value('extensionSignBytes', entry.extensionSignBytes, hexOr(extension))
      }
      compareSignatures(check, entry, keys, signed, extension)
    })
  }
  for (const [i, entry] of file.proposals.entries()) {
    report.run(`proposal ${i}, ${entry.name}`, (check) => {
      const proposal = fromView(PROPOSAL, entry.proposal)
      compareMessage(check, entry, { message: PROPOSAL, view: entry.proposal, form: checkProposal })
      const signed = attempt(() => proposalSignBytes(entry.chainId, proposal))
      check.value('signBytes', entry.signBytes, hexOr(signed))
      compareSignatures(check, entry, keys, signed)
    })
  }
  for (const [i, entry] of file.signatures.entries()) {
    report.run(`signature ${i}, ${entry.name}`, (check) => {
      const key: PublicKey = { kind: entry.type, value: fromHex(entry.public) }
      check.equal('accepted', entry.accepted, verifyMessage(key, fromHex(entry.message), fromHex(entry.signature)))
    })
  }
}

/** The secret of ed25519 has its public key behind the seed. */
export function privateKeyOf(json: { readonly type: PublicKey['kind']; readonly private: string }): PrivateKey {
  return { kind: json.type, secret: fromHex(json.private).subarray(0, 32) }
}

export function compareKey(check: Check, json: CometFile): void {
  const key = publicKeyOf(privateKeyOf(json))
  check.equal('public', json.public, toHex(key.value))
  check.equal('address', json.address, toHex(fromBinary(addressOf(key))))
}

function compareMessage<T>(
  check: Check,
  entry: CometFile,
  { message, view, form }: { message: Message<T>; view: CometFile; form: (value: T) => Fault | null },
): void {
  const value = fromView(message, view)
  if (entry.proto !== undefined) {
    check.value('proto', entry.proto, hexOr(attempt(() => encode(message, value))))
    if (typeof entry.proto === 'string') {
      check.equal('decoded', view, toView(message, decode(message, fromHex(entry.proto))))
    }
  }
  if (entry.wellFormed !== undefined) check.verdict('wellFormed', entry.wellFormed, form(value))
}

function compareSignatures(
  check: Check,
  entry: CometFile,
  keys: readonly PrivateKey[],
  signed: Uint8Array | Fault,
  extension?: Uint8Array | Fault,
): void {
  for (const [i, signature] of (entry.signatures ?? []).entries()) {
    const key = keys[signature.key]!
    for (const [field, bytes] of [
      ['signature', signed],
      ['extensionSignature', extension],
    ] as const) {
      if (signature[field] === undefined || !(bytes instanceof Uint8Array)) continue
      const made = signMessage(key, bytes)
      check.equal(`signatures ${i} ${field}`, signature[field], toHex(made))
      check.equal(`signatures ${i} ${field} verifies`, true, verifyMessage(publicKeyOf(key), bytes, made))
    }
  }
}

export function hexOr(value: Uint8Array | Fault): string | Fault {
  return value instanceof Uint8Array ? toHex(value) : value
}
