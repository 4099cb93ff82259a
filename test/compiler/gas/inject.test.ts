import { describe, expect, it } from 'vitest'
import { run } from './run.ts'

const MEMORY = '(memory (export "memory") 1)'
/** What the thunk of `invoke` costs: its parameter and a limited call. */
const THUNK = 14n * 4000n

describe('what is spent', () => {
  it.each<[string, string, bigint]>([
    ['a constant', '(func (export "invoke") (param i32) (result i32) i32.const 7)', 1n],
    [
      'a loop of ten rounds',
      '(func (export "invoke") (param i32) (result i32) (loop (local.set 0 (i32.add (local.get 0) (i32.const 1))) (br_if 0 (i32.lt_u (local.get 0) (i32.const 10)))) local.get 0)',
      81n,
    ],
    [
      'two calls',
      '(func $f (result i32) i32.const 1) (func (export "invoke") (param i32) (result i32) (i32.add (call $f) (call $f)))',
      2n * 14n + 1n,
    ],
    [
      'half of an if',
      '(func (export "invoke") (param i32) (result i32) (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (i32.const 1))) (else i32.const 3)))',
      3n,
    ],
  ])('%s', (_, functions, units) => {
    expect(run(`(module ${MEMORY} ${functions})`).spent).toBe(THUNK + units * 4000n)
  })

  it('is a price by length when the instruction runs', () => {
    const grow = run(
      `(module ${MEMORY} (func (export "invoke") (param i32) (result i32) (memory.grow (local.get 0))))`,
      {
        argument: 3,
      },
    )
    expect(grow).toMatchObject({ value: 1, spent: THUNK + 8000n + 3n * 26_214_400n })
    const fill = run(
      `(module ${MEMORY} (func (export "invoke") (param i32) (result i32) (memory.fill (i32.const 0) (i32.const 1) (local.get 0)) i32.const 0))`,
      { argument: 1000 },
    )
    expect(fill.spent).toBe(THUNK + 20_000n + 400_000n)
  })

  it('asks the host before a table grows', () => {
    const text = `(module ${MEMORY} (table 1 funcref) (func (export "invoke") (param i32) (result i32) (table.grow (table.get (i32.const 0)) (local.get 0))))`
    expect(run(text, { argument: 5 })).toMatchObject({ value: 1, spent: THUNK + 16_000n + 5n * 3200n })
    expect(run(text, { argument: 20_001 }).value).toBe(-1)
  })

  it('includes the whole block in which a trap lies', () => {
    const { value, spent } = run(
      `(module ${MEMORY} (func (export "invoke") (param i32) (result i32) unreachable (i32.add (i32.const 1) (i32.const 1))))`,
    )
    expect([value, spent]).toEqual([null, THUNK + 3n * 4000n])
  })
})

describe('running out', () => {
  it.each([
    ['a loop', '(func (export "invoke") (param i32) (result i32) (loop (br 0)) i32.const 0)'],
    ['a loop in a loop', '(func (export "invoke") (param i32) (result i32) (loop (loop (br 1))) i32.const 0)'],
    ['calls that double', `${doubling(40)} (func (export "invoke") (param i32) (result i32) (call $f40) i32.const 0)`],
    [
      'indirect calls',
      '(table 1 funcref) (elem (i32.const 0) $f) (type $t (func)) (func $f (loop (call_indirect (type $t) (i32.const 1)) (br 0))) (func (export "invoke") (param i32) (result i32) (loop (call_indirect (type $t) (i32.const 0)) (br 0)) i32.const 0)',
    ],
  ])('ends %s', (_, functions) => {
    const { value, spent } = run(`(module ${MEMORY} ${functions})`, { limit: 100_000_000n })
    expect(value).toBe(null)
    if (!functions.includes('$t')) expect(spent > 100_000_000n && spent < 110_000_000n).toBe(true)
  })

  it('comes before a length is filled or grown that is not paid', () => {
    const body = (instruction: string) =>
      `(module (memory (export "memory") 100) (func (export "invoke") (param i32) (result i32) ${instruction} i32.const 0))`
    for (const length of ['(local.get 0)', '(i32.const 1000000)']) {
      const { value, exports } = run(body(`(memory.fill (i32.const 0) (i32.const 1) ${length})`), {
        argument: 1_000_000,
        limit: 1_000_000n,
      })
      expect(value).toBe(null)
      expect(new Uint8Array(exports.memory.buffer)[0]).toBe(0)
      const grown = run(body(`(drop (memory.grow ${length}))`), { argument: 10, limit: 1_000_000n })
      expect(grown.exports.memory.buffer.byteLength).toBe(100 * 65_536)
    }
  })

  it('is asked at every block when a price gives gas', () => {
    const grows = '(drop (memory.grow (i32.const 0x7fffffff)))'.repeat(164)
    const text = `(module ${MEMORY} (func (export "invoke") (param i32) (result i32)
      (if (local.get 0) (then ${grows})) i32.const 5))`
    for (const [limit, value] of [
      [THUNK - 1n, null],
      [THUNK + 11_999n, null],
      [THUNK + 12_000n, 5],
    ] as const) {
      expect(run(text, { limit, argument: 1 }).value).toBe(value)
    }
  })
})

/** Functions `$f0` … `$fN`, each calling the one below twice. */
function doubling(depth: number): string {
  let functions = '(func $f0)'
  for (let level = 1; level <= depth; level++) {
    functions += `(func $f${level} (call $f${level - 1}) (call $f${level - 1}))`
  }
  return functions
}

describe('the stack height', () => {
  /** Descends `argument` levels; every level costs 5: a group of locals, two values and two more. */
  const descend =
    '(func $d (param i32) (local i32) (if (local.get 0) (then (call $d (i32.sub (local.get 0) (i32.const 1))))))'

  it('traps beyond 2048 and no sooner', () => {
    const text = `(module ${MEMORY} ${descend} (func (export "invoke") (param i32) (result i32) (call $d (local.get 0)) i32.const 9))`
    // invoke costs 3, each $d 5: 3 + 5 · 409 = 2048.
    expect(run(text, { argument: 408 }).value).toBe(9)
    expect(run(text, { argument: 409 }).value).toBe(null)
  })

  it('is the same after calls that returned, direct or through a table', () => {
    const text = `(module ${MEMORY} (type $t (func (param i32))) (table 1 funcref) (elem (i32.const 0) $d) ${descend}
      (func (export "invoke") (param i32) (result i32)
        (call $d (local.get 0)) (call $d (local.get 0)) (call_indirect (type $t) (local.get 0) (i32.const 0)) (call $d (local.get 0))
        (call_indirect (type $t) (local.get 0) (i32.const 0)) i32.const 9))`
    // invoke costs 4 here.
    expect(run(text, { argument: 407 }).value).toBe(9)
    expect(run(text, { argument: 408 }).value).toBe(null)
  })

  it('is counted in functions that have no room for another local', () => {
    const text = (
      locals: number,
    ) => `(module ${MEMORY} (type $t (func (param i32))) (table 1 funcref) (elem (i32.const 0) $d) ${descend}
      (func (export "invoke") (param i32) (result i32) (local ${'i32 '.repeat(locals)}) (local f64)
        (call $d (local.get 0)) (call_indirect (type $t) (local.get 0) (i32.const 0)) (call $d (local.get 0))
        (local.set ${locals + 1} (f64.div (f64.const 0) (f64.const 0)))
        (i32.wrap_i64 (i64.shr_u (i64.reinterpret_f64 (local.get ${locals + 1})) (i64.const 32)))))`
    for (const locals of [10, 49_990, 49_998]) {
      const [fits, exceeds] = [407, 408].map((argument) => run(text(locals), { argument }))
      expect(fits!.value).toBe(0x7ff8_0000)
      expect(exceeds!.value).toBe(null)
      expect(fits!.spent).toBe(run(text(1), { argument: 407 }).spent)
    }
  })
})

describe('NaNs', () => {
  const bits = (expression: string) =>
    run(`(module ${MEMORY} (func (export "invoke") (param i32) (result i32) ${expression}))`).value! >>> 0

  it.each([
    '(f32.div (f32.const 0) (f32.const 0))',
    '(f32.sqrt (f32.const -1))',
    '(f32.add (f32.const -nan:0x200001) (f32.const 1))',
    '(f32.min (f32.const -nan:0x600001) (f32.const 1))',
    '(f32.ceil (f32.const -nan:0x600001))',
    '(f32.demote_f64 (f64.const -nan:0x8000000000001))',
  ])('are canonical after %s', (expression) => {
    expect(bits(`(i32.reinterpret_f32 ${expression})`)).toBe(0x7fc0_0000)
  })

  it('keep their bits where they are only moved', () => {
    expect(bits('(i32.reinterpret_f32 (f32.neg (f32.const nan:0x600001)))')).toBe(0xffe0_0001)
    expect(bits('(i32.reinterpret_f32 (f32.const -nan:0x200001))')).toBe(0xffa0_0001)
    expect(bits('(i32.reinterpret_f32 (f32.copysign (f32.const nan:0x600001) (f32.const -1)))')).toBe(0xffe0_0001)
  })

  it('are canonical as doubles', () => {
    const high = '(i64.shr_u (i64.reinterpret_f64 (f64.sub (f64.const inf) (f64.const inf))) (i64.const 32))'
    expect(bits(`(i32.wrap_i64 ${high})`)).toBe(0x7ff8_0000)
  })
})
