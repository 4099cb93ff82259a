/**
 * Builds the package: JavaScript for Node into dist/, then the system actors' bundle with what was just built.
 * Runs on `npm ci` (prepare), so it needs nothing but installed dependencies. Type declarations are made when packing.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { build } from 'esbuild'

const ENTRIES = {
  'devnet/index': 'devnet/index.ts',
  'devnet/fvm': 'devnet/fvm.ts',
  'devnet/cli/main': 'devnet/cli/main.ts',
  'devnet/cli/worker': 'devnet/cli/worker.ts',
  'devnet/rpc/client': 'devnet/rpc/client.ts',
  'devnet/testing/test': 'devnet/testing/test.ts',
  'devnet/testing/vitest': 'devnet/testing/vitest.ts',
  'devnet/testing/matchers': 'devnet/testing/matchers.ts',
  'compiler/build-actors': 'devnet/node/build-actors.ts',
}

const { version } = JSON.parse(readFileSync('package.json', 'utf8'))

rmSync('dist', { recursive: true, force: true })
await build({
  entryPoints: Object.fromEntries(Object.entries(ENTRIES).filter(([, file]) => existsSync(file))),
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  chunkNames: 'chunks/[name]-[hash]',
  logLevel: 'warning',
  define: { 'process.env.TROUPE_VERSION': JSON.stringify(version) },
})

const actors = spawnSync(process.execPath, ['dist/compiler/build-actors.js'], { stdio: 'inherit' })
if (actors.status !== 0) process.exit(actors.status ?? 70)

if (process.argv.includes('--types')) {
  const types = spawnSync('npx', ['tsc', '-p', 'tsconfig.types.json'], { stdio: 'inherit' })
  if (types.status !== 0) process.exit(types.status ?? 70)
}
