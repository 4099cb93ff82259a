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

/** Of ours and of the reference in turn, so that what else the machine does meets both. */
const ROUNDS = 5
const ROUND_MS = 800
const RUNS_MIN = 5
/** Before it counts: modules compiled, our own code optimised. */
const WARM_UP_MS = 2000

/** Messages a second of the reference on the same file, now; undefined unless `TROUPE_ORACLE` names its binary. */
function rateOfReference(file: string): number | undefined {
  const oracle = process.env['TROUPE_ORACLE']
  if (oracle === undefined) return undefined
  const { stdout } = spawnSync(oracle, ['bench', '0.8', file], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return (JSON.parse(stdout.trim().split('\n').at(-1)!) as { messagesPerSecond: number }).messagesPerSecond
}

/**
 * Reference vectors lie beside the package; without them there is nothing to measure. `TROUPE_BENCH_ONLY=hash,token` takes these
 * alone.
 */
export async function benchEngine(): Promise<void> {
  const folder = process.env['TROUPE_ORACLE_BENCH'] ?? join(findPackageRoot(), '..', 'shared', 'oracle', 'bench')
  if (!existsSync(folder)) {
    process.stderr.write(`no vectors in ${folder}; TROUPE_ORACLE_BENCH names their folder\n`)
    return
  }
  const modules = new ModuleCache()
  const linker = new Linker()
  const only = process.env['TROUPE_BENCH_ONLY']?.split(',').map((topic) => `bench-${topic}.json.gz`)
  for (const name of readdirSync(folder)
    .filter((file) => only?.includes(file) ?? file.endsWith('.json.gz'))
    .sort()) {
    const vector = readVector(gunzipSync(readFileSync(join(folder, name))).toString('utf8'))
    const { actorDebugging: debugging, ...machineOf } = vector.machine
    const run = (): number => {
      const blockstore = vector.openState()
      return timeOf(() => {
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
    }
    for (let warm = 0; warm < WARM_UP_MS; ) warm += run()
    const rates: number[] = []
    const ratios: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const times: number[] = []
      for (let spent = 0; spent < ROUND_MS || times.length < RUNS_MIN; spent += times.at(-1)!) times.push(run())
      const rate = (vector.messages.length / median(times)) * 1000
      rates.push(rate)
      const reference = rateOfReference(join(folder, name))
      if (reference !== undefined) ratios.push(rate / reference)
    }
    report(`engine, ${vector.name}, ${vector.messages.length} messages`, 'messages/s', rates)
    if (ratios.length > 0) report(`engine ÷ reference, ${vector.name}`, '×', ratios)
  }
}
