import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openBuildRoot } from '../../../devnet/reload/project.ts'
import { BuildFailedError, buildActor, buildTwin, isBuilt } from '../../../devnet/testing/build.ts'
import { type TwinFile, twinPath } from '../../../devnet/testing/build-files.ts'

const root = mkdtempSync(join(tmpdir(), 'troupe-builds-'))
const project = { root, dataFolder: join(root, '.troupe'), config: {} }
const folder = join(root, '.troupe', 'build')
const ENTRY = 'actors/gate.actor.ts'
const source = (body: string) => `import { actor, method, view } from "troupe/actor";
import { LIMIT } from "./limit.lib";
export enum Phase { Open, Closed = 5, Gone }
@actor export class Gate {
  @method("OpenWide") open(by: u32): u32 { ${body} }
  @view limit(): u32 { return LIMIT; }
}
`

mkdirSync(join(root, 'actors'))
writeFileSync(join(root, 'actors', 'limit.lib.ts'), 'export const LIMIT: u32 = 3;\n')
writeFileSync(join(root, ENTRY), source('return by;'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('a build is found again until one of its sources changes', async () => {
  expect(isBuilt(project, ENTRY)).toBe(false)
  const built = await buildActor(project, ENTRY)
  expect(built.names).toEqual({ OpenWide: 'open' })
  expect(built.enums).toEqual({ Phase: { Open: 0, Closed: 5, Gone: 6 } })
  expect([...built.sources].sort()).toEqual([ENTRY, 'actors/limit.lib.ts'])
  expect(isBuilt(project, ENTRY)).toBe(true)
  expect(await buildActor(project, ENTRY)).toEqual(built)

  writeFileSync(join(root, 'actors', 'limit.lib.ts'), 'export const LIMIT: u32 = 4;\n')
  expect(isBuilt(project, ENTRY)).toBe(false)
  const next = await buildActor(project, ENTRY)
  expect(next.key).not.toBe(built.key)
  expect(next.wasm).not.toEqual(built.wasm)
})

test('a twin has names and a source map, and is compiled once', async () => {
  const { key } = await buildActor(project, ENTRY)
  const place = { root, entry: ENTRY, folder, key }
  await buildTwin(place)
  const { map, wasm } = JSON.parse(readFileSync(twinPath(place), 'utf8')) as TwinFile
  expect(JSON.parse(map).sources).toContain(ENTRY)
  expect(WebAssembly.Module.customSections(new WebAssembly.Module(Buffer.from(wasm, 'base64')), 'name')).toHaveLength(1)
  const { mtimeMs } = statSync(twinPath(place))
  await buildTwin(place)
  expect(statSync(twinPath(place)).mtimeMs).toBe(mtimeMs)
})

test('what does not compile is not kept', async () => {
  writeFileSync(join(root, ENTRY), source('return "text";'))
  const error = await buildActor(project, ENTRY).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(BuildFailedError)
  expect((error as BuildFailedError).diagnostics[0]).toMatchObject({ file: ENTRY, line: 5 })
  expect(isBuilt(project, ENTRY)).toBe(false)
})

test('a build is the one that is deployed: as the config of the project says', async () => {
  writeFileSync(join(root, ENTRY), source('return by;'))
  writeFileSync(join(root, 'troupe.config.ts'), 'export default { compiler: { sizeLimit: 1 } }\n')
  const configured = await openBuildRoot(root, project.dataFolder)
  const error = await buildActor(configured, ENTRY).catch((error: unknown) => error)
  expect((error as BuildFailedError).diagnostics).toMatchObject([{ code: 'TRP-6006' }])
})

test.each([
  ["import { defineConfig } from 'troupe'\nexport default defineConfig({ port: 1 })\n", {}],
  ["import { base } from './base.ts'\nexport default base\n", { compiler: { strict: true } }],
  ["export { base as default } from './base.ts'\n", { compiler: { strict: true } }],
])('only a config that may say how to compile is loaded', async (text, config) => {
  writeFileSync(join(root, 'base.ts'), 'export const base = { compiler: { strict: true } }\n')
  writeFileSync(join(root, 'troupe.config.ts'), text)
  expect((await openBuildRoot(root, project.dataFolder)).config).toEqual(config)
})
