// Every block of the reference's pre-states is read and written again, byte for byte. The vectors are not part of the
// repository: TROUPE_ORACLE_VECTORS names their folder.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { MemoryBlockstore } from '../../../devnet/ipld/blockstore.ts'
import { readCar, writeCar } from '../../../devnet/ipld/car.ts'
import { type Cid, cidCodec, DAG_CBOR, matchesCid, parseCid } from '../../../devnet/ipld/cid.ts'
import { CborError, type CborValue, decodeCbor, encodeCbor } from '../../../devnet/ipld/dag-cbor.ts'
import { Hamt } from '../../../devnet/ipld/hamt.ts'
import { toHex } from '../../../devnet/primitives/bytes.ts'

const folder = process.env['TROUPE_ORACLE_VECTORS'] ?? resolve(import.meta.dirname, '../../../../shared/oracle/vectors')
const STEP = 10

/** Blocks that cases hold on purpose though they are no DAG-CBOR. */
const MALFORMED = new Set(['', 'ff', '0101', '8000', '8201'])

describe.skipIf(!existsSync(folder))(`blocks of ${folder}`, () => {
  const files = existsSync(folder)
    ? readdirSync(folder).flatMap((topic) =>
        readdirSync(join(folder, topic))
          .filter((name) => name.endsWith('.json.gz'))
          .map((name) => join(folder, topic, name)),
      )
    : []

  test('hash to their CIDs and are written as they were', () => {
    const seen = new Set<Cid>()
    for (const file of files.filter((_, i) => i % STEP === 0)) {
      const vector = JSON.parse(gunzipSync(readFileSync(file)).toString()) as { car: string; root: string }
      const car = new Uint8Array(gunzipSync(Buffer.from(vector.car, 'base64')))
      const { roots, blocks } = readCar(car)
      const store = new MemoryBlockstore()
      for (const [cid, bytes] of blocks) {
        store.put(cid, bytes)
        if (seen.has(cid)) continue
        seen.add(cid)
        expect(matchesCid(cid, bytes), file).toBe(true)
        if (cidCodec(cid) === DAG_CBOR) expect(rewrite(bytes), file).toBe(toHex(bytes))
      }
      expect(toHex(writeCar(roots, blocks)) === toHex(car), file).toBe(true)

      const [, actors] = decodeCbor(store.get(parseCid(vector.root))!) as [CborValue, { link: Cid }]
      const copy = Hamt.empty(new MemoryBlockstore())
      for (const [key, value] of Hamt.load(store, actors.link).entries()) copy.set(key, value)
      expect(copy.flush(), file).toBe(actors.link)
    }
    expect(seen.size).toBeGreaterThan(500)
  })
})

function rewrite(bytes: Uint8Array): string {
  try {
    return toHex(encodeCbor(decodeCbor(bytes)))
  } catch (error) {
    if (error instanceof CborError && MALFORMED.has(toHex(bytes))) return toHex(bytes)
    throw error
  }
}
