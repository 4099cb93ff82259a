/** These tests run in a process, whose own stack does not reach to the depth that the rules allow. */
import { beforeAll, describe, expect, test } from 'vitest'
import { compileActor } from '../../../compiler/compile.ts'
import { actorModule } from '../../../devnet/testing/actor.ts'
import type { ActorError } from '../../../devnet/testing/actor-error.ts'
import { ownBundlePath } from '../../../devnet/testing/genesis.ts'
import type { ActorClass } from '../../../devnet/testing/js.ts'
import { exit } from '../../../devnet/testing/mock.ts'
import type { MessageRecord } from '../../../devnet/testing/record.ts'
import { type World, world } from '../../../devnet/testing/world.ts'

interface DeepHandle {
  dig(depth: number): number
  knock(depth: number, who: bigint): bigint
  state(): unknown
  readonly last: MessageRecord
}
interface BellHandle {
  readonly id: bigint
}
type BellMethods = Record<string, (...args: bigint[]) => bigint>

const DEEP = `import { actor, at, method, ActorId, msg } from 'troupe/actor'
import { Bell } from './bell.actor'

@actor
export class Deep {
  count: u64 = 0

  @method
  dig(depth: u32): u32 {
    this.count += 1
    return depth == 0 ? 0 : at<Deep>(msg.receiver).dig(depth - 1) + 1
  }

  /** Rings on the way down and at the bottom. */
  @method
  knock(depth: u32, who: ActorId): u64 {
    at<Bell>(who).ring(depth)
    return depth == 0 ? at<Bell>(who).rung() : at<Deep>(msg.receiver).knock(depth - 1, who)
  }
}
`
const BELL = `import { actor, method, view } from 'troupe/actor'

@actor
export class Bell {
  sum: u64 = 0

  @method
  ring(by: u64): u64 {
    this.sum += by
    return this.sum
  }

  @view
  rung(): u64 {
    return this.sum
  }
}
`
const sources: Readonly<Record<string, string>> = { 'actors/deep.actor.ts': DEEP, 'actors/bell.actor.ts': BELL }

async function compile(entry: string): Promise<unknown> {
  const result = await compileActor({ entry, mode: 'release', readFile: (path) => sources[path] })
  if (!result.ok) throw new Error(result.diagnostics.map(({ message }) => message).join('\n'))
  return actorModule(result.artifact.abi, result.artifact.wasm)
}

const reason = ownBundlePath() === undefined ? ' (skipped: no dist/actors.car, run npm run build)' : ''

describe.skipIf(reason !== '')(`a message deeper than this stack${reason}`, () => {
  let deepClass: unknown
  let bellClass: unknown
  const deploy = (net: World) => net.deploy(deepClass as ActorClass) as unknown as DeepHandle
  const mock = (net: World, what: unknown, methods: BellMethods) =>
    net.mock(what as ActorClass, methods as never) as unknown as BellHandle

  beforeAll(async () => {
    deepClass = await compile('actors/deep.actor.ts')
    bellClass = await compile('actors/bell.actor.ts')
  })

  test('runs all the same, and its effects stay', () => {
    const net = world()
    const deep = deploy(net)
    expect(deep.dig(3)).toBe(3)
    expect(deep.dig(1023)).toBe(1023)
    expect(deep.state()).toEqual({ count: 1028n })
    expect(deep.last.sent).toHaveLength(1023)
    expect(deep.dig(3)).toBe(3)
    expect(deep.state()).toEqual({ count: 1032n })
  })

  test('ends at a depth of 1,024 with the code and the gas that the machine gives on any stack', () => {
    const net = world()
    const deep = deploy(net)
    const root = net.stateRoot()
    const error = caught(() => deep.dig(1024))
    expect(error).toMatchObject({ name: 'ActorError', exitCode: 24, exitName: 'AssertionFailed' })
    expect(net.stateRoot()).not.toBe(root)
    expect(deep.state()).toEqual({ count: 0n })
    expect(net.balance('alice')).toBeLessThan(10_000n * 10n ** 18n)
  })

  test('is what it would be step by step: fees, sequence and state root', () => {
    const [a, b] = [world(), world()].map((net) => ({ net, deep: deploy(net) }))
    a!.deep.dig(1023)
    b!.deep.dig(1023)
    expect(a!.net.stateRoot()).toBe(b!.net.stateRoot())
    expect(a!.deep.last.gas).toBe(b!.deep.last.gas)
  })

  test('asks mocks, each call once', () => {
    const net = world()
    const rings: bigint[] = []
    const bell = mock(net, bellClass, {
      ring: (by = 0n) => {
        rings.push(by)
        return by
      },
      rung: () => 7n,
    })
    const deep = deploy(net)
    expect(deep.knock(1000, bell.id)).toBe(7n)
    expect(rings).toEqual(Array.from({ length: 1001 }, (_, index) => BigInt(1000 - index)))
  })

  test('ends as a mock says, and stops when a mock throws', () => {
    const net = world()
    const bell = mock(net, bellClass, {
      ring: (by = 0n) => (by === 0n ? exit(33, 'silence') : by),
      rung: () => {
        throw new TypeError('broken mock')
      },
    })
    const deep = deploy(net)
    expect(caught(() => deep.knock(1000, bell.id))).toMatchObject({ exitCode: 33 })
    mock(net, bell, { ring: (by = 0n) => by })
    const root = net.stateRoot()
    expect(() => deep.knock(1000, bell.id)).toThrow(new TypeError('broken mock'))
    expect(net.stateRoot()).toBe(root)
    expect(deep.dig(1023)).toBe(1023)
  })
})

function caught(run: () => unknown): ActorError | undefined {
  try {
    run()
  } catch (error) {
    return error as ActorError
  }
  return undefined
}
