/** `sign-guard`: the file signer step by step, and its files as text. */

import { isFault } from '../consensus/fault.ts'
import { signMessage } from '../consensus/key.ts'
import {
  formatKeyFile,
  formatNodeKeyFile,
  formatSignState,
  nodeIdOf,
  parseKeyFile,
  parseSignState,
} from '../consensus/key-file.ts'
import { decode } from '../consensus/schema.ts'
import { type LastSigned, NOTHING_SIGNED, signProposal, signVote } from '../consensus/sign-guard.ts'
import { splitTime } from '../consensus/time.ts'
import { PROPOSAL, VOTE } from '../consensus/wire.ts'
import { fromHex, toHex } from '../primitives/bytes.ts'
import type { CometFile, CometReport } from './comet-report.ts'
import { compareKey, privateKeyOf } from './comet-sign-bytes.ts'

export function runSignGuard(file: CometFile, report: CometReport): void {
  report.run('key', (check) => compareKey(check, file.key))
  const key = privateKeyOf(file.key)
  const signer = {
    chainId: file.chainId,
    sign: (message: Uint8Array) => signMessage(key, message),
    signsExtensions: true,
  }
  let last: LastSigned = NOTHING_SIGNED
  for (const [i, step] of file.steps.entries()) {
    report.run(`step ${i}, ${step.name}`, (check) => {
      const asked = fromHex(step.asked)
      const signed =
        step.kind === 'vote'
          ? signVote(last, signer, decode(VOTE, asked))
          : signProposal(last, signer, decode(PROPOSAL, asked))
      check.verdict('result', step.result, isFault(signed) ? signed : null)
      if (!isFault(signed)) {
        const { timestamp, signature } = signed.message
        const { seconds, nanos } = splitTime(timestamp)
        check.equal('time', step.time, { seconds: String(seconds), nanos })
        check.equal('signature', step.signature, toHex(signature))
        const extension = 'extensionSignature' in signed.message ? signed.message.extensionSignature : new Uint8Array(0)
        check.equal('extensionSignature', step.extensionSignature, toHex(extension))
        last = signed.last
      }
      // Every step begins where the file says that the last one ended, as after a restart.
      const text = formatSignState(last)
      check.equal('state', step.state, JSON.parse(text))
      last = parseSignState(text)
    })
  }
  report.run('files', (check) => {
    const { files } = file
    const text = files['priv_validator_key.json']
    check.equal('key file', text, formatKeyFile(parseKeyFile(text)))
    check.equal('new state', files['priv_validator_state.json, new'], formatSignState(NOTHING_SIGNED))
    const used = files['priv_validator_state.json, used']
    check.equal('used state', used, formatSignState(parseSignState(used)))
    const node = parseKeyFile(files['node_key.json'])
    check.equal('node key', files['node_key.json'], formatNodeKeyFile(node))
    check.equal('node id', files.nodeId, nodeIdOf(node))
  })
}
