/** The thread of `run.mjs`: executes a range of a target's inputs and says what came of it. */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { readCorpus } from './corpus.ts'
import { inputOf } from './target.ts'
import { TARGETS } from './targets.ts'

export interface WorkerInput {
  readonly target: string
  readonly corpus: string
  readonly seed: number
  /** Indices `first` to `first` + `count` − 1, or as many of them as `seconds` allow; `count` null is no end. */
  readonly first: number
  readonly count: number | null
  readonly seconds: number
  /** From the last index to the first. */
  readonly isBackwards: boolean
  /** The index that runs now, for who wonders. */
  readonly progress: SharedArrayBuffer
  /** Where the input of a finding is put, if anywhere. */
  readonly keep: string | null
  /** A file whose bytes are every input, in place of random ones. */
  readonly input: string | null
}

export interface WorkerOutput {
  readonly executions: number
  readonly findings: readonly { readonly index: number; readonly message: string }[]
  /** Of all outcomes, whatever their order. */
  readonly digest: string
}

const FINDINGS_MAX = 5
const MASK = (1n << 64n) - 1n

const {
  target: name,
  corpus,
  seed,
  first,
  count,
  seconds,
  isBackwards,
  progress,
  keep,
  input: file,
} = workerData as WorkerInput
const target = TARGETS.find((each) => each.name === name)!
const inputs = readCorpus(corpus, name).map(({ bytes }) => bytes)
const given = file === null ? null : new Uint8Array(readFileSync(file))
const current = new BigInt64Array(progress)
const findings: { index: number; message: string }[] = []
const ends = performance.now() + seconds * 1000
let executions = 0
let digest = 0n
while ((count === null || executions < count) && findings.length < FINDINGS_MAX) {
  if (executions % 16 === 0 && performance.now() > ends) break
  const index = isBackwards ? first + count! - 1 - executions : first + executions
  Atomics.store(current, 0, BigInt(index))
  const input = given ?? inputOf(target, inputs, seed, index)
  try {
    const outcome = await target.run(input)
    const hash = createHash('sha256').update(`${index} ${outcome}`).digest()
    digest = (digest + hash.readBigUInt64LE(0)) & MASK
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(error)
    findings.push({ index, message })
    if (keep !== null) writeFileSync(keep, input)
  }
  executions++
}
const output: WorkerOutput = { executions, findings, digest: digest.toString(16) }
parentPort!.postMessage(output)
