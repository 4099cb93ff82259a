/** All figures, or those whose name is given: `node test/bench/run.mjs version reload`. */
import { benchBft } from './bft.ts'
import { benchBlocks, benchHttp, benchInProcess } from './chain.ts'
import { benchCrash, benchReady, benchReload, benchVersion } from './command.ts'
import { benchEngine } from './engine.ts'
import { benchOfficial } from './official.ts'
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
  soak: benchSoak,
  official: benchOfficial,
  worlds: benchWorlds,
  starter: benchStarter,
  compile: benchCompile,
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in FIGURES))
if (unknown.length > 0)
  throw new RangeError(`there is no figure ${unknown.join(', ')}; there are ${Object.keys(FIGURES).join(', ')}`)
for (const [name, run] of Object.entries(FIGURES)) if (wanted.length === 0 || wanted.includes(name)) await run()
