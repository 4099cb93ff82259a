/**
 * `npm run test:deep`: the long tiers of the simulation (`test/simulation/deep.ts`) and its planted bugs, networks of processes and of
 * hosts, then every fuzz target for its part of `TROUPE_DEEP_SECONDS` (default 600), 10,000 random messages in two processes, and,
 * where `TROUPE_ORACLE` names the reference, random vectors made with it. One JSON line each; exit status 1 when anything was found. `TROUPE_DEEP_SEED` (default: the day) is the seed of all.
 */
import { spawnSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { compareProcesses } from './determinism.mjs'
import { bundle, fuzz } from './run.mjs'

const DAY_MS = 86_400_000
const MESSAGES = 10_000
const WARM_UP = 2000
/** In two threads each, as what they run must not depend on the thread. */
const TWICE = ['syscalls', 'actors', 'recursion', 'optimised-frames']

const seconds = Number(process.env.TROUPE_DEEP_SECONDS ?? 600)
const seed = Number(process.env.TROUPE_DEEP_SEED ?? Math.floor(Date.now() / DAY_MS))
const file = await bundle('worker')
const { TARGETS } = await import(pathToFileURL(await bundle('targets')).href)
let findings = 0
for (const script of [
  ['test/simulation/run.mjs', 'deep-tiers'],
  ['test/simulation/mutations.mjs'],
]) {
  if (spawnSync(process.execPath, script, { stdio: 'inherit' }).status !== 0) findings++
}
const networks = spawnSync('npx', ['vitest', 'run', 'test/e2e/processes.test.ts', 'test/e2e/namespaces.test.ts'], {
  stdio: 'inherit',
  env: { ...process.env, TROUPE_DEEP: '1' },
})
if (networks.status !== 0) findings++
for (const { name } of TARGETS) {
  findings += await fuzz(file, name, { seconds: seconds / TARGETS.length, seed, twice: TWICE.includes(name) })
}
if (!(await compareProcesses({ messages: MESSAGES, seed, warmUp: WARM_UP }))) findings++
if (process.env.TROUPE_ORACLE === undefined) {
  process.stdout.write(`${JSON.stringify({ conformance: 'skipped: TROUPE_ORACLE names no reference' })}\n`)
} else {
  const { status } = spawnSync(process.execPath, ['test/conformance/fuzz.mjs', '--seed', String(seed), '--count', '1000'], {
    stdio: 'inherit',
  })
  if (status !== 0) findings++
}
process.exit(findings === 0 ? 0 : 1)
