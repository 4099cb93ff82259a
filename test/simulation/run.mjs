/** Bundles `main.ts` and runs it; see there. */
import { spawnSync } from 'node:child_process'
import { build } from 'esbuild'

const OUT = 'node_modules/.cache/troupe-simulation/main.mjs'
await build({
  entryPoints: ['test/simulation/main.ts'],
  outfile: OUT,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  sourcemap: 'inline',
})
const { status } = spawnSync(process.execPath, ['--enable-source-maps', OUT, ...process.argv.slice(2)], { stdio: 'inherit' })
process.exit(status ?? 70)
