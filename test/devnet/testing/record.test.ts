import { expect, test } from 'vitest'
import { eventName, type MessageRecord, report, watchMessages } from '../../../devnet/testing/record.ts'

test.each([
  ['Transfer', 'transfer'],
  ['TransferFrom', 'transfer-from'],
  ['transfer-from', 'transfer-from'],
  ['Erc20Paid', 'erc20-paid'],
])('an event may be called %s or %s', (name, wire) => {
  expect(eventName(name)).toBe(wire)
})

const record = { label: 'a' } as MessageRecord

test('what a function runs is kept, and what it awaits', async () => {
  const later = watchMessages(async () => {
    await Promise.resolve()
    report(record)
  })
  expect(await later).toMatchObject({ watch: { records: [record] }, hasFailed: false })
  expect(watchMessages(() => report(record))).toMatchObject({ watch: { records: [record] } })
})

test('functions that run at the same time do not see each other', async () => {
  const quiet = watchMessages(() => Promise.resolve())
  const loud = watchMessages(async () => report(record))
  expect([(await quiet).watch.records, (await loud).watch.records]).toEqual([[], [record]])
})

test('a watch inside of another: both keep', () => {
  let inner: unknown
  const outer = watchMessages(() => {
    inner = watchMessages(() => report(record))
  })
  expect(inner).toMatchObject({ watch: { records: [record] } })
  expect(outer).toMatchObject({ watch: { records: [record] } })
})

test('what is thrown, or rejected, is kept too', async () => {
  const error = new Error('no')
  const fail = () => {
    throw error
  }
  expect(watchMessages(fail)).toMatchObject({ error, hasFailed: true })
  expect(await watchMessages(async () => fail())).toMatchObject({ error, hasFailed: true })
})
