import { defineConfig } from 'troupe'

export default defineConfig({
  deploy: { Wallet: [['alice', 'bob', 'carol'], 2] },
})
