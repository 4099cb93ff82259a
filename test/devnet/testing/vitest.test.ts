import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { ownBundlePath } from '../../../devnet/testing/genesis.ts'
import { PROJECT, run, runProject } from './project.ts'

const reason = ownBundlePath() === undefined ? ' (skipped: no dist/actors.car, run npm run build)' : ''

describe.skipIf(reason !== '')(`a project with the plugin${reason}`, () => {
  test('passes its tests, cold and warm, and prints gas per method', async () => {
    rmSync(join(PROJECT, '.troupe'), { recursive: true, force: true })
    const cold = await runProject('test/**/*.test.ts', { TROUPE_GAS: '1' })
    expect(cold.output).toContain('Tests  24 passed')
    expect(cold.status).toBe(0)
    expect(cold.output).toMatch(/method\s+calls\s+min\s+median\s+max\n/)
    expect(cold.output).toMatch(/Counter\.increment\s+\d+\s+[\d,]+\s+2,\d{3},\d{3}/)

    const last = JSON.parse(readFileSync(join(PROJECT, '.troupe', 'runs', 'last.json'), 'utf8'))
    expect(last.modules).toHaveLength(4)
    expect(last.gas.map(({ label }: { label: string }) => label)).toContain('Shop.buy')

    const warm = await runProject('test/**/*.test.ts')
    expect(warm.output).toContain('Tests  24 passed')
    // Without the flag of `troupe test`, the medians alone.
    expect(warm.output).toMatch(/method\s+gas\n/)
    expect(warm.output).toMatch(/Counter\.increment\s+2,\d{3},\d{3}\n/)
  }, 240_000)

  test('shows where in the source an actor failed', async () => {
    const { output, status } = await runProject('failing/stacks.test.ts')
    expect(status).toBe(1)
    const places = [...output.matchAll(/❯ (.*?) ?((?:actors|failing)\/[\w.]+:\d+:\d+)/g)].map(([, name, place]) =>
      `${name} ${place}`.trim(),
    )
    expect(places).toEqual([
      // require in a private method
      'Shop.sell actors/shop.actor.ts:41:5',
      'Shop.buy actors/shop.actor.ts:35:5',
      'failing/stacks.test.ts:15:19',
      // an index out of range, which the standard library finds
      'Shop.buy actors/shop.actor.ts:34:18',
      'failing/stacks.test.ts:19:19',
      // a trap
      'Shop.divide actors/shop.actor.ts:59:46',
      'failing/stacks.test.ts:23:19',
      // a constructor
      'Shop.constructor actors/shop.actor.ts:22:25',
      'failing/stacks.test.ts:27:11',
      // an actor that was called by another
      'Token.debit actors/token.actor.ts:109:5',
      'Token.transfer actors/token.actor.ts:51:22',
      'Shop.reward actors/shop.actor.ts:54:12',
      'failing/stacks.test.ts:31:19',
      // a matcher
      'failing/stacks.test.ts:35:40',
    ])
    expect(output).toContain('Shop.buy exited with 24 (AssertionFailed): Index out of range')
    expect(output).toContain('require(msg.value == item.price, "wrong price")')
    expect(output).toContain(
      'expected the call to exit with Forbidden, but Shop.buy exited with 16 (IllegalArgument): wrong price',
    )
  })

  test('fails a suite whose actor does not compile, at the place in the actor', async () => {
    const { output, status } = await runProject('failing/compile.test.ts')
    expect(status).toBe(1)
    expect(output).toContain('error TRP-2031: `f64` cannot be encoded (state.total).')
    expect(output).toContain('actors/broken.actor.ts:5:10')
    expect(output).toContain('  5 |   total: f64 = 0;')
    expect(output).toContain('fix: use an integer or `TokenAmount`')
    expect(output).not.toContain('devnet/testing')
  })

  test('covers the lines of actors', async () => {
    const { output } = await runProject('test/world.test.ts', { FIXTURE_COVERAGE: 'own' }, '--coverage')
    expect(output).toMatch(/actors\/counter\.actor\.ts\s+100 %\s+100 %\s+100 %/)
    expect(output).toMatch(/actors\/shop\.actor\.ts\s+9\d\.\d+ %.* {2}59\n/)
    expect(existsSync(join(PROJECT, 'coverage', 'lcov.info'))).toBe(true)
    rmSync(join(PROJECT, 'coverage'), { recursive: true, force: true })
  })

  test('adds the lines of actors to what v8 knows of TypeScript', async () => {
    const { output, status } = await runProject(
      'covered/both.test.ts',
      {},
      '--coverage',
      '--coverage.reporter=json',
      '--coverage.reporter=text',
    )
    expect(status).toBe(0)
    expect(output).toContain('Coverage enabled with v8')
    // Neither `get` nor the dear price was reached.
    expect(output).toMatch(/counter\.actor\.ts .*\| 18-19 *\n/)
    expect(output).toMatch(/prices\.ts .*\| 3 *\n/)
    const file = join(PROJECT, 'coverage', 'coverage-final.json')
    const report = JSON.parse(readFileSync(file, 'utf8')) as Record<string, { s: Record<string, number> }>
    const countsOf = (path: string) => Object.values(report[join(PROJECT, path)]!.s)
    for (const path of ['actors/counter.actor.ts', 'covered/prices.ts']) {
      expect(countsOf(path)).toContain(0)
      expect(countsOf(path).some((count) => count > 0)).toBe(true)
    }
    rmSync(join(PROJECT, 'coverage'), { recursive: true, force: true })
  })
})

test('the types of actors, handles and matchers are those of the source', async () => {
  const tsc = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url))
  const { output, status } = await run(tsc, ['--noEmit', '-p', join(PROJECT, 'tsconfig.json')])
  expect(output).toBe('')
  expect(status).toBe(0)
})
