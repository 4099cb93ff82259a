import { describe, expect, it } from 'vitest'
import { compareState } from '../../../compiler/abi/compatibility.ts'
import { type Abi, formatAbi, interfaceId } from '../../../compiler/abi/schema.ts'
import { compile } from '../world.ts'

describe('the ABI', async () => {
  it.each(['counter', 'token', 'vault', 'shapes', 'world'])('of %s is as ever', async (name) => {
    const { abi } = await compile(`actors/${name}.actor.ts`)
    const { build, ...stable } = abi
    expect(build.bytes).toBeGreaterThan(0)
    await expect(`${JSON.stringify(stable, null, 2)}\n`).toMatchFileSnapshot(`../../golden/${name}.abi.json`)
  })

  const { abi } = await compile('actors/counter.actor.ts')

  it('has an identity that documentation does not change', () => {
    const documented: Abi = { ...abi, methods: abi.methods.map((m) => ({ ...m, doc: 'Other.', at: 'x:1:1' })) }
    expect(interfaceId(documented)).toBe(interfaceId(abi))
    expect(interfaceId({ ...abi, state: ['count: u32'] })).not.toBe(interfaceId(abi))
    expect(interfaceId(JSON.parse(formatAbi(abi)) as Abi)).toBe(interfaceId(abi))
  })

  it.each([
    [['count: u64'], ['total: u64'], []],
    [['count: u64'], ['count: actorid'], []],
    [['count: u64'], ['count: u32'], [0]],
    [['count: u64'], ['count: u64', 'name: string'], [1]],
    [['count: u64', 'name: string'], ['count: u64'], [1]],
    [['map: hamt<u64,u64>'], ['map: hamt<u64,u64,8>'], [0]],
    [['p: Point'], ['p: Spot'], []],
    [['p: Point'], ['p: Line'], [0]],
    [['c: Chain'], ['c: Links'], []],
  ])('tells whether %j can be read as %j', (before, after, indexes) => {
    const types = {
      Point: ['x: u8', 'y: u8'],
      Spot: ['a: u8', 'b: u8'],
      Line: ['from: Point', 'to: Point'],
      Chain: ['next: Chain?'],
      Links: ['more: Links?'],
    }
    const differences = compareState({ state: before, types, enums: {} }, { state: after, types, enums: {} })
    expect(differences.map((d) => d.index)).toEqual(indexes)
  })
})
