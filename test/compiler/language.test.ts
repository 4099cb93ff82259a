import { keccak_256 } from '@noble/hashes/sha3.js'
import { describe, expect, it } from 'vitest'
import { cidOf, DAG_CBOR } from '../../devnet/ipld/cid.ts'
import { encodeCbor } from '../../devnet/ipld/dag-cbor.ts'
import { ALICE, amountOf, BOB, compile, World, wireAddress, wireAmount } from './world.ts'

const EMPTY = new Uint8Array()

describe('types', async () => {
  const shapes = await compile('actors/shapes.actor.ts')

  it('have their ABI', () => {
    expect(shapes.abi.state).toEqual([
      'flag: bool',
      'phase: Phase',
      'named: Named',
      'maybe: Point?',
      'words: [u16]',
      'pairs: [Pair_actorid_amount]',
      'wide: u256',
      'hash: bytes32',
      'chain: Chain',
      'lazy: lazy<Point>',
      'inner: hamt<u64,hamt<u64,string>>',
      'small: hamt<actorid,bool,3>',
    ])
    expect(shapes.abi.enums).toEqual({ Phase: { Open: 0, Closed: 7, Gone: 8 } })
    expect(shapes.abi.types['Named']).toEqual(['x: i32', 'y: i16', 'name: string', 'tags: [string]'])
    expect(shapes.abi.types['Chain']).toEqual(['value: u8', 'next: Chain?'])
    expect(shapes.abi.doc).toBe('Everything that can be stored.')
  })

  it('keep their values across messages', async () => {
    const world = await World.create()
    const id = world.deploy(shapes)
    expect(world.call(id, 'SetNamed', ['zoë', ['a', 'b'], [-5n, 7n]]).value).toEqual([-5n, 7n, 'zoë', ['a', 'b']])
    expect(world.call(id, 'GetNamed').value).toEqual([-5n, 7n, 'zoë', ['a', 'b']])
    expect(world.call(id, 'GetMaybe').value).toEqual([-5n, 7n])
    expect(world.call(id, 'GetCounter').value).toBe(43n)
    expect(world.call(id, 'Close').value).toBe(8n)
    expect(world.call(id, 'AddPair', [1n << 60n, wireAmount(77n)]).value).toBe(1n)
    world.call(id, 'Link', [[1n, 2n]])
    const state = world.state(id) as unknown[]
    expect(state.slice(0, 6)).toEqual([
      true,
      8n,
      [-5n, 7n, 'zoë', ['a', 'b']],
      [-5n, 7n],
      [1n, 2n, 3n],
      [[1n << 60n, wireAmount(77n)]],
    ])
    expect(state[8]).toEqual([1n, [2n, null]])
  })

  it('nest collections, and remember their bit width', async () => {
    const world = await World.create()
    const id = world.deploy(shapes)
    world.call(id, 'SetInner', [1n, 2n, 'x'])
    world.call(id, 'SetInner', [1n, 3n, 'y'])
    expect(world.call(id, 'GetInner', [1n, 2n]).value).toBe('x')
    expect(world.call(id, 'GetInner', [1n, 3n]).value).toBe('y')
    world.call(id, 'SetSmall', [0n, 60n])
    world.call(id, 'SetSmall', [60n, 70n])
    expect([5n, 65n, 70n].map((key) => world.call(id, 'HasSmall', [key]).value)).toEqual([true, true, false])
    expect(world.call(id, 'SetLazy', [9n]).value).toBe(3n)
    expect(world.call(id, 'SetLazy', [10n]).value).toBe(9n)
  })

  it('return links as DAG-CBOR', async () => {
    const world = await World.create()
    const id = world.deploy(shapes)
    const link = { link: cidOf(DAG_CBOR, Uint8Array.of(0x80)) }
    const outcome = world.call(id, 'EchoCid', [link])
    // The link is not reachable from a return value; the codec is what asks for it.
    expect([outcome.exit, outcome.note]).toEqual([20, expect.anything()])
  })

  it.each([
    ['i8 from −128', [-128n, -(1n << 63n), 65535n], 0],
    ['i8 below', [-129n, 0n, 0n], 21],
    ['i64 above', [0n, 1n << 63n, 0n], 21],
    ['u16 above', [0n, 0n, 65536n], 21],
    ['u16 below', [0n, 0n, -1n], 21],
  ])('check ranges: %s', async (_, args, exit) => {
    const world = await World.create()
    const outcome = world.call(world.deploy(shapes), 'EchoInts', args)
    expect(outcome.exit).toBe(exit)
    if (!exit) expect(outcome.value).toEqual(args)
  })

  it('travel inside bytes', async () => {
    const world = await World.create()
    const id = world.deploy(shapes)
    expect(world.call(id, 'RoundTrip', ['héllo']).value).toBe('héllo')
    expect(world.call(id, 'Join', [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5, 6)]).value).toEqual(
      Uint8Array.of(2, 3, 4, 5),
    )
    const long = 'x'.repeat(5000)
    expect(world.call(id, 'RoundTrip', [long]).value).toBe(long)
  })
})

describe('the environment', async () => {
  const environment = await compile('actors/world.actor.ts')
  const make = async () => {
    const world = await World.create()
    return { world, id: world.deploy(environment) }
  }

  it('is what the message brings', async () => {
    const { world, id } = await make()
    const [caller, origin, receiver, value, readOnly, epoch, time, fee, chainId, version, balance] = world.call(
      id,
      'Context',
      [],
      {
        value: 12n,
      },
    ).value as never[]
    expect([caller, origin, receiver, readOnly, epoch, time, chainId, version]).toEqual([
      ALICE,
      ALICE,
      id,
      false,
      10n,
      1_700_000_000n,
      31337n,
      21n,
    ])
    expect([value, fee, balance].map(amountOf)).toEqual([12n, 100n, 12n])
  })

  it('guards methods', async () => {
    const { world, id } = await make()
    const exits = (method: string) => [ALICE, BOB].map((from) => world.call(id, method, [], { from }).exit)
    expect(exits('ForAdmins')).toEqual([0, 18])
    expect(exits('ForKeeper')).toEqual([18, 0])
    expect(exits('ForEven')).toEqual([0, 18])
  })

  it('answers questions', async () => {
    const { world, id } = await make()
    const hashes = world.call(id, 'Hashes', [Uint8Array.of(1, 2)]).value as Uint8Array[]
    expect(hashes.map((hash) => hash.length)).toEqual([32, 32, 32, 20, 64])
    expect(hashes[2]).toEqual(keccak_256(Uint8Array.of(1, 2)))
    const unknown = Uint8Array.of(2, ...new Uint8Array(20))
    expect(world.call(id, 'Resolve', [unknown]).value).toBe(-1n)
    expect(world.call(id, 'MustResolve', [unknown]).exit).toBe(17)
    expect(world.call(id, 'MustResolve', [wireAddress(5n)]).value).toBe(5n)
    expect(world.call(id, 'BalanceOf', [777n]).exit).toBe(17)
    expect(amountOf(world.call(id, 'BalanceOf', [ALICE]).value)).toBe(10n ** 24n)
    expect(world.call(id, 'Delegated', [ALICE]).value).toBe(null)
    expect(world.call(id, 'IsAccount', [ALICE]).value).toBe(true)
    expect(world.call(id, 'Number').value).toBe(80475954n)
    expect(Number(world.call(id, 'GasLeft').value)).toBeGreaterThan(1_000_000)
  })

  it('sends', async () => {
    const { world, id } = await make()
    world.send(id, 0n, EMPTY, { value: 100n })
    expect(world.call(id, 'Pay', [wireAddress(BOB), wireAmount(40n)]).exit).toBe(0)
    expect(world.call(id, 'Pay', [wireAddress(BOB), wireAmount(61n)]).exit).toBe(19)
    expect(world.call(id, 'TryPay', [BOB, wireAmount(61n)]).value).toBe(-5n)
    expect(world.call(id, 'Pay', [wireAddress(4444n), wireAmount(1n)]).exit).toBe(23)
  })

  it('forwards raw calls', async () => {
    const { world, id } = await make()
    const other = world.deploy(environment)
    const outcome = world.call(id, 'Forward', [wireAddress(other), 555n, encodeCbor([1n])])
    expect(outcome.value).toEqual(encodeCbor([1n]))
    expect((world.state(other) as unknown[])[2]).toBe(555n)
    expect(world.call(id, 'Forward', [wireAddress(other), 1n, EMPTY]).exit).toBe(18)
  })

  it('answers unknown methods through its fallback', async () => {
    const { world, id } = await make()
    const params = encodeCbor(['any'])
    const outcome = world.send(id, 98765n, params)
    expect([outcome.exit, outcome.value]).toEqual([0, ['any']])
    expect((world.state(id) as unknown[])[2]).toBe(98765n)
    expect(environment.abi.fallback).toBe(true)
  })

  it('fails with its own codes and messages', async () => {
    const { world, id } = await make()
    const fail = (method: string, ...args: (bigint | boolean)[]) => {
      const { exit, note } = world.call(id, method, args)
      return [exit, note]
    }
    expect(fail('Close', true)).toEqual([34, 'too late'])
    expect(fail('Close', false)[0]).toBe(33)
    expect(fail('Crash')).toEqual([24, 'a bug'])
    expect(fail('Throws')).toEqual([24, 'thrown'])
    expect(fail('OutOfBounds')[0]).toBe(24)
    world.call(id, 'Overflow', [5n])
    expect(fail('Overflow', 2n ** 64n - 5n)[0]).toBe(20)
    expect(environment.abi.errors).toEqual({ 33: 'Closed', 34: 'Late' })
  })

  it('logs in a debug build only', async () => {
    const debug = await compile('actors/world.actor.ts', {}, { mode: 'debug' })
    const { world, id } = await make()
    expect(world.call(id, 'Say', ['hi']).logs).toEqual([])
    const twin = world.deploy(debug)
    expect(world.call(twin, 'Say', ['hi']).logs).toEqual(['said hi'])
    const bad = world.send(twin, 2922929132n, Uint8Array.of(0x80))
    expect(bad.exit).toBe(0)
    const wrong = world.call(twin, 'Overflow', [1n, 2n])
    expect([wrong.exit, wrong.note]).toEqual([21, 'expected array of 1, found 2'])
    const crash = world.call(twin, 'Crash')
    expect(crash.note).toMatch(/^a bug at actors\/world\.actor\.ts:\d+:\d+$/)
  })

  it('ends', async () => {
    const { world, id } = await make()
    expect(world.call(id, 'End').exit).toBe(0)
    expect(world.machine.context.state.getActor(id)).toBeUndefined()
  })
})

describe('upgrades', async () => {
  const [before, after] = await Promise.all(
    ['ledger-v1', 'ledger-v2'].map((name) => compile(`actors/${name}.actor.ts`)),
  )

  it('export the migration', () => {
    const exports = WebAssembly.Module.exports(new WebAssembly.Module(new Uint8Array(after!.wasm)))
    expect(exports.map((e) => e.name).sort()).toEqual(['invoke', 'memory', 'upgrade'])
  })

  it('turn the old state into the new', async () => {
    const world = await World.create()
    const id = world.deploy(before!)
    world.call(id, 'Add', [7n])
    expect(world.upgrade(id, after!.wasm)).toBe(0)
    expect(world.state(id)).toEqual(['migrated', 70n])
    expect(world.call(id, 'Add', [1n]).value).toBe(71n)
  })

  it('are the only way to another layout', async () => {
    const old = { name: 'ledger-v1', abi: before!.abi }
    await expect(compile('actors/ledger-v2.actor.ts', {}, { against: old })).resolves.toBeDefined()
    const source = {
      'plain.actor.ts':
        'import { actor } from "troupe/actor";\n@actor export class Ledger { name: string = ""; count: u64 = 0; }\n',
    }
    await expect(compile('plain.actor.ts', source, { against: old })).rejects.toThrow('TRP-6020')
  })
})

describe('a bare constructor', () => {
  it('takes its one argument without an array', async () => {
    const source = `import { actor, view, Address } from 'troupe/actor'
@actor
export class Account {
  address: Address
  /** @bare */
  constructor(address: Address) { this.address = address }
  @view(2) pubkeyAddress(): Address { return this.address }
}
`
    const artifact = await compile('account.actor.ts', { 'account.actor.ts': source })
    expect(artifact.abi.methods[0]).toMatchObject({ name: 'Constructor', encoding: 'bare' })
    const world = await World.create()
    const id = world.install(artifact.wasm)
    world.send(id, 1n, encodeCbor(wireAddress(77n)), { from: 0n as never })
    expect(world.send(id, 2n, EMPTY).value).toEqual(wireAddress(77n))
  })
})
