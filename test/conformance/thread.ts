/** Runs a folder of vectors in a Worker with a large stack; the worker is bundled from source first. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'

export interface ThreadInput {
  readonly folder: string
  /** A bundle of genuine actors, for vectors without code. */
  readonly bundle?: string
}

export interface VectorsOutcome {
  readonly passed: number
  readonly failed: readonly string[]
  readonly skipped: readonly string[]
}

export async function runInThread(folder: string, bundle?: string): Promise<VectorsOutcome> {
  const input: ThreadInput = { folder, ...(bundle === undefined ? {} : { bundle }) }
  const out = mkdtempSync(join(tmpdir(), 'troupe-vectors-'))
  try {
    await build({
      entryPoints: [new URL('./worker.ts', import.meta.url).pathname],
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile: join(out, 'worker.cjs'),
      logLevel: 'error',
      external: ['secp256k1', '@chainsafe/blst'],
    })
    return await new Promise((resolve, reject) => {
      const worker = new Worker(join(out, 'worker.cjs'), {
        workerData: input,
        resourceLimits: { stackSizeMb: 256, maxOldGenerationSizeMb: 8192 },
      })
      worker.once('message', resolve)
      worker.once('error', reject)
    })
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}
