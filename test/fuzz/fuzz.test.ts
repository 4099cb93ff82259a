/** A short round of every fuzz target: what the corpus holds, then a few inputs that are always the same. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readCorpus } from './corpus.ts'
import { Random } from './random.ts'
import { inputOf, type Target } from './target.ts'
import { TARGETS } from './targets.ts'

const CORPUS = fileURLToPath(new URL('./corpus', import.meta.url))
const SEED = 20_261_124

/** How many inputs take about a second; machines are made for those of the last two. */
const EXECUTIONS: Readonly<Record<string, number>> = {
  'wasm-reader': 400,
  instrumenter: 120,
  syscalls: 25,
  actors: 25,
  recursion: 4,
  'optimised-frames': 1,
  'dag-cbor': 4000,
  hamt: 1200,
  amt: 300,
  car: 4000,
  values: 2000,
  comet: 1000,
}

describe.each(TARGETS.map((target) => [target.name, target] as const))('%s', (name, target) => {
  const corpus = readCorpus(CORPUS, name)

  test.each(corpus.map((input) => [input.name, input.bytes] as const))('%s', async (_, bytes) => {
    expect(await findingOf(target, bytes)).toBeNull()
  })

  test('random inputs', async () => {
    const inputs = corpus.map(({ bytes }) => bytes)
    const findings: string[] = []
    for (let index = 0; index < EXECUTIONS[name]!; index++) {
      const message = await findingOf(target, inputOf(target, inputs, SEED, index))
      if (message !== null)
        findings.push(`${message}; npm run fuzz -- ${name} --seed ${SEED} --first ${index} --count 1`)
    }
    expect(findings).toEqual([])
  })

  test('the same input has the same outcome', async () => {
    const input = inputOf(target, [], SEED, 1)
    expect(await target.run(Uint8Array.from(input))).toBe(await target.run(input))
  })
})

async function findingOf(target: Target, input: Uint8Array): Promise<string | null> {
  try {
    await target.run(input)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : JSON.stringify(error)
  }
}

test('chance follows from seed and index', () => {
  const drawn = (seed: number, index: number) =>
    Array.from(
      { length: 4 },
      (
        (random) => () =>
          random.u32()
      )(new Random(seed, index)),
    )
  expect(drawn(1, 2)).toEqual(drawn(1, 2))
  expect(new Set([drawn(1, 2), drawn(2, 1), drawn(1, 3), drawn(1, 2 ** 33)].map(String)).size).toBe(4)
})

test.each([
  ['recursion', 8, ['--seed', '1', '--count', '8']],
  ['optimised-frames', 1, ['--input', join(CORPUS, 'optimised-frames', 'found-baseline-is-smaller.bin')]],
])(
  'code that takes all the stack there is ends at the same place: %s',
  (target, executions, options) => {
    const script = fileURLToPath(new URL('./run.mjs', import.meta.url))
    const { stdout, stderr } = spawnSync(process.execPath, [script, target, ...options], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({ executions, findings: 0 })
  },
  240_000,
)

test('two processes with different pasts give equal roots', () => {
  const script = fileURLToPath(new URL('./determinism.mjs', import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '300', '3', '100'], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toMatchObject({ messages: 300, blocks: 3, roots: 3, isSame: true })
  expect(status).toBe(0)
})
