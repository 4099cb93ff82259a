import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/golden/**', 'test/fixtures/**', 'test/deep/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores: more workers only make each test slower.
    maxWorkers: 2,
    reporters: ['default', './test/summary-reporter.ts'],
  },
})
