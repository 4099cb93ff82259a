/** Every cap on a module: what lies at it is taken and compiles, what lies beyond is a load error with a code; and nothing takes long. */
import { describe, expect, test } from 'vitest'
import { BODY_BYTES_MAX, type InstrumentOptions, instrumentModule } from '../../compiler/gas/instrument.ts'
import { EngineExhausted } from '../../devnet/engine/failure.ts'
import { isLoaded, ModuleCache } from '../../devnet/engine/module-cache.ts'
import { cidOf, RAW } from '../../devnet/ipld/cid.ts'
import { recoverPublicKey } from '../../devnet/primitives/keys.ts'
import { signed, unsigned } from './wasm.ts'

type Section = readonly [id: number, count: number, content: Uint8Array]

function moduleOf(...parts: readonly Section[]): Uint8Array {
  const pieces: Uint8Array[] = [Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00)]
  for (const [id, count, content] of parts) {
    const head = unsigned(count)
    pieces.push(Uint8Array.from([id, ...unsigned(head.length + content.length), ...head]), content)
  }
  return Uint8Array.from(Buffer.concat(pieces))
}

function bytes(...values: readonly number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(values)
}

/** `item`, `count` times. */
function times(count: number, item: readonly number[]): Uint8Array {
  const out = new Uint8Array(count * item.length)
  for (let i = 0; i < count; i++) out.set(item, i * item.length)
  return out
}

const EMPTY_TYPE: Section = [1, 1, bytes(0x60, 0, 0)]
const TABLE: Section = [4, 1, bytes(0x70, 0, 1)]
const MEMORY: Section = [5, 1, bytes(0, 1)]

/** A function of type 0 without parameters, its body as it is. */
function functionOf(body: Uint8Array, type: Section = EMPTY_TYPE): Uint8Array {
  return moduleOf(type, [3, 1, bytes(0)], MEMORY, [10, 1, Uint8Array.from([...unsigned(body.length), ...body])])
}

function bodyOf(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat([bytes(0), ...parts, bytes(0x0b)]))
}

function locals(count: number): Uint8Array {
  return Uint8Array.from([1, ...unsigned(count), 0x7e, 0x0b])
}

function branchTable(labels: number): Uint8Array {
  return bodyOf(Uint8Array.from([0x41, 0x00, 0x0e, ...unsigned(labels)]), new Uint8Array(labels + 1))
}

function exportOf(nameSize: number): Uint8Array {
  const name = Uint8Array.from([...unsigned(nameSize), ...new Uint8Array(nameSize).fill(0x61), 0, 0])
  return moduleOf(EMPTY_TYPE, [3, 1, bytes(0)], [7, 1, name], [10, 1, bytes(2, 0, 0x0b)])
}

/** `ACCEPTED` when V8 compiles it too. */
function verdict(raw: Uint8Array, options?: InstrumentOptions): string {
  let made: Uint8Array
  try {
    made = instrumentModule(raw, options).bytes
  } catch (error) {
    return (error as { fault: { code: string } }).fault.code
  }
  new WebAssembly.Module(made as Uint8Array<ArrayBuffer>)
  return 'ACCEPTED'
}

const NO_CODE: Section = [3, 0, bytes()]

describe.each<[string, () => Uint8Array, () => Uint8Array, string]>([
  ['50,000 locals', () => functionOf(locals(50_000)), () => functionOf(locals(50_001)), 'TOO_MANY'],
  [
    '50,000 locals, parameters among them',
    () => functionOf(locals(49_999), [1, 1, bytes(0x60, 1, 0x7f, 0)]),
    () => functionOf(locals(50_000), [1, 1, bytes(0x60, 1, 0x7f, 0)]),
    'TOO_MANY',
  ],
  [
    '1000 parameters',
    () => moduleOf([1, 1, Uint8Array.from([0x60, ...unsigned(1000), ...times(1000, [0x7f]), 0])], NO_CODE),
    () => moduleOf([1, 1, Uint8Array.from([0x60, ...unsigned(1001), ...times(1001, [0x7f]), 0])], NO_CODE),
    'TOO_MANY',
  ],
  ['65,520 labels', () => functionOf(branchTable(65_520)), () => functionOf(branchTable(65_521)), 'TOO_MANY'],
  ['names of 100,000 bytes', () => exportOf(100_000), () => exportOf(100_001), 'NAME_TOO_LONG'],
  [
    'a table of 20,000',
    () => moduleOf(NO_CODE, [4, 1, Uint8Array.from([0x70, 0, ...unsigned(20_000)])]),
    () => moduleOf(NO_CODE, [4, 1, Uint8Array.from([0x70, 0, ...unsigned(20_001)])]),
    'TOO_MANY',
  ],
  ['one table', () => moduleOf(NO_CODE, TABLE), () => moduleOf(NO_CODE, [4, 2, times(2, [0x70, 0, 1])]), 'TOO_MANY'],
  ['one memory', () => moduleOf(NO_CODE, MEMORY), () => moduleOf(NO_CODE, [5, 2, times(2, [0, 1])]), 'TOO_MANY'],
  [
    '8192 pages',
    () => moduleOf(NO_CODE, [5, 1, Uint8Array.from([0, ...unsigned(8192)])]),
    () => moduleOf(NO_CODE, [5, 1, Uint8Array.from([0, ...unsigned(8193)])]),
    'TOO_MANY',
  ],
  [
    '65,536 pages as a maximum',
    () => moduleOf(NO_CODE, [5, 1, Uint8Array.from([1, 1, ...unsigned(65_536)])]),
    () => moduleOf(NO_CODE, [5, 1, Uint8Array.from([1, 1, ...unsigned(65_537)])]),
    'BAD_LIMITS',
  ],
  [
    '100,000 data segments',
    () => moduleOf(NO_CODE, MEMORY, [11, 100_000, times(100_000, [1, 0])]),
    () => moduleOf(NO_CODE, MEMORY, [11, 100_001, times(100_001, [1, 0])]),
    'TOO_MANY',
  ],
  [
    '100,000 element segments',
    () => moduleOf(NO_CODE, TABLE, [9, 100_000, times(100_000, [1, 0, 0])]),
    () => moduleOf(NO_CODE, TABLE, [9, 100_001, times(100_001, [1, 0, 0])]),
    'TOO_MANY',
  ],
])('%s', (_, atTheCap, beyond, code) => {
  test('are taken', () => expect(verdict(atTheCap())).toBe('ACCEPTED'))
  test('one more is not', () => expect(verdict(beyond())).toBe(code))
})

test.each<[string, () => Uint8Array]>([
  ['types', () => moduleOf([1, 1_000_001, times(1_000_001, [0x60, 0, 0])], NO_CODE)],
  ['imports', () => moduleOf(EMPTY_TYPE, [2, 1_000_001, times(1_000_001, [0, 0, 0, 0])], NO_CODE)],
  [
    'functions',
    () => moduleOf(EMPTY_TYPE, [3, 1_000_001, times(1_000_001, [0])], [10, 1_000_001, times(1_000_001, [2, 0, 0x0b])]),
  ],
  ['globals', () => moduleOf(NO_CODE, [6, 1_000_001, times(1_000_001, [0x7f, 0, 0x41, 0, 0x0b])])],
  ['tables', () => moduleOf(NO_CODE, [4, 300_000, times(300_000, [0x70, 0, 1])])],
  [
    'elements',
    () =>
      moduleOf(EMPTY_TYPE, NO_CODE, [
        9,
        1,
        Uint8Array.from([1, 0, ...unsigned(10_000_001), ...new Uint8Array(10_000_001)]),
      ]),
  ],
])('more %s than any module has are refused', (_, make) => {
  expect(verdict(make())).toBe('TOO_MANY')
})

describe('code that only looks small', () => {
  const fiftyThousand = [...unsigned(4 + 2), 1, ...unsigned(49_990), 0x7e, 0x0b]

  test.each([
    ['a hundred million locals', 2000, 'ACCEPTED'],
    ['more', 100_000, 'TOO_MANY_LOCALS'],
  ])('%s in all functions', (_, count, end) => {
    const raw = moduleOf(EMPTY_TYPE, [3, count, new Uint8Array(count)], [10, count, times(count, fiftyThousand)])
    expect(verdict(raw)).toBe(end)
  })

  test.each([
    ['blocks', 0x02],
    ['loops', 0x03],
  ])('300,000 %s inside of one another', (_, opcode) => {
    expect(verdict(functionOf(bodyOf(times(300_000, [opcode, 0x40]), times(300_000, [0x0b]))))).toBe('ACCEPTED')
  })

  test('300,000 groups of no locals', () => {
    const body = Uint8Array.from(Buffer.concat([bytes(...unsigned(300_000)), times(300_000, [0, 0x7f]), bytes(0x0b)]))
    expect(verdict(functionOf(body))).toBe('ACCEPTED')
  })

  test('ten branch tables of full length', () => {
    const table = Uint8Array.from([0x02, 0x40, 0x41, 0, 0x0e, ...unsigned(65_520), ...new Uint8Array(65_521), 0x0b])
    expect(verdict(functionOf(bodyOf(times(10, [...table]))))).toBe('ACCEPTED')
  })
})

describe('a body that instrumentation makes too large for V8', () => {
  const calls = functionOf(bodyOf(times(400_000, [0x10, 0])))

  test.each(['seldom', 'every block'] as const)('is a load error when asking %s', (asking) => {
    expect(verdict(calls, { asking })).toBe('BODY_TOO_LARGE')
  })

  test('is one for the engine as well', () => {
    const loaded = new ModuleCache().load(cidOf(RAW, calls), calls)
    expect(isLoaded(loaded)).toBe(false)
  })

  test('is asked seldom when asking at every block would not fit, so that traces do not decide', () => {
    const branches = bodyOf(bytes(0x02, 0x40), times(380_000, [0x41, 0x00, 0x0d, 0x00]), bytes(0x0b))
    const raw = functionOf(branches)
    const [seldom, everywhere] = (['seldom', 'every block'] as const).map(
      (asking) => instrumentModule(raw, { asking }).bytes,
    )
    expect(seldom!.length).toBeLessThan(BODY_BYTES_MAX)
    expect(Buffer.compare(everywhere!, seldom!)).toBe(0)
    expect(verdict(raw, { asking: 'every block' })).toBe('ACCEPTED')
  })
})

/** Calls `act` from places where hardly any of the stack is left, and from ever more of it. */
function nearTheEndOfTheStack(act: () => void): void {
  let left = 3000
  const dive = (): void => {
    try {
      dive()
    } catch {
      // The end was there.
    }
    if (left-- > 0) act()
  }
  dive()
}

describe('a stack that runs out is no answer', () => {
  test('to whether a module can be loaded', () => {
    const raw = functionOf(bodyOf(times(20, [0x41, ...signed(5n), 0x1a])))
    const reasons: string[] = []
    let loads = 0
    nearTheEndOfTheStack(() => {
      try {
        const loaded = new ModuleCache().load(cidOf(RAW, raw), raw)
        if (isLoaded(loaded)) loads++
        else reasons.push(loaded.reason)
      } catch (error) {
        if (!(error instanceof RangeError || error instanceof EngineExhausted)) throw error
      }
    })
    expect(reasons).toEqual([])
    expect(loads).toBeGreaterThan(0)
  })

  test('to whose signature it is', () => {
    const overflow = () => {
      throw new RangeError('Maximum call stack size exceeded')
    }
    const refused = () => {
      throw new RangeError('s is out of range')
    }
    const recover = (throws: () => never) =>
      recoverPublicKey(new Uint8Array(32), new Uint8Array(65), { sign: throws, recover: throws, publicKey: throws })
    expect(() => recover(overflow)).toThrow(RangeError)
    expect(recover(refused)).toBeUndefined()
  })
})
