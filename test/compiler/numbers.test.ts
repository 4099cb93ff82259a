import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { amountOf, compile, World, wireAmount } from './world.ts'

const TOP = 1n << 256n
const wide = fc.oneof(
  fc.bigInt({ min: 0n, max: TOP - 1n }),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 255 }))
    .map(([a, b]) => (1n << BigInt(a)) + (1n << BigInt(b)) - 1n),
  fc
    .array(fc.constantFrom(0n, 1n, 0xffffffffn, 0x80000000n, 0xfffffffen), { minLength: 8, maxLength: 8 })
    .map((limbs) => limbs.reduce<bigint>((value, limb) => (value << 32n) | limb, 0n)),
)

describe('numbers', async () => {
  const numbers = await compile('actors/numbers.actor.ts')
  const world = await World.create()
  const id = world.deploy(numbers)
  const call = (method: string, ...args: bigint[]) => world.call(id, method, args.map(wireAmount))

  it('divides as BigInt does', () => {
    fc.assert(
      fc.property(wide, wide, (a, b) => {
        const outcome = call('Divide', a, b)
        if (b === 0n) return outcome.exit === 20
        const [quotient, remainder] = outcome.value as [Uint8Array, Uint8Array]
        return amountOf(quotient) === a / b && amountOf(remainder) === a % b
      }),
      { numRuns: 1500, seed: 7 },
    )
  })

  it('adds, subtracts and multiplies, or leaves with 20', () => {
    fc.assert(
      fc.property(wide, wide, (a, b) => {
        const check = (method: string, exact: bigint) => {
          const outcome = call(method, a, b)
          return exact < 0n || exact >= TOP ? outcome.exit === 20 : amountOf(outcome.value) === exact
        }
        return check('Add', a + b) && check('Subtract', a - b) && check('Multiply', a * b)
      }),
      { numRuns: 500, seed: 8 },
    )
  })

  it('shifts', () => {
    fc.assert(
      fc.property(wide, fc.integer({ min: 0, max: 300 }), (a, count) => {
        const left = world.call(id, 'ShiftLeft', [wireAmount(a), BigInt(count)])
        const right = world.call(id, 'ShiftRight', [wireAmount(a), BigInt(count)])
        return amountOf(left.value) === (a << BigInt(count)) % TOP && amountOf(right.value) === a >> BigInt(count)
      }),
      { numRuns: 300, seed: 9 },
    )
  })

  it('multiplies amounts within 128 bits', () => {
    const half = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n })
    fc.assert(
      fc.property(half, fc.oneof(half, fc.bigInt({ min: 0n, max: 1n << 20n })), (a, b) => {
        const outcome = call('Product', a, b)
        return a * b >= 1n << 128n ? outcome.exit === 20 : amountOf(outcome.value) === a * b
      }),
      { numRuns: 500, seed: 10 },
    )
  })

  it('keeps 256 bits between multiplication and division', () => {
    const big = 10n ** 38n
    expect(amountOf(call('Share', big, big, big + 1n).value)).toBe((big * big) / (big + 1n))
    expect(call('Share', big, big, 1n).exit).toBe(20)
    expect(call('Share', 1n, 1n, 0n).exit).toBe(20)
  })

  it('computes literals at build time and texts at run time', () => {
    const literals = world.call(id, 'Literals').value as Uint8Array[]
    expect(literals.map(amountOf)).toEqual([15n * 10n ** 17n, 10n ** 24n, 42n, (1n << 128n) - 1n])
    expect(amountOf(world.call(id, 'Parse', ['2.000000000000000001']).value)).toBe(2n * 10n ** 18n + 1n)
    expect(world.call(id, 'Parse', ['1.0000000000000000001']).exit).toBe(16)
    expect(world.call(id, 'Parse', ['x']).exit).toBe(16)
  })

  it('checks integers on request', () => {
    const min = -(1n << 63n)
    expect(world.call(id, 'Signed', [3n, -4n]).value).toBe(-12n)
    for (const [a, b] of [
      [min, -1n],
      [-1n, min],
      [1n << 62n, 2n],
    ] as const) {
      expect(world.call(id, 'Signed', [a, b]).exit).toBe(20)
    }
    expect(world.call(id, 'Signed', [min, 1n]).value).toBe(min)
    expect(world.call(id, 'Unsigned', [0xffffffffn, 1n]).exit).toBe(20)
    expect(world.call(id, 'Unsigned', [0xfffffffen, 1n]).value).toBe(0xffffffffn)
    expect(world.call(id, 'Unsigned', [1n << 32n, 1n]).exit).toBe(21)
  })
})
