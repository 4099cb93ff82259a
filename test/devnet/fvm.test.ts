/** The example of README.md, as it stands there, over our own built-in actors and over genuine ones. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findPackageRoot } from '../../devnet/node/package-root.ts'

const root = findPackageRoot()
const ours = join(root, 'dist', 'actors.car')
const genuine = process.env['TROUPE_BUNDLE'] ?? ''

function exampleOf(document: string): string {
  const text = readFileSync(join(root, document), 'utf8')
  return text
    .split('```ts\n')
    .find((block) => block.includes("from 'troupe/fvm'"))!
    .split('```')[0]!
}

describe('the example of the engine as a library', () => {
  let folder: string
  let script: string

  beforeAll(async () => {
    // Where the packages are found that the engine uses.
    const cache = join(root, 'node_modules', '.cache')
    mkdirSync(cache, { recursive: true })
    folder = mkdtempSync(join(cache, 'troupe-fvm-'))
    script = join(folder, 'example.mjs')
    await build({
      stdin: { contents: exampleOf('README.md'), loader: 'ts', resolveDir: root },
      alias: { 'troupe/fvm': join(root, 'devnet', 'fvm.ts') },
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      logLevel: 'error',
    })
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test.skipIf(!existsSync(ours))('prints the charges, which add up to the gas', () => {
    const { charges, end } = run(ours)
    expect(charges.map(([name]) => name)).toContain('OnCreateActor')
    const sum = charges.reduce((total, [, milligas]) => total + Number(milligas), 0)
    expect(end).toContain(`exitCode: 0, gasUsed: ${Math.ceil(sum / 1000)}n`)
  })

  test.skipIf(!existsSync(genuine))('does so with genuine actors (set TROUPE_BUNDLE)', () => {
    expect(run(genuine).end).toContain('exitCode: 0')
  })

  function run(bundle: string): { readonly charges: readonly (readonly string[])[]; readonly end: string } {
    const { stdout, stderr } = spawnSync(process.execPath, [script, bundle], { encoding: 'utf8' })
    expect(stderr).toBe('')
    const [charges, end] = stdout.split('{')
    return {
      charges: charges!
        .trim()
        .split('\n')
        .map((line) => line.split(' ')),
      end: end!.replace(/\s+/g, ' '),
    }
  }
})
