import { describe, expect, it } from 'vitest'
import { Amt } from '../../devnet/ipld/amt.ts'
import { MemoryBlockstore } from '../../devnet/ipld/blockstore.ts'
import { formatCid } from '../../devnet/ipld/cid.ts'
import { encodeCbor } from '../../devnet/ipld/dag-cbor.ts'
import type { ActorId } from '../../devnet/state/actor.ts'
import { compile, World } from './world.ts'

describe('arrays', async () => {
  const list = await compile('actors/list.actor.ts')

  function rootOf(world: World, id: ActorId): string {
    const [link] = world.state(id) as unknown as [{ link: Parameters<typeof formatCid>[0] }]
    return formatCid(link.link)
  }

  it('have the roots of the host AMT', async () => {
    const world = await World.create()
    const id = world.deploy(list)
    const amt = Amt.empty(new MemoryBlockstore(), 3)
    expect(rootOf(world, id)).toBe(formatCid(amt.flush()))
    const entries: [bigint, bigint][] = [
      [0n, 1n],
      [7n, 2n],
      [8n, 3n],
      [600n, 4n],
      [1n << 40n, 5n],
      [2n ** 64n - 2n, 6n],
    ]
    for (const [index, value] of entries) {
      expect(world.call(id, 'Set', [index, value]).exit).toBe(0)
      amt.set(index, encodeCbor(value))
      expect(rootOf(world, id)).toBe(formatCid(amt.flush()))
    }
    expect(world.call(id, 'Length').value).toBe(6n)
    expect(world.call(id, 'Slice', [1n, 3n]).value).toEqual([7n, 2n, 8n, 3n, 600n, 4n])
    expect(world.call(id, 'Slice', [601n, 9n]).value).toEqual([1n << 40n, 5n, 2n ** 64n - 2n, 6n])
    expect(world.call(id, 'Get', [2n]).exit).toBe(17)
    expect(world.call(id, 'Set', [2n ** 64n - 1n, 0n]).exit).toBe(16)
  })

  it('shrink to the same roots again', async () => {
    const world = await World.create()
    const id = world.deploy(list)
    const roots: string[] = []
    for (const end of [1n, 8n, 9n, 70n]) {
      world.call(id, 'Clear', [0n, 100n])
      world.call(id, 'Fill', [0n, end])
      roots.push(rootOf(world, id))
    }
    expect(world.call(id, 'Push', [5n]).value).toBe(70n)
    for (const [i, end] of [
      [3, 70n],
      [2, 9n],
      [1, 8n],
      [0, 1n],
    ] as const) {
      world.call(id, 'Clear', [end, 100n])
      expect(rootOf(world, id)).toBe(roots[i])
    }
    expect(world.call(id, 'Remove', [50n]).value).toBe(false)
    expect(world.call(id, 'Remove', [0n]).value).toBe(true)
    expect(rootOf(world, id)).toBe(formatCid(Amt.empty(new MemoryBlockstore(), 3).flush()))
  })
})
