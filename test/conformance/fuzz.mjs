/**
 * `npm run conformance:fuzz -- --seed n [--count n] [--first n] [--kind script|module] [--keep dir]`: random vectors made
 * by the reference with its two generators, then applied by our engine. `TROUPE_ORACLE` names the oracle's binary,
 * `TROUPE_ORACLE_CASES` its folder `cases`. One JSON line a kind; exit status 1 when something differs, and the vectors that
 * do are kept.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'

const CHUNK = 1000
const WORKER = resolve('node_modules/.cache/troupe-conformance/worker.cjs')

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    count: { type: 'string', default: '1000' },
    first: { type: 'string', default: '0' },
    kind: { type: 'string' },
    keep: { type: 'string', default: 'conformance-failures' },
  },
})
const oracle = process.env.TROUPE_ORACLE
const script = join(process.env.TROUPE_ORACLE_CASES ?? '../shared/oracle/cases', 'fuzz-script.mjs')
if (oracle === undefined || !existsSync(oracle)) fail('TROUPE_ORACLE names no file: build the oracle, then point there')
if (!existsSync(script)) fail(`${script} does not exist: TROUPE_ORACLE_CASES names the oracle's folder of cases`)
const [seed, count, first] = [values.seed, values.count, values.first].map(Number)
if (!Number.isSafeInteger(seed) || !(count > 0) || !(first >= 0)) fail('--seed n [--count n] [--first n]')

await build({
  entryPoints: ['test/conformance/worker.ts'],
  bundle: true,
  platform: 'node',
  format: 'cjs',
  outfile: WORKER,
  external: ['secp256k1'],
  logLevel: 'error',
})
let differences = 0
for (const kind of values.kind === undefined ? ['script', 'module'] : [values.kind]) differences += await round(kind)
process.exit(differences === 0 ? 0 : 1)

async function round(kind) {
  const totals = { kind, seed, first, count: 0, passed: 0, failed: [] }
  for (let from = first; from < first + count; from += CHUNK) {
    const size = Math.min(CHUNK, first + count - from)
    const folder = mkdtempSync(join(tmpdir(), 'troupe-fuzz-'))
    try {
      const out = join(folder, kind)
      mkdirSync(out)
      if (kind === 'script') makeScripts(folder, out, from, size)
      else oracleRun(['fuzz', String(seed), String(size), out, String(from)])
      const { passed, failed } = await applyAll(folder)
      totals.count += readdirSync(out).length
      totals.passed += passed
      totals.failed.push(...failed)
      keep(out, failed)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  process.stdout.write(`${JSON.stringify(totals)}\n`)
  return totals.failed.length
}

function makeScripts(folder, out, from, size) {
  const cases = join(folder, 'cases.jsonl')
  const file = openSync(cases, 'w')
  check(spawnSync(process.execPath, [script, String(seed), String(size), String(from)], { stdio: ['ignore', file, 'inherit'] }))
  oracleRun(['build', cases, out])
  rmSync(cases)
}

/** The reference tells of its own panics on stderr; what matters is in the vectors. */
function oracleRun(args) {
  check(spawnSync(oracle, args, { stdio: ['ignore', 'ignore', 'pipe'] }))
}

function check({ status, stderr }) {
  if (status !== 0) fail(`the oracle ended with ${status}: ${String(stderr ?? '').slice(-400)}`)
}

function applyAll(folder) {
  return new Promise((done, reject) => {
    const worker = new Worker(WORKER, {
      workerData: { folder },
      resourceLimits: { stackSizeMb: 256, maxOldGenerationSizeMb: 8192 },
    })
    worker.once('message', done)
    worker.once('error', reject)
  })
}

function keep(out, failed) {
  if (failed.length === 0) return
  mkdirSync(values.keep, { recursive: true })
  for (const line of failed) {
    const name = `${line.split(':')[0]}.json.gz`
    if (existsSync(join(out, name))) copyFileSync(join(out, name), join(values.keep, name))
    process.stderr.write(`${line.slice(0, 400)}\n`)
  }
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}
