/**
 * Messages that tests send, as vectors for the reference: `TROUPE_EXPORT_VECTORS` names the folder they go to. Each file is
 * one message over the state before it.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeVector } from '../conformance/export.ts'
import type { ApplyKind } from '../engine/executor.ts'
import type { MachineContext } from '../engine/machine-context.ts'
import { encodeMessage, type Message } from '../state/message.ts'

const folder = process.env['TROUPE_EXPORT_VECTORS']
let count = 0

export function isExporting(): boolean {
  return folder !== undefined && folder !== ''
}

/** Writes the message that is about to be applied. The state must have no open transaction. */
export function exportMessage(context: MachineContext, label: string, message: Message, kind: ApplyKind): void {
  const name = `${label.replace(/[^A-Za-z0-9]+/g, '-').toLowerCase()}-${process.pid}-${count++}`
  const { networkVersion, epoch, timestamp, baseFee, circulatingSupply, chainId, debugging, store } = context
  mkdirSync(folder!, { recursive: true })
  writeFileSync(
    join(folder!, `${name}.json.gz`),
    encodeVector({
      name,
      about: `${label}, as a test sent it.`,
      machine: { networkVersion, epoch, timestamp, baseFee, circulatingSupply, chainId, actorDebugging: debugging },
      root: context.state.flush(),
      messages: [{ message, implicit: kind === 'implicit', rawLength: encodeMessage(message).length }],
      store,
    }),
  )
}
