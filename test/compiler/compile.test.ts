import { describe, expect, it } from 'vitest'
import { formatCid } from '../../devnet/ipld/cid.ts'
import { decodeCbor, isLink } from '../../devnet/ipld/dag-cbor.ts'
import { ALICE, amountOf, BOB, compile, World, wireAddress, wireAmount } from './world.ts'

const EMPTY = new Uint8Array()

describe('the counter', async () => {
  const counter = await compile('actors/counter.actor.ts')

  it('is small', () => {
    expect(counter.wasm.length).toBeLessThanOrEqual(1600)
  })

  it('counts with the fewest syscalls', async () => {
    const world = await World.create()
    const id = world.install(counter.wasm)
    const made = world.send(id, 1n, Uint8Array.of(0x81, 0x05), { from: 1n as never })
    expect([made.exit, made.syscalls]).toEqual([0, 5])
    const incremented = world.call(id, 'Increment', [3n])
    expect([incremented.value, incremented.syscalls, incremented.codec]).toEqual([8n, 9, 0x51])
    const got = world.call(id, 'Get')
    expect([got.value, got.syscalls]).toEqual([8n, 5])
    expect(world.state(id)).toEqual([8n])
  })

  it('does not write an unchanged state', async () => {
    const world = await World.create()
    const id = world.deploy(counter, 5n)
    expect(world.call(id, 'Increment', [0n]).syscalls).toBe(6)
  })

  it.each([
    ['an unknown method', 99n, EMPTY, ALICE, 0n, 22],
    ['missing params', 2922929132n, EMPTY, ALICE, 0n, 16],
    ['params of the wrong type', 2922929132n, Uint8Array.of(0x81, 0x61, 0x61), ALICE, 0n, 21],
    ['too many params', 2922929132n, Uint8Array.of(0x82, 1, 1), ALICE, 0n, 21],
    ['trailing bytes', 2922929132n, Uint8Array.of(0x81, 1, 1), ALICE, 0n, 21],
    ['a cut head', 2922929132n, Uint8Array.of(0x81, 0x19, 1), ALICE, 0n, 21],
    ['an indefinite array', 2922929132n, Uint8Array.of(0x9f, 1, 0xff), ALICE, 0n, 21],
    ['value for a method that is not payable', 2922929132n, Uint8Array.of(0x81, 1), ALICE, 1n, 26],
    ['a second constructor call', 1n, Uint8Array.of(0x81, 1), ALICE, 0n, 18],
  ])('refuses %s', async (_, method, params, from, value, exit) => {
    const world = await World.create()
    const id = world.deploy(counter, 5n)
    expect(world.send(id, method, params, { from, value }).exit).toBe(exit)
    expect(world.state(id)).toEqual([5n])
  })

  it('accepts heads of any width', async () => {
    const world = await World.create()
    const id = world.deploy(counter, 5n)
    const wide = Uint8Array.of(0x9b, 0, 0, 0, 0, 0, 0, 0, 1, 0x1a, 0, 0, 0, 7)
    expect(world.send(id, 2922929132n, wide).value).toBe(12n)
  })
})

describe('the FRC-46 token', async () => {
  const token = await compile('actors/token.actor.ts')
  const gold = await compile('actors/gold.actor.ts')
  const receiver = await compile('actors/receiver.actor.ts')

  it('is small and recognised', () => {
    expect(token.wasm.length).toBeLessThanOrEqual(9800)
    expect(token.abi.standards).toContain('FRC-46')
    expect(gold.abi.standards).toContain('FRC-46')
  })

  it.each([
    ['spelled out', token, ['Gold', 'GLD']],
    ['as a component', gold, []],
  ] as const)('mints, moves and burns, %s', async (_, artifact, args) => {
    const world = await World.create()
    const id = world.install(artifact.wasm)
    const { encodeCbor } = await import('../../devnet/ipld/dag-cbor.ts')
    world.send(id, 1n, args.length ? encodeCbor([...args]) : EMPTY, { from: 1n as never })
    expect(world.call(id, 'Name').value).toBe('Gold')
    expect(world.call(id, 'Symbol').value).toBe('GLD')
    expect([world.call(id, 'Granularity').value, world.call(id, 'Granularity').syscalls]).toEqual([1n, 2])

    const mint = world.call(id, 'Mint', [wireAddress(ALICE), wireAmount(1000n)], { from: 1n as never })
    expect([mint.exit, amountOf(mint.value)]).toEqual([0, 1000n])
    expect(world.call(id, 'Mint', [wireAddress(ALICE), wireAmount(1n)], { from: ALICE }).exit).toBe(18)

    const moved = world.call(id, 'Transfer', [wireAddress(BOB), wireAmount(300n), EMPTY])
    expect(moved.exit).toBe(0)
    expect((moved.value as unknown[]).map((v) => (v as Uint8Array).length)).toEqual([3, 3, 0])
    const [entries] = moved.events.map((event) => event.entries)
    expect(entries?.map((entry) => entry.key)).toEqual(['$type', 'operator', 'from', 'to', 'amount'])
    expect(decodeCbor(entries?.[0]?.value ?? EMPTY)).toBe('transfer')
    expect(entries?.map((entry) => Number(entry.flags))).toEqual([3, 3, 3, 3, 3])

    expect(world.call(id, 'Transfer', [wireAddress(BOB), wireAmount(701n), EMPTY]).exit).toBe(19)
    expect(
      amountOf(world.call(id, 'Burn', [wireAmount(100n)]).exit === 0 ? world.call(id, 'TotalSupply').value : EMPTY),
    ).toBe(900n)
  })

  it('lets an operator spend an allowance, once', async () => {
    const world = await World.create()
    const id = world.deploy(token, 'Gold', 'GLD')
    world.call(id, 'Mint', [wireAddress(ALICE), wireAmount(1000n)], { from: 1n as never })
    const spend = () =>
      world.call(id, 'TransferFrom', [wireAddress(ALICE), wireAddress(BOB), wireAmount(60n), EMPTY], { from: BOB })
    expect(spend().exit).toBe(18)
    expect(amountOf(world.call(id, 'IncreaseAllowance', [wireAddress(BOB), wireAmount(100n)]).value)).toBe(100n)
    expect(spend().exit).toBe(0)
    expect(spend().exit).toBe(18)
    const left = world.call(id, 'Allowance', [wireAddress(ALICE), wireAddress(BOB)])
    expect(amountOf(left.value)).toBe(40n)
  })

  it('asks the receiver, and undoes everything when it refuses', async () => {
    const world = await World.create()
    const id = world.deploy(token, 'Gold', 'GLD')
    world.call(id, 'Mint', [wireAddress(ALICE), wireAmount(1000n)], { from: 1n as never })
    const glad = world.deploy(receiver, false)
    const sour = world.deploy(receiver, true)
    const before = world.state(id)
    expect(world.call(id, 'Transfer', [wireAddress(sour), wireAmount(1n), EMPTY]).exit).toBe(18)
    expect(world.state(id)).toEqual(before)
    expect(world.call(id, 'Transfer', [wireAddress(glad), wireAmount(1n), EMPTY]).exit).toBe(0)
    expect(world.state(glad)).toEqual([false, 1n])
  })
})

describe('calls', async () => {
  const [token, vault, ping, peer] = await Promise.all(
    ['token', 'vault', 'ping', 'peer'].map((name) => compile(`actors/${name}.actor.ts`)),
  )

  it('fit into a small module', async () => {
    const caller = await compile('actors/caller.actor.ts')
    expect(caller.wasm.length).toBeLessThanOrEqual(2700)
  })

  it('pay out of a vault', async () => {
    const world = await World.create()
    const id = world.deploy(token!, 'Gold', 'GLD')
    const safe = world.deploy(vault!, wireAddress(id))
    world.call(id, 'Mint', [wireAddress(safe), wireAmount(50n)], { from: 1n as never })
    expect(world.call(safe, 'Payout', [wireAddress(BOB), wireAmount(20n)], { from: ALICE }).exit).toBe(18)
    const paid = world.call(safe, 'Payout', [wireAddress(BOB), wireAmount(20n)], { from: 1n as never })
    expect([paid.exit, amountOf(paid.value)]).toEqual([0, 20n])
    const refused = world.call(safe, 'Payout', [wireAddress(BOB), wireAmount(31n)], { from: 1n as never })
    expect([refused.exit, refused.note]).toEqual([19, 'token refused'])
  })

  it('lose no update to re-entry', async () => {
    const world = await World.create()
    const a = world.deploy(ping!)
    const b = world.deploy(peer!)
    expect(world.call(a, 'Outer', [wireAddress(b), wireAddress(a)]).value).toBe(102n)
    expect(world.state(a)).toEqual([102n])
  })

  it('report a missing callee as 23', async () => {
    const world = await World.create()
    const a = world.deploy(ping!)
    expect(world.call(a, 'Outer', [wireAddress(5555n), wireAddress(a)]).exit).toBe(23)
    expect(world.state(a)).toEqual([0n])
  })
})

describe('maps', async () => {
  const map = await compile('actors/numbers-map.actor.ts')

  it('have the roots of the reference', async () => {
    const world = await World.create()
    const id = world.deploy(map)
    const root = () => {
      const [link] = world.state(id) as unknown[]
      return isLink(link as never) ? formatCid((link as { link: never }).link) : ''
    }
    const empty = 'bafy2bzaceamp42wmmgr2g2ymg46euououzfyck7szknvfacqscohrvaikwfay'
    const two = 'bafy2bzaceczhz54xmmz3xqnbmvxfbaty3qprr6dq7xh5vzwqbirlsnbd36z7a'
    const four = 'bafy2bzacecxcp736xkl2mcyjlors3tug6vdlbispbzxvb75xlrhthiw2xwxvw'
    expect(root()).toBe(empty)
    world.call(id, 'Fill', [0n, 200n])
    expect(root()).toBe(two)
    expect(world.call(id, 'Check', [0n, 250n]).value).toBe(200n)
    world.call(id, 'Fill', [200n, 400n])
    expect(root()).toBe(four)
    expect(world.call(id, 'Pages', [150n]).value).toEqual([150n, 150n, 100n])
    expect(world.call(id, 'Missing', ['400']).exit).toBe(17)
    expect(world.call(id, 'Remove', [200n, 450n]).value).toBe(200n)
    expect(root()).toBe(two)
    world.call(id, 'Remove', [0n, 200n])
    expect(root()).toBe(empty)
  })
})
