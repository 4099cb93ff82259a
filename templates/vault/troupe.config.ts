import { defineConfig } from 'troupe'

export default defineConfig({
  // In this order: the vault is given the token's address.
  deploy: { Token: ['Gold', 'GLD'], Vault: ['Token'] },
})
