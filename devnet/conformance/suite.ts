/** Vectors of every format that the project knows, told apart by their content. */
import { gunzipSync } from 'node:zlib'
import { ModuleCache } from '../engine/module-cache.ts'
import { MemoryBlockstore } from '../ipld/blockstore.ts'
import type { Cid } from '../ipld/cid.ts'
import type { ManifestEntry } from '../state/genesis.ts'
import { readCometVector, runCometVector } from './comet.ts'
import { Linkers, runMessageVector } from './message-run.ts'
import { isMessageVector, readMessageVector } from './message-vector.ts'
import { runVector, type VectorResult } from './run.ts'
import { isComplete, readVector } from './vector.ts'

export interface ActorsBundle {
  readonly manifest: readonly ManifestEntry[]
  readonly blocks: Iterable<readonly [Cid, Uint8Array]>
}

export interface SuiteOptions {
  /** Genuine built-in actors, for vectors that do not hold their code. */
  readonly bundle?: ActorsBundle
  /** What verify_post answers, by vector name. */
  readonly verdicts?: ReadonlyMap<string, boolean>
  readonly keepTraces?: boolean
  readonly hasLargestStack?: boolean
}

export interface SkippedVector {
  readonly name: string
  readonly skipped: string
}

/** Of a file, gzip or not. */
export function readVectorText(bytes: Uint8Array): string {
  return Buffer.from(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString('utf8')
}

/** Runs vectors one after the other; compiled code serves them all. */
export class Suite {
  readonly #options: SuiteOptions
  readonly #modules = new ModuleCache()
  readonly #linkers = new Linkers()

  readonly #bundle: MemoryBlockstore | undefined

  constructor(options: SuiteOptions) {
    this.#options = options
    if (options.bundle === undefined) return
    const { manifest, blocks } = options.bundle
    this.#bundle = new MemoryBlockstore()
    for (const [cid, bytes] of blocks) this.#bundle.put(cid, bytes)
    this.#modules.trust(manifest.map(({ code }) => code))
  }

  /** Runs one file: a vector of the engine is one case, a file of CometBFT's many. @throws VectorError */
  run(bytes: Uint8Array): readonly (VectorResult | SkippedVector)[] {
    const text = readVectorText(bytes)
    const comet = readCometVector(text)
    if (comet !== undefined) return runCometVector(comet).map((result) => ({ ...result, traces: [] }))
    return [this.#runOne(text)]
  }

  #runOne(text: string): VectorResult | SkippedVector {
    const { bundle: _, ...options } = this.#options
    const shared = { ...options, modules: this.#modules }
    if (isMessageVector(text)) {
      const vector = readMessageVector(text)
      if (vector.skip !== undefined) return { name: vector.name, skipped: vector.skip }
      const bundle = this.#bundle
      if (bundle === undefined) return { name: vector.name, skipped: 'needs the actors of its network: --bundle <car>' }
      return runMessageVector(vector, { ...shared, bundle, linkers: this.#linkers })
    }
    const vector = readVector(text)
    if (!isComplete(vector)) return { name: vector.name, skipped: 'has no expectations: the reference completes it' }
    return runVector(vector, { ...shared, linker: this.#linkers.of(vector.machine.networkVersion) })
  }
}
