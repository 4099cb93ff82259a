/**
 * Every figure that the project claims, one line of JSON each. `node test/bench/run.mjs [name…]` from the package root,
 * after `npm run build`; the names are in `main.ts`, and `metering` beside them. On an idle machine.
 */
import { spawnSync } from 'node:child_process'
import { build } from 'esbuild'

const OUT = 'node_modules/.cache/troupe-bench/main.mjs'
const wanted = process.argv.slice(2)
const others = wanted.filter((name) => name !== 'metering')

if (wanted.length === 0 || others.length > 0) {
  await build({
    entryPoints: ['test/bench/main.ts'],
    outfile: OUT,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
  })
  run(...(process.env['PROFILE'] === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${process.env['PROFILE']}`]), OUT, ...others)
}
if (wanted.length === 0 || wanted.includes('metering')) run('test/bench/metering.mjs')

function run(...args) {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 70)
}
