import { defineConfig } from 'troupe'

export default defineConfig({
  // What `troupe dev` gives each constructor.
  deploy: { Counter: [0] },
})
