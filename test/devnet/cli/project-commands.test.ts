import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readCar } from '../../../devnet/ipld/car.ts'
import { formatCid } from '../../../devnet/ipld/cid.ts'
import { readBundle } from '../../../devnet/node/bundle.ts'
import { openStore } from '../../../devnet/node/store.ts'
import { CALLER, COUNTER, makeProject, run, runJson, startDevnet, type TestProject } from './cli-fixture.ts'

const BROKEN = COUNTER.replace('count: u64 = 0', 'count: f64 = 0')

let project: TestProject
const json = (...words: string[]) => runJson(project.root, ...words)

beforeAll(() => {
  project = makeProject({ 'actors/counter.actor.ts': COUNTER, 'actors/caller.actor.ts': CALLER })
})
afterAll(() => project.remove())

describe('build', () => {
  test('writes wasm, ABI and the debug twin with its map, and says what changed', async () => {
    const first = await json('build')
    expect(first.data.actors.map(({ actor, delta }: Record<string, unknown>) => [actor, delta])).toEqual([
      ['Caller', null],
      ['Counter', null],
    ])
    const [, counter] = first.data.actors
    expect(counter).toMatchObject({
      file: 'actors/counter.actor.ts',
      code: expect.stringMatching(/^bafk/),
      imports: expect.arrayContaining(['ipld.block_open']),
    })
    expect(counter.methods.map(({ name }: { name: string }) => name)).toEqual(['Constructor', 'Increment', 'Get'])
    for (const path of [counter.wasm, counter.abi, counter.sourceMap])
      expect(existsSync(join(project.root, path)), path).toBe(true)
    const map = JSON.parse(readFileSync(join(project.root, counter.sourceMap), 'utf8'))
    expect(map).toMatchObject({ version: 3 })

    project.write('actors/counter.actor.ts', COUNTER.replace('this.count += by', 'this.count = this.count + by + 0'))
    const second = await json('build', 'Counter', '--release')
    expect(second.data.actors).toEqual([
      expect.objectContaining({ actor: 'Counter', delta: expect.any(Number), sourceMap: null }),
    ])
    project.write('actors/counter.actor.ts', COUNTER)
    expect((await run(project.root, 'build', 'Counter')).stdout).toMatch(
      /^Counter +[\d,]+ B \([\d,]+ gzip\) +3 methods +\d+ imports/,
    )
  })

  test('of what does not compile ends with 4 and the place', async () => {
    const broken = makeProject({ 'actors/counter.actor.ts': BROKEN })
    const { status, error } = await runJson(broken.root, 'build')
    expect(status).toBe(4)
    expect(error).toMatchObject({
      code: 'TRP-2031',
      file: 'actors/counter.actor.ts',
      line: expect.any(Number),
      column: expect.any(Number),
      fix: expect.any(String),
    })
    expect(error.data.diagnostics[0]).toMatchObject({ severity: 'error', code: 'TRP-2031' })
    const { stderr, stdout } = await run(broken.root, 'check')
    expect(stdout).toBe('')
    expect(stderr).toMatch(/count: f64 = 0[\s\S]*\^\^\^/)
    broken.remove()
  })
})

describe('check', () => {
  test('says nothing of what is right', async () => {
    expect(await json('check')).toMatchObject({ status: 0, data: { actors: ['Caller', 'Counter'], diagnostics: [] } })
  })

  test('refuses a state that would be misread', async () => {
    await json('build', 'Counter', '--release')
    const older = readFileSync(join(project.root, '.troupe/build/Counter.abi.json'), 'utf8')
    project.write('older.abi.json', older)
    expect((await json('check', 'Counter', '--against', 'older.abi.json')).status).toBe(0)
    project.write('older.abi.json', older.replace('"count: u64"', '"count: string"'))
    expect(await json('check', 'Counter', '--against', 'older.abi.json')).toMatchObject({
      status: 4,
      error: { code: 'TRP-6020' },
    })
    expect(await json('check', 'Caller', '--against', 'older.abi.json')).toMatchObject({
      status: 2,
      error: { code: 'TRP-7104' },
    })
    expect(await json('check', '--against', 'package.json')).toMatchObject({ status: 2, error: { code: 'TRP-7107' } })
  })

  test('needs actors, each with a name of its own', async () => {
    const empty = makeProject({})
    expect(await runJson(empty.root, 'check')).toMatchObject({ status: 3, error: { code: 'TRP-7106' } })
    empty.write('actors/a.actor.ts', COUNTER)
    empty.write('actors/b.actor.ts', COUNTER)
    expect(await runJson(empty.root, 'check')).toMatchObject({
      status: 3,
      error: { code: 'TRP-7105', file: 'actors/b.actor.ts' },
    })
    empty.write('troupe.config.ts', 'export default { prot: 1 }')
    expect(await runJson(empty.root, 'check')).toMatchObject({
      status: 3,
      error: { code: 'TRP-7101', fix: 'did you mean port?' },
    })
    empty.remove()
  })
})

describe('inspect', () => {
  test.each([
    ['abi', 'abi', { actor: 'Counter', abi: 1 }],
    [
      'methods',
      'methods',
      [{ name: 'Constructor' }, { name: 'Increment', number: 2922929132 }, { name: 'Get', kind: 'view' }],
    ],
    ['state', 'state', ['count: u64', 'note: string']],
    ['imports', 'imports', expect.arrayContaining(['vm.message_context'])],
    ['wat', 'wat', expect.stringMatching(/^\(module/)],
    ['size', 'largest', expect.arrayContaining([{ name: 'invoke', bytes: expect.any(Number) }])],
  ])('shows %s', async (aspect, key, expected) => {
    const { status, data } = await json('inspect', 'Counter', aspect)
    expect(status).toBe(0)
    expect(data[key]).toEqual(
      typeof expected === 'object' && !('asymmetricMatch' in expected)
        ? Array.isArray(expected)
          ? expected.map((one) => (typeof one === 'string' ? one : expect.objectContaining(one)))
          : expect.objectContaining(expected)
        : expected,
    )
  })

  test.each([
    ['ts', 'export class CounterClient'],
    ['solidity', 'library '],
    ['remote', '@remote'],
    ['rust', 'pub const '],
    ['ipld', 'representation tuple'],
  ])('writes client code as %s', async (form, text) => {
    expect((await run(project.root, 'inspect', 'Counter', 'abi', '--as', form)).stdout).toContain(text)
  })

  test('reads files', async () => {
    await json('build', 'Counter', '--release')
    expect((await json('inspect', '.troupe/build/Counter.abi.json', 'methods')).data.methods).toHaveLength(3)
    expect((await json('inspect', '.troupe/build/Counter.wasm', 'imports')).data.imports).toContain('ipld.block_open')
    expect(await json('inspect', 'actors/counter.actor.ts', 'abi', '-o', 'out.json')).toMatchObject({
      data: { out: 'out.json' },
    })
    expect(JSON.parse(readFileSync(join(project.root, 'out.json'), 'utf8')).actor).toBe('Counter')
  })

  test.each([
    [['inspect'], 'TRP-7003'],
    [['inspect', 'Countr'], 'TRP-7104'],
    [['inspect', 'Counter', 'methds'], 'TRP-7008'],
    [['inspect', 'Counter', 'abi', '--as', 'tss'], 'TRP-7008'],
    [['inspect', 'Counter', 'size', '--as', 'ts'], 'TRP-7008'],
    [['inspect', 'none.wasm', 'size'], 'TRP-7303'],
    [['inspect', 'package.json'], 'TRP-7107'],
    [['inspect', '.troupe/build/Counter.wasm', 'abi'], 'TRP-7108'],
  ])('%j is wrong usage', async (words, code) => {
    expect(await json(...words)).toMatchObject({ status: 2, error: { code } })
  })
})

describe('export', () => {
  test('writes modules as roots', async () => {
    const { data } = await json('export', '-o', 'out/code.car')
    const { roots, blocks } = readCar(readFileSync(join(project.root, 'out/code.car')))
    expect(roots.map(formatCid)).toEqual(data.actors.map(({ code }: { code: string }) => code))
    expect([...blocks]).toHaveLength(2)
  })

  test('writes a genesis bundle that a node reads', async () => {
    const { data } = await json('export', '--bundle')
    expect(data).toMatchObject({ out: 'custom_actors_bundle.car', bundle: true })
    const { manifest } = readBundle(readFileSync(join(project.root, 'custom_actors_bundle.car')))
    expect(manifest.map(({ name }) => name)).toEqual(['caller', 'counter'])
  })
})

describe('gas', () => {
  const lastRun = (median: string) =>
    JSON.stringify({ modules: [], gas: [{ label: 'Counter.increment', count: 2, min: '90', median, max: '2000' }] })

  test('needs a run, then a snapshot', async () => {
    expect(await json('gas')).toMatchObject({ status: 3, error: { code: 'TRP-7401' } })
    project.write('.troupe/runs/last.json', lastRun('1000'))
    expect(await json('gas', 'diff')).toMatchObject({ status: 3, error: { code: 'TRP-7402' } })
  })

  test('is reported, kept, compared and checked', async () => {
    project.write('.troupe/runs/last.json', lastRun('1000'))
    expect((await run(project.root, 'gas', 'report')).stdout).toMatch(/Counter\.increment +2 +90 +1,000 +2,000/)
    expect(await json('gas', 'snapshot')).toMatchObject({ data: { file: '.gas-snapshot.json', methods: 1 } })
    expect(await json('gas', 'check')).toMatchObject({ status: 0, data: { changes: [] } })
    project.write('.troupe/runs/last.json', lastRun('1010'))
    expect(await json('gas', 'diff')).toMatchObject({
      status: 0,
      data: { changes: [{ method: 'Counter.increment', before: '1000', after: '1010', percent: 1 }] },
    })
    expect(await json('gas', 'check')).toMatchObject({ status: 1, ok: false, data: { worse: ['Counter.increment'] } })
    expect((await json('gas', 'check', '--tolerance', '1')).status).toBe(0)
    expect(await json('gas', 'check', '--tolerance', 'x')).toMatchObject({ status: 2, error: { code: 'TRP-7002' } })
    expect((await json('build', 'Counter', '--release')).data.actors[0].methods[1]).toMatchObject({
      name: 'Increment',
      gas: '1010',
    })
  })
})

describe('init', () => {
  test.each(['counter', 'token', 'vault', 'multisig'])(
    'writes the template %s under the name of the folder',
    async (template) => {
      const { status, data } = await json('init', `new/my-${template}`, '--template', template)
      expect(status).toBe(0)
      expect(data.files).toEqual(
        expect.arrayContaining(['.gitignore', 'package.json', 'troupe.config.ts', 'vitest.config.ts', 'tsconfig.json']),
      )
      const manifest = JSON.parse(readFileSync(join(data.folder, 'package.json'), 'utf8'))
      expect(manifest.name).toBe(`my-${template}`)
      expect(manifest.devDependencies.troupe).toMatch(/^\^\d+\.\d+\.\d+/)
      expect(readdirSync(data.folder)).not.toContain('_gitignore')
    },
  )

  test('takes this package from a tarball when it is told to', async () => {
    process.env['TROUPE_PACKAGE'] = join(project.root, 'troupe.tgz')
    const { data } = await json('init', 'from-tarball').finally(() => delete process.env['TROUPE_PACKAGE'])
    const manifest = JSON.parse(readFileSync(join(data.folder, 'package.json'), 'utf8'))
    expect(manifest.devDependencies.troupe).toBe(`file:${join(project.root, 'troupe.tgz')}`)
  })

  test('writes over nothing', async () => {
    mkdirSync(join(project.root, 'mine'))
    writeFileSync(join(project.root, 'mine/README.md'), 'mine')
    expect(await json('init', 'mine')).toMatchObject({ status: 6, error: { code: 'TRP-7204' } })
    const { status, warnings } = await json('init', 'mine', '-y')
    expect([status, warnings]).toEqual([0, ['README.md was there already and stays as it was']])
    expect(readFileSync(join(project.root, 'mine/README.md'), 'utf8')).toBe('mine')
    expect(await json('init', 'other', '--template', 'conter')).toMatchObject({
      status: 2,
      error: { code: 'TRP-7203', fix: 'did you mean counter?' },
    })
  })
})

describe('clean', () => {
  test('removes what can be made again, and the chain only when told twice', async () => {
    const one = makeProject({
      'actors/counter.actor.ts': COUNTER,
      '.troupe/build/x': '',
      '.troupe/logs/x': '',
      '.troupe/state/x': '',
    })
    expect((await runJson(one.root, 'clean')).data.removed).toHaveLength(2)
    expect(existsSync(join(one.root, '.troupe/state'))).toBe(true)
    expect(await runJson(one.root, 'clean', '--state')).toMatchObject({ status: 6, error: { code: 'TRP-8212' } })
    expect((await runJson(one.root, 'clean', '--state', '-y')).data.removed).toEqual([join(one.root, '.troupe/state')])
    one.remove()
  })

  test('leaves the chain of a running devnet alone', async () => {
    const one = makeProject()
    const devnet = await startDevnet(one)
    expect(await runJson(one.root, 'clean', '--state', '-y')).toMatchObject({ status: 6, error: { code: 'TRP-8211' } })
    await devnet.close()
    one.write('.troupe/run.json', '{}')
    const store = openStore(join(one.root, '.troupe/state'))
    expect(await runJson(one.root, 'clean', '--state', '-y')).toMatchObject({ status: 6, error: { code: 'TRP-8211' } })
    await store.close()
    one.remove()
  })
})

describe('doctor', () => {
  test('finds a sound project sound', async () => {
    const { status, data } = await json('doctor')
    const byCheck = Object.fromEntries(
      data.findings.map(({ check, status: found }: Record<string, string>) => [check, found]),
    )
    expect(byCheck).toMatchObject({
      node: 'ok',
      compiler: 'ok',
      bundle: 'ok',
      lmdb: 'ok',
      config: 'ok',
      actors: 'ok',
      state: 'ok',
    })
    expect(status).toBe(0)
  })

  test('names what is wrong and the cure', async () => {
    const sick = makeProject({ 'troupe.config.ts': 'export default { prot: 1 }', '.gitignore': 'node_modules\n' })
    const config = await runJson(sick.root, 'doctor')
    expect(config.status).toBe(1)
    expect(config.data.findings).toContainEqual({
      check: 'config',
      status: 'fail',
      detail: expect.any(String),
      fix: 'did you mean port?',
    })
    sick.write('troupe.config.ts', 'export default {}')
    sick.write('.troupe/state/chain.mdb', 'this is no database'.repeat(1000))
    const rest = await runJson(sick.root, 'doctor')
    expect(rest.status).toBe(1)
    expect(rest.data.findings).toContainEqual(
      expect.objectContaining({ check: 'state', status: 'fail', fix: 'troupe dev --reset begins a new chain' }),
    )
    expect(rest.data.findings).toContainEqual(expect.objectContaining({ check: '.gitignore', status: 'warn' }))
    sick.remove()
  })
})
