/** The engine alone: a new machine, the messages of a vector, one flush; modules warm, no trace. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { VECTOR_EXTERNS } from '../../devnet/conformance/run.ts'
import { readVector } from '../../devnet/conformance/vector.ts'
import { Linker } from '../../devnet/engine/linker.ts'
import { createMachine } from '../../devnet/engine/machine.ts'
import { ModuleCache } from '../../devnet/engine/module-cache.ts'
import { PROFILES } from '../../devnet/engine/profile.ts'
import { findPackageRoot } from '../../devnet/node/package-root.ts'
import { median, report, timeOf } from './report.ts'

const RUNS = 9
/** Before it counts: modules compiled, our own code optimised. */
const WARM_UP_MS = 700

/** Messages a second of the reference on the same file, now; undefined unless `TROUPE_ORACLE` names its binary. */
function rateOfReference(file: string): number | undefined {
  const oracle = process.env['TROUPE_ORACLE']
  if (oracle === undefined) return undefined
  const { stdout } = spawnSync(oracle, ['bench', '2', file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  return (JSON.parse(stdout.trim().split('\n').at(-1)!) as { messagesPerSecond: number }).messagesPerSecond
}

/** Reference vectors lie beside the package; without them there is nothing to measure. */
export async function benchEngine(): Promise<void> {
  const folder = process.env['TROUPE_ORACLE_BENCH'] ?? join(findPackageRoot(), '..', 'shared', 'oracle', 'bench')
  if (!existsSync(folder)) {
    process.stderr.write(`no vectors in ${folder}; TROUPE_ORACLE_BENCH names their folder\n`)
    return
  }
  const modules = new ModuleCache()
  const linker = new Linker()
  for (const name of readdirSync(folder)
    .filter((file) => file.endsWith('.json.gz'))
    .sort()) {
    const vector = readVector(gunzipSync(readFileSync(join(folder, name))).toString('utf8'))
    const { actorDebugging: debugging, ...machineOf } = vector.machine
    const rates: number[] = []
    for (let warm = 0; rates.length < RUNS; ) {
      const blockstore = vector.openState()
      const ms = timeOf(() => {
        const machine = createMachine({
          ...machineOf,
          debugging,
          blockstore,
          modules,
          linker,
          profile: PROFILES.ipc,
          stateRoot: vector.root,
          externs: VECTOR_EXTERNS,
        })
        for (const { message, implicit, rawLength } of vector.messages) {
          machine.applyMessage(message, implicit ? 'implicit' : 'explicit', rawLength === null ? {} : { rawLength })
        }
        machine.flush()
      })
      if (warm >= WARM_UP_MS) rates.push((vector.messages.length / ms) * 1000)
      else warm += ms
    }
    report(`engine, ${vector.name}, ${vector.messages.length} messages`, 'messages/s', rates)
    const reference = rateOfReference(join(folder, name))
    if (reference !== undefined) report(`engine ÷ reference, ${vector.name}`, '×', [median(rates) / reference])
  }
}
