import { describe, expect, it } from 'vitest'
import { AbiTypeError, formatType, namesIn, parseField, parseType } from '../../../compiler/abi/types.ts'

describe('the type grammar', () => {
  it.each([
    'u64',
    'actorid?',
    'Grant',
    '[u8]',
    '[[Point?]]?',
    'hamt<actorid,amount>',
    'hamt<Grant,[u64],8>',
    'amt<bytes>',
    'amt<u64,5>',
    'lazy<Point?>',
    'hamt<u64,hamt<u64,string>>',
  ])('reads and writes %s', (text) => {
    expect(formatType(parseType(text))).toBe(text)
  })

  it('knows what is what', () => {
    expect(parseType(' hamt< u64 , Grant? > ')).toEqual({
      kind: 'hamt',
      key: { kind: 'primitive', name: 'u64' },
      value: { kind: 'nullable', of: { kind: 'name', name: 'Grant' } },
      bitWidth: 5,
    })
    expect(parseField('owner: [Grant]')).toEqual({
      name: 'owner',
      type: { kind: 'list', of: { kind: 'name', name: 'Grant' } },
    })
    expect(namesIn(parseType('hamt<A,[B?]>'))).toEqual(['A', 'B'])
  })

  it.each(['', '[u8', 'hamt<u64>', 'u64 u64', 'amt<>', '?', '5', 'u64]'])('refuses %j', (text) => {
    expect(() => parseType(text)).toThrow(AbiTypeError)
  })
})
