/** The thread of `build-ahead.ts`. What does not compile is compiled again where the error is wanted. */
import { parentPort, workerData } from 'node:worker_threads'
import { buildActor } from './build.ts'
import type { AheadData } from './build-ahead.ts'

const { project, entries } = workerData as AheadData
for (const entry of entries) {
  await buildActor(project, entry).catch(() => {})
  parentPort?.postMessage(entry)
}
