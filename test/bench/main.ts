/** All figures, or those whose name is given: `node test/bench/run.mjs version reload`. */
import { benchBft } from './bft.ts'
import { benchBlocks, benchHttp, benchInProcess } from './chain.ts'
import { benchChains, CHAIN_FIGURES } from './chains.ts'
import { benchCrash, benchReady, benchReload, benchVersion } from './command.ts'
import { benchEngine } from './engine.ts'
import { benchIndex } from './event-index.ts'
import { benchComet, benchJoiner, benchMinute, benchProcesses } from './networks.ts'
import { benchOfficial } from './official.ts'
import { benchSizes } from './sizes.ts'
import { benchSoak } from './soak.ts'
import { benchCompile, benchStarter, benchWorlds } from './worlds.ts'

const FIGURES: Readonly<Record<string, () => Promise<void>>> = {
  version: benchVersion,
  ready: benchReady,
  reload: benchReload,
  'one-sender': () => benchInProcess(1),
  senders: () => benchInProcess(100),
  'http-one-sender': () => benchHttp(1),
  'http-senders': () => benchHttp(100),
  blocks: () => benchBlocks(100_000),
  crash: benchCrash,
  engine: benchEngine,
  bft: benchBft,
  'bft-processes': benchProcesses,
  'bft-minute': benchMinute,
  'bft-joiner': benchJoiner,
  'bft-comet': benchComet,
  chains: benchChains,
  index: benchIndex,
  soak: benchSoak,
  official: benchOfficial,
  worlds: benchWorlds,
  starter: benchStarter,
  compile: benchCompile,
  sizes: benchSizes,
}

const wanted = process.argv.slice(2)
const known = { ...FIGURES, ...CHAIN_FIGURES }
const unknown = wanted.filter((name) => !(name in known))
if (unknown.length > 0)
  throw new RangeError(`there is no figure ${unknown.join(', ')}; there are ${Object.keys(FIGURES).join(', ')}`)
for (const [name, run] of Object.entries(known)) {
  if (wanted.length === 0 ? name in FIGURES : wanted.includes(name)) await run()
}
