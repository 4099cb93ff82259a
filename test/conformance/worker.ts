/** The thread of `thread.ts`. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { Suite } from '../../devnet/conformance/suite.ts'
import { readBundleFile } from '../../devnet/node/bundle.ts'
import type { ThreadInput } from './thread.ts'

function listFiles(path: string): string[] {
  return statSync(path).isDirectory()
    ? readdirSync(path)
        .sort()
        .flatMap((name) => listFiles(join(path, name)))
    : [path]
}

const { folder, bundle } = workerData as ThreadInput
const options = {
  hasLargestStack: true,
  ...(bundle === undefined ? {} : { bundle: readBundleFile(readFileSync(bundle)) }),
}
const failed: string[] = []
const skipped: string[] = []
let passed = 0
for (const topic of readdirSync(folder).sort()) {
  // Compiled modules are shared within a topic and let go after it.
  const suite = new Suite(options)
  for (const file of listFiles(join(folder, topic)).filter((name) => /\.json(\.gz)?$/.test(name))) {
    for (const result of suite.run(readFileSync(file))) {
      if ('skipped' in result) skipped.push(`${result.name}: ${result.skipped}`)
      else if (result.differences.length === 0) passed++
      else failed.push(`${result.name}: ${JSON.stringify(result.differences[0])}`)
    }
  }
}
parentPort!.postMessage({ passed, failed, skipped })
