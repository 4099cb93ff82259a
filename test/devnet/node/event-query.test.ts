import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type EventQuery, type EventValues, parseQuery, QueryError } from '../../../devnet/node/event-query.ts'

const of = (values: Readonly<Record<string, readonly string[]>>): EventValues => new Map(Object.entries(values))

const EVENTS = of({
  'tm.event': ['Tx'],
  'tx.height': ['17'],
  'app.key': ['even', 'odd'],
  'app.amount': ['8atom', '6.5stake', '-3', '18446744073709551617'],
  'block.time': ['2020-06-01T12:00:00.5+02:00'],
  'block.day': ['2020-06-01'],
  'deep.type.name': ['x'],
})

describe('a query', () => {
  test.each([
    ["tm.event='Tx'", true],
    ["tm.event = 'Tx' AND tx.height=17", true],
    ["tm.event='Tx' AND tx.height=18", false],
    // Each condition may find its value in another event.
    ["app.key='even' AND app.key='odd'", true],
    ["app.key='ODD'", false],
    ["app.key CONTAINS 've'", true],
    ["app.key CONTAINS ''", true],
    ["app.other CONTAINS ''", false],
    ['app.key EXISTS', true],
    ['app.none EXISTS', false],
    // The type of an event is there, too.
    ['app EXISTS', true],
    ['deep.type EXISTS', true],
    ['deep EXISTS', false],
    ["app = ''", true],
    // A number is what a value begins with.
    ['app.amount = 8', true],
    ['app.amount = 8.0', true],
    ['app.amount = 6.5', true],
    ["app.amount = '8'", false],
    ["app.amount = '8atom'", true],
    ['app.amount > 6.5 AND app.amount < 8', true],
    ['app.amount = 3', false],
    // Beyond what a double tells apart.
    ['app.amount = 18446744073709551617', true],
    ['app.amount = 18446744073709551616', false],
    ['app.amount > 18446744073709551616', true],
    ['app.amount > 18446744073709551617', false],
    ['tx.height >= 17 AND tx.height <= 17', true],
    ['tx.height > 17', false],
    ['tx.height < 17.5', true],
    ['block.time = TIME 2020-06-01T10:00:00Z', false],
    ['block.time > TIME 2020-06-01T10:00:00Z', true],
    ['block.time < TIME 2020-06-01T10:00:01Z', true],
    ['block.time < TIME 2020-06-01T12:00:01+02:00', true],
    ['block.day = DATE 2020-06-01', true],
    ['block.day <= DATE 2020-05-31', false],
    ['block.day < TIME 2030-01-01T00:00:00Z', false],
  ])('%s is %s', (query, expected) => {
    expect(parseQuery(query).matches(EVENTS)).toBe(expected)
  })

  test('matches no events at all never', () => {
    expect(parseQuery("a = ''").matches(of({}))).toBe(false)
  })

  test('is the same however it is spaced', () => {
    expect(parseQuery("a.b='x'  AND\tc>=5 AND d EXISTS").text).toBe("a.b = 'x' AND c >= 5 AND d EXISTS")
    expect(parseQuery('t<DATE 2020-01-01').text).toBe('t < DATE 2020-01-01')
  })

  test.each([
    ['', 'offset 0: EOF'],
    ['   ', 'offset 3: EOF'],
    ['foo', 'offset 3: EOF'],
    ['tx.height=17 AND', 'offset 16: EOF'],
    ['tx.height=17 tx.height=18', 'offset 13: got tag, want AND operator'],
    ["tx.height>'17'", 'offset 10: got string, wanted number, timestamp or datestamp'],
    ['a CONTAINS 5', 'offset 11: got number, wanted string'],
    ['=5', 'offset 0: got = operator, wanted tag'],
    ['5=5', 'offset 0: got number, wanted tag'],
    ['é=', 'offset 3: EOF'],
    ["a='open", 'offset 2: EOF'],
    ['a!=5', 'offset 1: invalid input !'],
    ['a=5 OR b=6', 'offset 4: got tag, want AND operator'],
    ['(a=5)', 'offset 0: invalid input ('],
    ['a<TIME yesterday', 'offset 2: invalid TIME value ""'],
    ['a<TIME 2020-02-30T00:00:00Z', 'offset 2: invalid TIME value "2020-02-30T00:00:00Z"'],
    ['a<DATE 2020-13-01', 'offset 2: invalid DATE value "2020-13-01"'],
    ['a<DATE 1492-10-12', 'offset 2: datestamp year 1492 out of range'],
    [`a='${'k'.repeat(600)}'`, 'maximum query length exceeded'],
  ])('%s is refused: %s', (query, message) => {
    expect(() => parseQuery(query)).toThrowError(new QueryError(message))
  })

  test('gives itself back, and means what a naive reading means', () => {
    const key = fc.constantFrom('a', 'a.b', 'a.b.c', 'x_y.z-1')
    const number = fc.constantFrom('0', '1', '2', '10', '1.5', '1.50', '007')
    const value = fc.oneof(number, fc.constantFrom('1x', '', 'ab', 'b', '-1', '1.', '2020-01-01', '+2'))
    const condition = fc.oneof(
      fc.tuple(key, fc.constantFrom('=', '<', '<=', '>', '>='), number).map(([k, o, n]) => `${k} ${o} ${n}`),
      fc.tuple(key, fc.constantFrom('=', 'CONTAINS'), value).map(([k, o, v]) => `${k} ${o} '${v}'`),
      key.map((k) => `${k} EXISTS`),
    )
    const query = fc.array(condition, { minLength: 1, maxLength: 4 }).map((list) => list.join(' AND '))
    const events = fc.array(fc.tuple(key, fc.array(value, { minLength: 1, maxLength: 3 })), { maxLength: 4 })
    fc.assert(
      fc.property(query, events, (text, list) => {
        const parsed = parseQuery(text)
        const values = new Map(list)
        expect(parseQuery(parsed.text).conditions).toEqual(parsed.conditions)
        expect(parsed.matches(values)).toBe(naive(parsed, values))
      }),
      { numRuns: 3000 },
    )
  })

  test('is refused or answered in a moment, whatever it is', () => {
    const piece = fc.constantFrom(
      "'",
      ' ',
      'AND',
      'TIME ',
      'DATE ',
      '<',
      '=',
      '5',
      '.',
      'a',
      '\u{1f600}',
      '\0',
      '2020-01-01',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 200 }), (pieces) => {
        try {
          parseQuery(pieces.join('')).matches(EVENTS)
        } catch (error) {
          expect(error).toBeInstanceOf(QueryError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

/** Numbers as doubles, no shortcuts: right for the small values above. */
function naive({ conditions }: EventQuery, values: EventValues): boolean {
  if (values.size === 0) return false
  return conditions.every(({ tag, operator, operand }) => {
    const found = [...(values.get(tag) ?? [])]
    if ([...values.keys()].some((key) => key.includes('.') && key.split('.').slice(0, -1).join('.') === tag))
      found.push('')
    return found.some((value) => {
      if (operator === 'EXISTS') return true
      if (operator === 'CONTAINS') return value.indexOf(operand.text) >= 0
      if (operand.kind === 'string') return value === operand.text
      const [digits] = value.match(/^\d+(\.\d+)?/) ?? []
      if (digits === undefined) return false
      const [a, b] = [Number(digits), Number(operand.text)]
      return { '=': a === b, '<': a < b, '<=': a <= b, '>': a > b, '>=': a >= b }[operator]
    })
  })
}
