import { troupe } from 'troupe/vitest'
import { defineConfig } from 'vitest/config'

export default defineConfig({ plugins: [troupe()] })
