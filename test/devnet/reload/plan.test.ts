import { describe, expect, test } from 'vitest'
import type { Abi } from '../../../compiler/abi/schema.ts'
import { findLayoutChange, planReload } from '../../../devnet/reload/plan.ts'

function abi(state: readonly string[], more: Partial<Abi> = {}): Abi {
  return {
    abi: 1,
    actor: 'Counter',
    state,
    types: {},
    enums: {},
    methods: [],
    events: [],
    errors: {},
    evm: [],
    standards: [],
    build: { sdk: '', asc: '', bytes: 0, codeCid: '', imports: [] },
    ...more,
  }
}

const point = (name: string, ...fields: string[]) => ({ types: { [name]: fields } })
const phase = (members: Record<string, number>) => ({ enums: { Phase: members } })

/** before, after, what happens: the position of the first field that differs, or null. */
const layouts: readonly [string, Abi, Abi, number | null][] = [
  ['the same fields', abi(['a: u64', 'b: string']), abi(['a: u64', 'b: string']), null],
  ['a renamed field', abi(['a: u64']), abi(['b: u64']), null],
  ['no fields at all', abi([]), abi([]), null],
  ['another width', abi(['a: u64']), abi(['a: u32']), 0],
  ['another sign', abi(['a: u64']), abi(['a: i64']), 0],
  ['a number that becomes an actor id', abi(['a: u64']), abi(['a: actorid']), 0],
  ['two fields that changed places', abi(['a: u64', 'b: string']), abi(['b: string', 'a: u64']), 0],
  ['a field at the end', abi(['a: u64']), abi(['a: u64', 'b: u64']), 1],
  ['a field that went', abi(['a: u64', 'b: u64']), abi(['a: u64']), 1],
  ['a value that may be null now', abi(['a: string']), abi(['a: string?']), 0],
  ['another list item', abi(['a: [u8]']), abi(['a: [u16]']), 0],
  ['another map key', abi(['m: hamt<u64,u64>']), abi(['m: hamt<actorid,u64>']), 0],
  ['another map value', abi(['x: bool', 'm: hamt<u64,u64>']), abi(['x: bool', 'm: hamt<u64,string>']), 1],
  ['another bit width', abi(['m: hamt<u64,u64>']), abi(['m: hamt<u64,u64,3>']), 0],
  ['an array instead of a map', abi(['m: hamt<u64,u64>']), abi(['m: amt<u64>']), 0],
  ['a class by another name', abi(['p: P'], point('P', 'x: i32')), abi(['p: Q'], point('Q', 'x: i32')), null],
  ['a class with another field', abi(['p: P'], point('P', 'x: i32')), abi(['p: P'], point('P', 'x: i64')), 0],
  [
    'a class with one field more',
    abi(['p: P'], point('P', 'x: i32')),
    abi(['p: P'], point('P', 'x: i32', 'y: i32')),
    0,
  ],
  ['a class that holds itself', abi(['p: P'], point('P', 'next: P?')), abi(['p: P'], point('P', 'next: P?')), null],
  ['an enum with one member more', abi(['p: Phase'], phase({ A: 0 })), abi(['p: Phase'], phase({ A: 0, B: 1 })), null],
  ['an enum that lost a member', abi(['p: Phase'], phase({ A: 0, B: 1 })), abi(['p: Phase'], phase({ A: 0 })), 0],
  ['an enum that became a class', abi(['p: Phase'], phase({ A: 0 })), abi(['p: Phase'], point('Phase', 'x: u8')), 0],
]

describe('a state layout', () => {
  test.each(layouts)('%s', (_, before, after, index) => {
    expect(findLayoutChange(before, after)?.index ?? null).toBe(index)
  })

  test('says what the field was and is', () => {
    const gone = findLayoutChange(abi(['a: u64', 'b: bool']), abi(['a: u64']))
    expect(gone).toEqual({ index: 1, before: 'b: bool', after: null })
  })
})

describe('a change of code', () => {
  const [same, other] = [abi(['a: u64']), abi(['a: u32'])]
  const plans: readonly [boolean, Abi, boolean, string][] = [
    [true, same, false, 'same'],
    [true, same, true, 'same'],
    [false, same, false, 'keep'],
    [false, same, true, 'keep'],
    [false, other, true, 'migrate'],
    [false, other, false, 'refuse'],
  ]
  test.each(plans)('same code %s, after %o, can migrate %s: %s', (isSameCode, after, canMigrate, kind) => {
    expect(planReload({ before: same, after, isSameCode, canMigrate }).kind).toBe(kind)
  })
})
