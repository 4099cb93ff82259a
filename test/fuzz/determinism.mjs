/**
 * `node test/fuzz/determinism.mjs [messages] [seed] [warm-up]`: random messages applied in two processes. One starts cold; the
 * other has applied messages of another chain before, knows the modules already, traces now and then, and collects garbage
 * often. Roots and receipts of every hundred messages must be equal. One JSON line; exit status 1 when they differ.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { bundle } from './run.mjs'

/** Compares two processes, prints the line, and answers whether they agree. */
export async function compareProcesses({ messages, seed, warmUp }) {
  const file = await bundle('determinism')
  const started = performance.now()
  const [cold, warm] = await Promise.all([child(file, { messages, seed, warmUp: 0 }), child(file, { messages, seed, warmUp })])
  const block = cold.findIndex((line, i) => line !== warm[i])
  const isSame = block < 0 && cold.length === warm.length
  const seconds = Math.round((performance.now() - started) / 100) / 10
  const line = { determinism: 'two processes', messages, seed, warmUp, blocks: cold.length, roots: new Set(cold).size, isSame, seconds }
  process.stdout.write(`${JSON.stringify(line)}\n`)
  if (!isSame) process.stderr.write(`block ${block}: cold ${cold[block]}, warm ${warm[block]}\n`)
  return isSame
}

function child(file, input) {
  return new Promise((done, reject) => {
    const process = fork(fileURLToPath(import.meta.url), ['--child', file, JSON.stringify(input)], { execArgv: ['--expose-gc'] })
    process.once('message', done)
    process.once('exit', (code) => reject(new Error(`a process ended with ${code} before it answered`)))
  })
}

if (process.argv[2] === '--child') {
  const worker = new Worker(process.argv[3], {
    workerData: JSON.parse(process.argv[4]),
    resourceLimits: { stackSizeMb: 256, maxOldGenerationSizeMb: 4096 },
  })
  worker.once('message', (lines) => process.send(lines, () => process.disconnect()))
  worker.once('error', (error) => {
    throw error
  })
} else if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [messages = 10_000, seed = 1, warmUp = 2000] = process.argv.slice(2).map(Number)
  process.exit((await compareProcesses({ messages, seed, warmUp })) ? 0 : 1)
}
