/**
 * Builds the package: JavaScript for Node and the system actors' bundle into dist/. Runs on `npm ci` (prepare), so it needs
 * nothing but installed dependencies; type declarations are made when packing. A build that fails leaves the last one.
 */

import { spawnSync } from 'node:child_process'
import { readFileSync, renameSync, rmSync } from 'node:fs'
import { build } from 'esbuild'

const NEXT = 'dist-next'
const ENTRIES = {
  'devnet/index': 'devnet/index.ts',
  'devnet/fvm': 'devnet/fvm.ts',
  'devnet/cli/main': 'devnet/cli/main.ts',
  'devnet/cli/worker': 'devnet/cli/worker.ts',
  'devnet/rpc/client': 'devnet/rpc/client.ts',
  'devnet/testing/test': 'devnet/testing/test.ts',
  'devnet/testing/vitest': 'devnet/testing/vitest.ts',
  'devnet/testing/large-stack-thread': 'devnet/testing/large-stack-thread.ts',
  'devnet/testing/matchers': 'devnet/testing/matchers.ts',
  'devnet/testing/coverage-provider': 'devnet/testing/coverage-provider.ts',
  'build-actors': 'devnet/node/build-actors.ts',
}

const { version } = JSON.parse(readFileSync('package.json', 'utf8'))

rmSync(NEXT, { recursive: true, force: true })
await build({
  entryPoints: ENTRIES,
  outdir: NEXT,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  chunkNames: 'chunks/[name]-[hash]',
  define: { 'process.env.TROUPE_VERSION': JSON.stringify(version) },
  logLevel: 'warning',
})
// Node is sooner ready for CommonJS than for modules; what is in here is in no chunk.
await build({
  entryPoints: { 'devnet/cli/launch': 'devnet/cli/launch.ts' },
  outdir: NEXT,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20.19',
  define: { 'process.env.TROUPE_VERSION': JSON.stringify(version) },
  logLevel: 'warning',
})
run(process.execPath, [`${NEXT}/build-actors.js`, `${NEXT}/actors.car`])
if (process.argv.includes('--types')) run('npx', ['tsc', '-p', 'tsconfig.types.json', '--outDir', `${NEXT}/types`])
rmSync('dist', { recursive: true, force: true })
renameSync(NEXT, 'dist')

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  if (status === 0) return
  rmSync(NEXT, { recursive: true, force: true })
  process.exit(status ?? 70)
}
