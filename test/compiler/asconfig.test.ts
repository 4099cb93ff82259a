/** What the options make of whole actors: the text of their modules, and their interfaces. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import load from 'wabt'
import type { Artifact } from '../../compiler/artifact.ts'
import { targetOptions } from '../../compiler/asconfig.ts'
import { type CompileOptions, compileActor } from '../../compiler/compile.ts'

const GOLDEN = fileURLToPath(new URL('../golden', import.meta.url))
const CASES = readdirSync(GOLDEN).filter((name) => name.endsWith('.actor.ts'))

async function compile(entry: string, options: Partial<CompileOptions> = {}): Promise<Artifact> {
  const readFile = (path: string): string | undefined => {
    try {
      return readFileSync(join(GOLDEN, path), 'utf8')
    } catch {
      return undefined
    }
  }
  const result = await compileActor({ entry, mode: 'release', readFile, ...options })
  if (!result.ok) throw new Error(result.diagnostics.map(({ code, message }) => `${code} ${message}`).join('\n'))
  return result.artifact
}

describe('the release target', async () => {
  const wabt = await load()

  test.each(CASES)('makes of %s the module and the interface that it always made', async (entry) => {
    const { wasm, abi } = await compile(entry)
    const module = wabt.readWasm(wasm, { readDebugNames: true })
    module.applyNames()
    const name = entry.replace(/\.actor\.ts$/, '')
    await expect(module.toText({ foldExprs: true, inlineExport: false })).toMatchFileSnapshot(`../golden/${name}.wat`)
    module.destroy()
    const { build: _, ...stable } = abi
    await expect(`${JSON.stringify(stable, null, 2)}\n`).toMatchFileSnapshot(`../golden/${name}.abi.json`)
  })

  test('is the smallest, and every target runs the same interface', async () => {
    const size = async (optimize: 'size' | 'balanced' | 'speed') =>
      (await compile('tally.actor.ts', { optimize })).wasm.length
    const smallest = await size('size')
    expect(await size('balanced')).toBeGreaterThanOrEqual(smallest)
    expect(await size('speed')).toBeGreaterThan(smallest)
  })
})

test('the debug target has names and a source map', async () => {
  expect(targetOptions('debug')).toMatchObject({ optimizeLevel: 0, debug: true, sourceMap: true })
  const { wasm, sourceMap } = await compile('tally.actor.ts', { mode: 'debug' })
  expect(
    WebAssembly.Module.customSections(new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>), 'name'),
  ).toHaveLength(1)
  expect((JSON.parse(sourceMap!) as { sources: string[] }).sources).toContain('tally.actor.ts')
})

test('only features that the FVM has are on', () => {
  for (const target of ['release', 'debug', 'balanced', 'speed'] as const) {
    expect(targetOptions(target).enable).toEqual([
      'bulk-memory',
      'sign-extension',
      'nontrapping-f2i',
      'mutable-globals',
    ])
  }
})
