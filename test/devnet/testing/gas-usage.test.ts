import { expect, test } from 'vitest'
import { formatGasTable, noteGas, summarizeGas, takeGasUsage } from '../../../devnet/testing/gas-usage.ts'

test('usage is taken once', () => {
  noteGas('A.b', 5n)
  noteGas('A.b', 5n)
  noteGas('A.b', 9n)
  expect(takeGasUsage()).toEqual({
    'A.b': [
      ['5', 2],
      ['9', 1],
    ],
  })
  expect(takeGasUsage()).toEqual({})
})

test('files are merged to least, median and most', () => {
  const lines = summarizeGas([
    {
      'B.c': [['7', 1]],
      'A.b': [
        ['30', 1],
        ['10', 2],
      ],
    },
    { 'A.b': [['20', 2]] },
  ])
  expect(lines).toEqual([
    { label: 'A.b', count: 5, min: 10n, median: 20n, max: 30n },
    { label: 'B.c', count: 1, min: 7n, median: 7n, max: 7n },
  ])
})

test('the table is aligned and groups thousands', () => {
  const table = formatGasTable([{ label: 'Counter.get', count: 12, min: 1n, median: 858_025n, max: 2_000_000n }])
  expect(table).toBe(
    ['method       calls  min   median        max', 'Counter.get     12    1  858,025  2,000,000'].join('\n'),
  )
})
