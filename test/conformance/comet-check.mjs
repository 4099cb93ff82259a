/**
 * `npm run conformance:comet -- --seed n [--count n] [--verbose]`: what we make at random, judged by the genuine CometBFT library
 * and by us. `TROUPE_COMET_ORACLE` names the oracle's binary (`go build .` in its folder). Exit status 1 when we differ.
 */
import { spawnSync } from 'node:child_process'
import { build } from 'esbuild'

const OUT = 'node_modules/.cache/troupe-conformance/comet-check.mjs'
await build({
  entryPoints: ['test/conformance/comet-check.ts'],
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  outfile: OUT,
  logLevel: 'error',
})
const { status } = spawnSync(process.execPath, [OUT, ...process.argv.slice(2)], { stdio: 'inherit' })
process.exit(status ?? 70)
