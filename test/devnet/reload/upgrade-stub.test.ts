import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { compileActor } from '../../../compiler/compile.ts'
import { insertUpgrade } from '../../../devnet/reload/upgrade-stub.ts'

async function compile(source: string) {
  const result = await compileActor({
    entry: 'x.actor.ts',
    mode: 'release',
    readFile: (path) => (path === 'x.actor.ts' ? source : undefined),
  })
  if (!result.ok)
    throw new Error(result.diagnostics.map(({ code, message, line }) => `${code} ${message} at ${line}`).join('\n'))
  return result.artifact
}

const shapes = readFileSync(new URL('../../fixtures/actors/shapes.actor.ts', import.meta.url), 'utf8')

/** What a save makes of the fixture, and what must stand in the migration. */
const changes: readonly [string, (source: string) => string, readonly string[]][] = [
  [
    'a field of another type',
    (s) => s.replace('flag: bool = true', 'flag: u8 = 1'),
    ['say what becomes of flag: it was bool, it is u8'],
  ],
  [
    'a narrower number',
    (s) => s.replace('words: StaticArray<u16> = [1, 2, 3]', 'words: u8 = 1'),
    ['say what becomes of words'],
  ],
  [
    'a class that has changed',
    (s) => s.replace('public y: i16', 'public y: i32'),
    ['class PointV1 {', 'class ShapesV1 {', 'say what becomes of named', 'next.inner = old.inner'],
  ],
  [
    'a new field',
    (s) => s.replace('flag: bool = true;', 'flag: bool = true; fresh: TokenAmount = TokenAmount.zero;'),
    ['// fresh is new', 'next.flag = old.flag'],
  ],
  [
    'a dropped field',
    (s) => s.replace('wide: U256 = U256.from(5);', ''),
    ['// old.wide is dropped', 'public wide: U256,', 'next.chain = old.chain'],
  ],
]

const original = compile(shapes)

describe('a written @upgrade', () => {
  test.each(changes)('compiles for %s', async (_, change, expected) => {
    const [before, after] = [await original, await compile(change(shapes))]
    const written = insertUpgrade(change(shapes), before.abi, after.abi)!
    for (const text of expected) expect(written).toContain(text)
    const { wasm } = await compile(written)
    const exports = WebAssembly.Module.exports(new WebAssembly.Module(new Uint8Array(wasm)))
    expect(exports.map(({ name }) => name)).toContain('upgrade')
  })

  test('is not written where the class is not found', async () => {
    const { abi } = await original
    expect(insertUpgrade('// class Shapes {}', abi, abi)).toBeUndefined()
  })

  test('takes a name that is free', async () => {
    const before = await compile(`import { actor } from 'troupe/actor'\n@actor export class A { n: u64 = 0 }`)
    const source = `import { actor } from 'troupe/actor'\nclass AV1 {}\n@actor export class A { n: u32 = 0 }`
    const after = await compile(source)
    expect(insertUpgrade(source, before.abi, after.abi)).toContain('migrate(old: AV2): A')
  })
})
