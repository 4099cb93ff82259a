import { expect, test } from 'vitest'
import wabtInit from 'wabt'
import type { GuestExports } from '../../../devnet/engine/guest.ts'
import { InstancePool } from '../../../devnet/engine/instance-pool.ts'
import { GuestMemory } from '../../../devnet/engine/memory.ts'
import { isLoaded, type LoadedModule, ModuleCache } from '../../../devnet/engine/module-cache.ts'
import type { Cid } from '../../../devnet/ipld/cid.ts'

const GAS = 10n ** 12n
const PAGE = 65536

/** Answers what a counter in a global and one in memory reach, and leaves both, and a mark in the last byte, behind. */
const COUNTERS = `(module
  (memory (export "memory") 1) (data (i32.const 8) "\\05")
  (global $count (mut i32) (i32.const 7))
  (func (export "invoke") (param i32) (result i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (i32.store8 (i32.const 8) (i32.add (i32.load8_u (i32.const 8)) (i32.const 1)))
    (i32.store8 (i32.const 65535) (i32.const 1))
    (i32.add (i32.mul (global.get $count) (i32.const 100)) (i32.load8_u (i32.const 8)))))`

async function load(wat: string, isBuiltin = false): Promise<LoadedModule> {
  const wabt = await wabtInit()
  const module = wabt.parseWat('test.wat', wat)
  const { buffer } = module.toBinary({})
  module.destroy()
  const cache = new ModuleCache()
  if (isBuiltin) cache.trust(['test' as Cid])
  const loaded = cache.load('test' as Cid, buffer)
  if (!isLoaded(loaded)) throw new Error(loaded.reason)
  return loaded
}

function instantiate({ module }: LoadedModule, troupe: Record<string, unknown> = {}): GuestExports {
  return new WebAssembly.Instance(module, { troupe }).exports as unknown as GuestExports
}

function run({ gas, invoke }: GuestExports): number {
  gas.value = GAS
  return invoke!(0)
}

test('an instance runs again as if it were new', async () => {
  const loaded = await load(COUNTERS)
  const pool = new InstancePool()
  const first = instantiate(loaded)
  pool.note(loaded, first)
  expect(run(first)).toBe(806)
  expect(run(first)).toBe(907)
  const left = new Uint8Array(first.memory.buffer)
  expect([left[8], left[65535]]).toEqual([7, 1])

  pool.give(loaded, first, PAGE)
  const again = pool.take(loaded)
  expect(again).toBe(first)
  const bytes = new Uint8Array(again!.memory.buffer)
  expect([bytes[8], bytes[65535]]).toEqual([5, 0])
  expect(run(again!)).toBe(806)
  expect(pool.take(loaded)).toBeUndefined()
})

test('a trap leaves nothing behind, not even the height of the stack', async () => {
  const loaded = await load(`(module (memory (export "memory") 1)
    (func $deep (param i32) (result i32) (call $deep (local.get 0)))
    (func (export "invoke") (param i32) (result i32) (call $deep (i32.const 0))))`)
  const pool = new InstancePool()
  const exports = instantiate(loaded)
  pool.note(loaded, exports)
  const used = (): bigint => {
    expect(() => run(exports)).toThrow(WebAssembly.RuntimeError)
    return GAS - (exports.gas.value as bigint)
  }
  const before = used()
  pool.give(loaded, exports, PAGE)
  expect(used()).toBe(before)
})

test.each([
  [
    'writes a table',
    `(table 1 funcref) (func (export "invoke") (param i32) (result i32) (table.copy (i32.const 0) (i32.const 0) (i32.const 0)) (i32.const 0))`,
  ],
  ['drops data', `(data $d "x") (func (export "invoke") (param i32) (result i32) (data.drop $d) (i32.const 0))`],
  ['starts', `(func $start) (start $start) (func (export "invoke") (param i32) (result i32) (i32.const 0))`],
])('a module that %s is not kept', async (_, body) => {
  const loaded = await load(`(module (memory (export "memory") 1) ${body})`)
  expect(instantiate(loaded).reset).toBeUndefined()
})

const GROWS = `(module (memory (export "memory") 1)
  (func (export "invoke") (param i32) (result i32)
    (i32.store8 (i32.const 9) (i32.const 1))
    (drop (memory.grow (i32.const 1)))
    (i32.store8 (i32.const 70000) (i32.const 1))
    (i32.load8_u (i32.const 70000))))`

/** As the linker grows memory: what there is already counts as new. */
function growable(loaded: LoadedModule): { exports: GuestExports; start(): GuestMemory } {
  let memory: GuestMemory
  const exports = instantiate(loaded, { memory_grow: (pages: number) => memory.grow(pages) })
  return {
    exports,
    start() {
      memory = new GuestMemory(exports.memory, loaded.facts.memory!.minimum * PAGE)
      return memory
    },
  }
}

test('an instance whose memory grew is not kept: its code could reach too far', async () => {
  const grown = await load(GROWS)
  const pool = new InstancePool()
  const { exports, start } = growable(grown)
  pool.note(grown, exports)
  const memory = start()
  run(exports)
  pool.give(grown, exports, memory.size)
  expect(pool.take(grown)).toBeUndefined()
})

test('built-in code runs again in a memory that is larger than it is told', async () => {
  const builtin = await load(GROWS, true)
  const pool = new InstancePool()
  const { exports, start } = growable(builtin)
  pool.note(builtin, exports)
  let memory = start()
  run(exports)
  expect(memory.size).toBe(2 * PAGE)
  pool.give(builtin, exports, memory.size)
  expect(pool.take(builtin)).toBe(exports)
  memory = start()
  expect(memory.size).toBe(PAGE)
  expect(memory.fits(PAGE, 1)).toBe(false)
  const bytes = new Uint8Array(exports.memory.buffer)
  expect([bytes[9], bytes[70_000]]).toEqual([0, 0])
  run(exports)
  expect(memory.size).toBe(2 * PAGE)
})

test('built-in code that asks for the size of its memory gets a new one', async () => {
  const asks = await load(GROWS.replace('(i32.load8_u (i32.const 70000))', '(memory.size)'), true)
  const pool = new InstancePool()
  const { exports, start } = growable(asks)
  pool.note(asks, exports)
  const memory = start()
  run(exports)
  pool.give(asks, exports, memory.size)
  expect(pool.take(asks)).toBeUndefined()
})
