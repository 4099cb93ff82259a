import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CATALOGUE } from '../../../compiler/catalogue.ts'
import { EXPLANATIONS } from '../../../devnet/cli/explain-table.ts'
import { findPackageRoot } from '../../../devnet/node/package-root.ts'
import { run, runJson } from './cli-fixture.ts'

const root = findPackageRoot()

/** Every TRP-nnnn that a source says, and the files that say it. */
function codesInSources(): Map<string, string[]> {
  const codes = new Map<string, string[]>()
  const visit = (path: string): void => {
    if (statSync(join(root, path)).isDirectory())
      for (const name of readdirSync(join(root, path))) visit(join(path, name))
    else if (path.endsWith('.ts') && !path.endsWith('.actor.ts')) {
      for (const [, code] of readFileSync(join(root, path), 'utf8').matchAll(/TRP-(\d{4})/g))
        codes.set(code!, [...(codes.get(code!) ?? []), path])
    }
  }
  for (const folder of ['compiler', 'devnet']) visit(folder)
  return codes
}

test('every code in the sources is explained once', () => {
  const missing = [...codesInSources()].filter(([code]) => !(code in CATALOGUE) && !(code in EXPLANATIONS))
  expect(missing).toEqual([])
  expect(Object.keys(EXPLANATIONS).filter((code) => code in CATALOGUE)).toEqual([])
  const table = readFileSync(join(root, 'devnet/cli/explain-table.ts'), 'utf8')
  const keys = [...table.matchAll(/^ {2}(\d{4}): entry/gm)].map(([, code]) => code)
  expect(keys).toEqual([...new Set(keys)].sort())
  expect(keys).toHaveLength(Object.keys(EXPLANATIONS).length)
})

test('every explained code is said somewhere', () => {
  const said = codesInSources()
  expect(Object.keys(EXPLANATIONS).filter((code) => !said.has(code))).toEqual([])
})

test.each(['TRP-2031', 'trp-2031', '2031'])('%s is found', async (word) => {
  expect(await runJson('.', 'explain', word)).toMatchObject({
    status: 0,
    data: { code: 'TRP-2031', severity: 'error', fix: 'use an integer or `TokenAmount`' },
  })
})

test('a code of the node has a cure', async () => {
  expect((await run('.', 'explain', '8402')).stdout).toMatch(
    /^TRP-8402 \(error\)\nNothing answers.*\nfix: Start a devnet/,
  )
})

test('without a code all are listed', async () => {
  const { codes } = (await runJson('.', 'explain')).data
  expect(codes).toHaveLength(Object.keys(CATALOGUE).length + Object.keys(EXPLANATIONS).length)
})

test.each(['TRP-1', '0000', 'AS100', 'nonsense'])('%s is no code of ours', async (word) => {
  expect(await runJson('.', 'explain', word)).toMatchObject({ status: 2, error: { code: 'TRP-7007' } })
})
