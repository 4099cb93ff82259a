/** The thread of `thread.ts`. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { runVector } from '../../devnet/conformance/run.ts'
import { readVector } from '../../devnet/conformance/vector.ts'
import { Linker } from '../../devnet/engine/linker.ts'
import { ModuleCache } from '../../devnet/engine/module-cache.ts'

function listFiles(path: string): string[] {
  return statSync(path).isDirectory() ? readdirSync(path).sort().flatMap((name) => listFiles(join(path, name))) : [path]
}

const shared = { modules: new ModuleCache(), linker: new Linker(), hasLargestStack: true }
const failed: string[] = []
let passed = 0
for (const file of listFiles(workerData as string).filter((name) => name.endsWith('.json.gz'))) {
  const { name, differences } = runVector(readVector(readFileSync(file)), shared)
  if (differences.length === 0) passed++
  else failed.push(`${name}: ${JSON.stringify(differences[0])}`)
}
parentPort!.postMessage({ passed, failed })
