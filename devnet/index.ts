/** `troupe`: the config file's helper, and the devnet as a library. */
export { type Config, defineConfig } from './node/config.ts'
export { type Devnet, type DevnetOptions, openDevnet } from './node/devnet.ts'
export { VERSION } from './primitives/version.ts'
