import { describe, expect, it } from 'vitest'
import { compileLibrary } from '../../compiler/compile.ts'
import { ALICE, amountOf, BOB, compile, fixture, World, wireAddress, wireAmount } from './world.ts'

describe('actors made of parts', async () => {
  const [house, pong, greedy] = await Promise.all(
    ['house', 'pong', 'greedy'].map((name) => compile(`actors/${name}.actor.ts`)),
  )
  const make = async () => {
    const world = await World.create()
    const remote = world.deploy(pong!)
    return { world, remote, id: world.deploy(house!, remote) }
  }

  it('name the files they were made of', () => {
    expect([...house!.sources].sort()).toEqual([
      'actors/house.actor.ts',
      'actors/owned.lib.ts',
      'actors/pong.remote.ts',
    ])
  })

  it('inherit state, methods, guards and events from a class of their own', async () => {
    const { world, id } = await make()
    expect(house!.abi.state).toEqual(['owner: actorid', 'changes: u32', 'pong: actorid', 'atBirth: u64'])
    expect(world.call(id, 'GetOwner').value).toBe(1n)
    expect(world.call(id, 'SetOwner', [BOB], { from: ALICE }).exit).toBe(18)
    const changed = world.call(id, 'SetOwner', [BOB], { from: 1n as never })
    expect(changed.events[0]?.entries.map((entry) => entry.key)).toEqual(['$type', 'from', 'to'])
    expect((world.state(id) as bigint[]).slice(0, 2)).toEqual([BOB, 1n])
    expect(house!.abi.events.map((event) => event.name)).toEqual(['owner-changed'])
  })

  it('call through options', async () => {
    const { world, id, remote } = await make()
    world.send(id, 0n, new Uint8Array(), { value: 100n })
    expect(amountOf(world.call(id, 'Pay', [wireAmount(60n), 'four']).value)).toBe(60n)
    expect(world.call(id, 'Pay', [wireAmount(60n), 'four']).exit).toBe(19)
    expect(world.call(id, 'Tight').value).toBe(7n)
    expect(world.call(id, 'Careful').value).toBe(25n)
    expect(world.call(id, 'Poke').value).toBe(true)
    expect(world.call(id, 'Look').value).toBe(4n)
    expect(world.call(id, 'Sneak').value).toBe(0n)
    expect(world.state(remote)).toEqual([7n, 1n])
  })

  it('override what a component does', async () => {
    const world = await World.create()
    const id = world.deploy(greedy!, 'Greedy')
    world.call(id, 'Mint', [wireAddress(ALICE), wireAmount(10n)], { from: 1n as never })
    const move = () => world.call(id, 'Transfer', [wireAddress(BOB), wireAmount(1n), new Uint8Array()])
    expect([move().exit, move().note]).toEqual([16, 'locked'])
    world.call(id, 'Unlock')
    expect(move().exit).toBe(0)
    expect(greedy!.abi.state.at(-1)).toBe('locked: bool')
  })

  it('are the same whatever was compiled before', async () => {
    const again = await compile('actors/house.actor.ts')
    expect(again.abi.build.codeCid).toBe(house!.abi.build.codeCid)
    await compile('actors/house.actor.ts', {}, { mode: 'debug' })
    expect((await compile('actors/house.actor.ts')).wasm).toEqual(house!.wasm)
  })

  it.each(['size', 'balanced', 'speed'] as const)('run when optimised for %s', async (optimize) => {
    const artifact = await compile('actors/counter.actor.ts', {}, { optimize })
    const world = await World.create()
    expect(world.call(world.deploy(artifact, 1n), 'Increment', [2n]).value).toBe(3n)
  })
})

describe('a library', () => {
  it('is called like an actor', async () => {
    const result = await compileLibrary({
      entry: 'actors/arithmetic.lib.ts',
      readFile: (path) => (path === 'actors/arithmetic.lib.ts' ? fixture(path) : undefined),
      mode: 'release',
    })
    if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
    expect(result.artifact.actor).toBe('Arithmetic')
    const world = await World.create()
    const id = world.deploy(result.artifact)
    expect(world.call(id, 'Gcd', [12n, 18n]).value).toBe(6n)
    expect(world.call(id, 'Reduce', [[12n, 18n]]).value).toEqual([2n, 3n])
    expect(amountOf(world.call(id, 'Twice', [wireAmount(21n)]).value)).toBe(42n)
  })
})

describe('the debug twin', async () => {
  it('has names and a map of the user’s files', async () => {
    const { wasm, sourceMap } = await compile('actors/token.actor.ts', {}, { mode: 'debug' })
    const map = JSON.parse(sourceMap ?? '{}') as { sources: string[] }
    expect(map.sources).toContain('actors/token.actor.ts')
    expect(map.sources.some((source) => source.includes('generated'))).toBe(false)
    const module = new WebAssembly.Module(new Uint8Array(wasm))
    expect(WebAssembly.Module.customSections(module, 'name')).toHaveLength(1)
  })
})
