/** The tests with one of the bugs of `mutations.mjs` planted as its file is loaded: nothing on the disk changes. */
import { join, resolve } from 'node:path'
import { defineConfig } from 'vitest/config'
import { MUTATIONS } from './mutations.mjs'

const root = resolve(import.meta.dirname, '..', '..')
/** Undefined for 0: nothing is planted. */
const bug = MUTATIONS[Number(process.env.TROUPE_MUTATION) - 1]

export default defineConfig({
  root,
  cacheDir: 'node_modules/.cache/troupe-mutations',
  plugins: [
    {
      name: 'mutation',
      enforce: 'pre',
      transform: (code, id) => (bug !== undefined && id.split('?')[0] === join(root, bug.file) ? code.replace(bug.from, () => bug.to) : undefined),
    },
  ],
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/golden/**', 'test/fixtures/**', 'test/deep/**'],
    testTimeout: 120_000,
    maxWorkers: 2,
    bail: 1,
    reporters: ['default'],
  },
})
