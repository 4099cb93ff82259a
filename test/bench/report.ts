/** One line of JSON for each figure, with what this machine does at the same moment beside it. */
import { createHash } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

export interface Calibration {
  /** Milliseconds for SHA-256 of 1 MB. */
  readonly sha256Ms: number
  /** Nanoseconds of an empty WebAssembly call. */
  readonly wasmCallNs: number
}

/** `(module (func (export "f")))` */
const EMPTY_CALL = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  4,
  1,
  96,
  0,
  0,
  3,
  2,
  1,
  0,
  7,
  5,
  1,
  1,
  102,
  0,
  0,
  10,
  4,
  1,
  2,
  0,
  11,
)
const CALLS = 200_000

export function calibrate(): Calibration {
  const megabyte = new Uint8Array(1 << 20)
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(EMPTY_CALL)).exports as { f: () => void }
  const run = () => {
    for (let i = 0; i < CALLS; i++) f()
  }
  run()
  const hash = median(Array.from({ length: 9 }, () => timeOf(() => createHash('sha256').update(megabyte).digest())))
  const calls = median(Array.from({ length: 9 }, () => timeOf(run)))
  return { sha256Ms: round(hash), wasmCallNs: round((calls * 1e6) / CALLS) }
}

export function timeOf(run: () => unknown): number {
  const started = performance.now()
  run()
  return performance.now() - started
}

export async function timeOfAsync(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await run()
  return performance.now() - started
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!
}

/** Prints a figure: the median of `values`, of which there are `n`. */
export function report(name: string, unit: string, values: readonly number[]): void {
  const line = { name, value: round(median(values)), unit, n: values.length, calibration: calibrate() }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}

/** Frees what nobody holds any more, at each call. */
export function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
