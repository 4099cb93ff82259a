import { describe, expect, test } from 'vitest'
import { type ActorNames, execResultOf, namesIn } from '../../../devnet/node/block-answer.ts'
import { refusedRecord } from '../../../devnet/node/chain-records.ts'
import type { ActorId } from '../../../devnet/state/actor.ts'
import { parseAddress } from '../../../devnet/state/address.ts'

const [from, to] = ['t1nqjokbjze2a2nx36kz6oq54wns4w5jcwhzuzy2i', 't01234'].map(parseAddress)
const contract = parseAddress('0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC')
const entry = (flags: bigint, key: string) => ({ flags, key, codec: 0x55n, value: Uint8Array.of(0xab, 1) })

describe('what a message is answered with', () => {
  const state = { getActor: (id: ActorId) => (id === 7n ? { delegated: contract } : undefined) }
  const names: ActorNames = namesIn(state as Parameters<typeof namesIn>[0])
  const events = [
    { emitter: 7n as ActorId, entries: [entry(1n, 't1'), entry(2n, 'd'), entry(0n, 'note')] },
    { emitter: 8n as ActorId, entries: [] },
  ]
  const record = { ...refusedRecord(0, ''), events: events as never }

  test('names emitters, sender and receiver; an entry with any flag can be found', () => {
    const { events: said } = execResultOf(record, { message: { from: from!, to: to! }, gasWanted: 5n, names })
    const lines = said.map(({ type, attributes }) =>
      attributes.map(({ key, value, index }) => `${type}.${key}=${value}${index ? '' : ' (not indexed)'}`),
    )
    expect(lines).toEqual([
      [
        'event.emitter.id=7',
        `event.emitter.deleg=${names.textOf(contract)}`,
        'event.t1=ab01',
        'event.d=ab01',
        'event.note=ab01 (not indexed)',
      ],
      ['event.emitter.id=8'],
      ['message.from=t1nqjokbjze2a2nx36kz6oq54wns4w5jcwhzuzy2i', 'message.to=t01234'],
    ])
    expect(names.textOf(contract)).toMatch(/^t410f/)
  })

  test('names nobody where there was no message', () => {
    expect(execResultOf(refusedRecord(51, 'no'), { message: null, gasWanted: 0n, names }).events).toEqual([])
  })
})
