import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeProject, runJson, type TestProject } from '../cli-fixture.ts'

let project: TestProject

beforeAll(() => {
  project = makeProject({
    'actors/.keep': '',
    'vitest.config.mjs': 'export default { test: { globals: true } }\n',
    'test/env.test.js': `
      test('sees what our flags become', () => {
        const { TROUPE_GAS, TROUPE_SEED } = process.env
        expect([TROUPE_GAS, TROUPE_SEED]).toEqual(['1', '7'])
      })
      test('fails', () => { throw new Error('on purpose') })
    `,
  })
})
afterAll(() => project.remove())

test('what passes ends with 0, and foreign flags reach vitest', async () => {
  const { status, ok, data } = await runJson(project.root, 'test', '--gas', '--seed', '7', '-t', 'sees')
  expect({ status, ok, data }).toEqual({
    status: 0,
    ok: true,
    data: { total: 2, passed: 1, failed: 0, skipped: 1, failures: [] },
  })
})

test('what fails ends with the status of vitest and says why', async () => {
  const { status, ok, data } = await runJson(project.root, 'test', '-t', 'fails')
  expect([status, ok]).toEqual([1, false])
  expect(data.failures).toEqual([
    { file: expect.stringContaining('env.test.js'), test: 'fails', message: expect.stringContaining('on purpose') },
  ])
})

test('a seed that is no number is wrong usage', async () => {
  expect(await runJson(project.root, 'test', '--seed', 'x')).toMatchObject({ status: 2, error: { code: 'TRP-7002' } })
})
