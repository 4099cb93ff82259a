import { defineConfig } from 'troupe'

export default defineConfig({
  deploy: { Token: ['Gold', 'GLD'] },
})
