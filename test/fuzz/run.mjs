/**
 * `npm run fuzz -- <target>… [--seconds n] [--seed n]`: random inputs for the targets of `targets.ts`, or all of them, in a
 * thread with the stack that the engine wants. One JSON line a target; a finding comes with the command that repeats it:
 * `--first n --count n` runs just these executions, and `--keep file` writes the input of the last finding. `--input file` runs
 * that input, once or `--count` times.
 *
 * With `--twice` the executions run in two threads, the second from the last to the first, and their outcomes must agree.
 */
import { parseArgs } from 'node:util'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'

const FOLDER = 'node_modules/.cache/troupe-fuzz'
/** An input that takes longer hangs. */
const INPUT_SECONDS = 60

/** Bundles `test/fuzz/<name>.ts` and answers the bundle's path. */
export async function bundle(name) {
  const outfile = resolve(FOLDER, `${name}.mjs`)
  await build({
    entryPoints: [`test/fuzz/${name}.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'error',
  })
  return outfile
}

/** Runs a range of one target in a thread of its own. */
export function runThread(file, options) {
  const progress = new SharedArrayBuffer(8)
  const current = new BigInt64Array(progress)
  const input = { count: null, first: 0, isBackwards: false, keep: null, input: null, corpus: resolve('test/fuzz/corpus'), ...options, progress }
  return new Promise((done) => {
    let last = -1n
    const fail = (message) => done({ executions: 0, digest: '', findings: [{ index: Number(current[0]), message }] })
    const worker = new Worker(file, {
      workerData: input,
      execArgv: ['--enable-source-maps'],
      resourceLimits: { stackSizeMb: 256, maxOldGenerationSizeMb: 4096 },
    })
    const watch = setInterval(() => {
      const now = Atomics.load(current, 0)
      if (now === last) {
        fail(`an input takes more than ${INPUT_SECONDS} s`)
        worker.terminate()
      }
      last = now
    }, INPUT_SECONDS * 1000)
    worker.once('message', done)
    worker.once('error', (error) => fail(error.stack ?? String(error)))
    worker.once('exit', (code) => {
      clearInterval(watch)
      if (code !== 0) fail(`the thread ended with ${code}`)
    })
  })
}

/** Fuzzes one target, prints its line, and answers how many findings there were. */
export async function fuzz(file, target, { seconds, seed, first = 0, count = null, keep = null, input = null, twice = false }) {
  const started = performance.now()
  const range = { target, seed, first, keep, input }
  const forwards = await runThread(file, { ...range, count, seconds: twice ? seconds / 2 : seconds })
  let { executions } = forwards
  const findings = [...forwards.findings]
  if (twice && findings.length === 0) {
    const backwards = await runThread(file, { ...range, count: executions, seconds: Number.POSITIVE_INFINITY, isBackwards: true })
    findings.push(...backwards.findings)
    if (backwards.digest !== forwards.digest) findings.push({ index: first, message: 'two threads differ' })
    executions += backwards.executions
  }
  const took = Math.round((performance.now() - started) / 100) / 10
  process.stdout.write(`${JSON.stringify({ target, seed, first, executions, seconds: took, findings: findings.length })}\n`)
  for (const { index, message } of findings) {
    process.stderr.write(`${message}\n  again: npm run fuzz -- ${target} --seed ${seed} --first ${index} --count 1\n`)
  }
  return findings.length
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '30' },
      seed: { type: 'string', default: '1' },
      first: { type: 'string', default: '0' },
      count: { type: 'string' },
      keep: { type: 'string' },
      input: { type: 'string' },
      twice: { type: 'boolean', default: false },
    },
  })
  const file = await bundle('worker')
  const names = (await import(pathToFileURL(await bundle('targets')).href)).TARGETS.map(({ name }) => name)
  const unknown = positionals.filter((name) => !names.includes(name))
  if (unknown.length > 0) {
    process.stderr.write(`there is no target ${unknown.join(', ')}; there are ${names.join(', ')}\n`)
    process.exit(2)
  }
  let findings = 0
  for (const target of positionals.length > 0 ? positionals : names) {
    findings += await fuzz(file, target, {
      seconds: Number(values.seconds),
      seed: Number(values.seed),
      first: Number(values.first),
      count: values.count === undefined ? (values.input === undefined ? null : 1) : Number(values.count),
      keep: values.keep ?? null,
      input: values.input ?? null,
      twice: values.twice,
    })
  }
  process.exit(findings === 0 ? 0 : 1)
}
