/**
 * Vectors made with the genuine CometBFT library, through our consensus: wire bytes, hashes, sign bytes, signatures, proposers,
 * commits, vote sets, evidence, whole chains, and what is refused for which reason.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { readCometVector, runCometVector } from '../../devnet/conformance/comet.ts'

const folder = resolve(process.env['TROUPE_COMET_VECTORS'] ?? '../shared/comet-oracle/vectors')
const files = existsSync(folder) ? readdirSync(folder).filter((name) => /\.json(\.gz)?$/.test(name)) : []

function readText(path: string): string {
  const bytes = readFileSync(path)
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}

describe.skipIf(files.length === 0)(
  `CometBFT's vectors (${files.length > 0 ? `${files.length} files` : 'no such folder: set TROUPE_COMET_VECTORS'})`,
  () => {
    test.each(files)('%s gives what the library gave', (name) => {
      const results = runCometVector(readCometVector(readText(join(folder, name))))
      const failed = results.filter(({ differences }) => differences.length > 0)
      expect(failed.map((result) => `${result.name}: ${JSON.stringify(result.differences[0])}`)).toEqual([])
      expect(results.length).toBeGreaterThan(20)
    })
  },
)
