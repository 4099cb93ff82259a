import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/golden/**', 'test/fixtures/**', 'test/deep/**'],
    testTimeout: 60_000,
  },
})
