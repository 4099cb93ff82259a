/** The thread of `thread.ts`. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { runVector } from '../../devnet/conformance/run.ts'
import { readVector } from '../../devnet/conformance/vector.ts'
import { Linker } from '../../devnet/engine/linker.ts'
import { ModuleCache } from '../../devnet/engine/module-cache.ts'

function listFiles(path: string): string[] {
  return statSync(path).isDirectory()
    ? readdirSync(path)
        .sort()
        .flatMap((name) => listFiles(join(path, name)))
    : [path]
}

const linker = new Linker()
const failed: string[] = []
let passed = 0
for (const topic of readdirSync(workerData as string).sort()) {
  // Compiled modules are shared within a topic and let go after it.
  const shared = { modules: new ModuleCache(), linker, hasLargestStack: true }
  for (const file of listFiles(join(workerData as string, topic)).filter((name) => name.endsWith('.json.gz'))) {
    const { name, differences } = runVector(readVector(readFileSync(file)), shared)
    if (differences.length === 0) passed++
    else failed.push(`${name}: ${JSON.stringify(differences[0])}`)
  }
}
parentPort!.postMessage({ passed, failed })
