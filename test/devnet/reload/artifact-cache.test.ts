import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Abi } from '../../../compiler/abi/schema.ts'
import type { CompileResult } from '../../../compiler/compile.ts'
import { ArtifactCache, type CacheOptions } from '../../../devnet/reload/artifact-cache.ts'

const options: CacheOptions = { entry: 'actors/a.actor.ts', mode: 'release' }
const abi = { abi: 1, actor: 'A' } as Abi
const artifact = {
  actor: 'A',
  wasm: Uint8Array.of(0, 97, 115, 109),
  abi,
  sourceMap: null,
  sources: ['actors/a.actor.ts'],
  diagnostics: [],
}

let folder: string
let cache: ArtifactCache
let files: Record<string, string | undefined>
const readFile = (path: string) => files[path]

/** Stands for the compiler: asks for two files, of which the first is not there. */
async function compile(read: (path: string) => string | undefined): Promise<CompileResult> {
  read('lib/step.ts')
  read('actors/a.actor.ts')
  return { ok: true, artifact }
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-'))
  cache = new ArtifactCache(join(folder, 'cache'))
  files = { 'actors/a.actor.ts': 'class A {}' }
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('the cache of artifacts', () => {
  test('has what was compiled from the same sources', async () => {
    expect(cache.find(options, readFile)).toBeUndefined()
    await cache.fill(options, readFile, compile)
    expect(cache.find(options, readFile)).toEqual(artifact)
    expect(new ArtifactCache(join(folder, 'cache')).find(options, readFile)).toEqual(artifact)
  })

  const misses: readonly [string, Readonly<Record<string, string | undefined>>, Partial<CacheOptions>][] = [
    ['a source that changed', { 'actors/a.actor.ts': 'class A { x: u64 }' }, {}],
    ['a source that went', { 'actors/a.actor.ts': undefined }, {}],
    ['a file that was missing before', { 'lib/step.ts': '' }, {}],
    ['another mode', {}, { mode: 'debug' }],
    ['another level of optimisation', {}, { optimize: 'speed' }],
    ['another limit', {}, { sizeLimit: 5 }],
    ['strictness', {}, { strict: true }],
    ['another entry', {}, { entry: 'actors/b.actor.ts' }],
  ]
  test.each(misses)('does not take it for %s', async (_, changed, other) => {
    await cache.fill(options, readFile, compile)
    Object.assign(files, changed)
    expect(cache.find({ ...options, ...other }, readFile)).toBeUndefined()
  })

  test('keeps nothing of a compilation that failed', async () => {
    await cache.fill(options, readFile, async () => ({ ok: false, diagnostics: [] }))
    expect(cache.find(options, readFile)).toBeUndefined()
  })

  test('takes a damaged entry for none', async () => {
    await cache.fill(options, readFile, compile)
    for (const name of readdirSync(join(folder, 'cache'))) writeFileSync(join(folder, 'cache', name), '{"toolchain":')
    expect(cache.find(options, readFile)).toBeUndefined()
  })

  test('does without a folder that cannot be made', async () => {
    writeFileSync(join(folder, 'file'), '')
    const result = await new ArtifactCache(join(folder, 'file', 'cache')).fill(options, readFile, compile)
    expect(result.ok).toBe(true)
  })
})
