import { CarReader, CarWriter } from '@ipld/car'
import { CID as Multiformats } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import { readCar, writeCar } from '../../../devnet/ipld/car.ts'
import { type Cid, cidBytes, cidOf, DAG_CBOR, formatCid, RAW } from '../../../devnet/ipld/cid.ts'
import { encodeCbor } from '../../../devnet/ipld/dag-cbor.ts'
import { concatBytes, fromHex } from '../../../devnet/primitives/bytes.ts'
import { writeVarint } from '../../../devnet/primitives/varint.ts'

const blocks = [new Uint8Array(0), Uint8Array.of(1), new Uint8Array(300).fill(7)].map(
  (bytes, i) => [cidOf(i === 0 ? DAG_CBOR : RAW, bytes), bytes] as const,
)
const roots = [blocks[1]![0], blocks[0]![0]]

test('what was written is read', () => {
  const car = readCar(writeCar(roots, blocks))
  expect(car.roots).toEqual(roots)
  expect([...car.blocks]).toEqual(blocks)
  expect([...car.blocks]).toHaveLength(3)
  expect([...readCar(writeCar([], [])).blocks]).toEqual([])
})

test('the library reads what is written here', async () => {
  const reader = await CarReader.fromBytes(writeCar(roots, blocks))
  expect((await reader.getRoots()).map(String)).toEqual(roots.map(formatCid))
  for await (const { cid, bytes } of reader.blocks()) {
    expect(bytes).toEqual(blocks.find(([each]) => formatCid(each) === String(cid))![1])
  }
})

test('what the library writes is read here', async () => {
  const { writer, out } = CarWriter.create(roots.map(toLibrary) as never)
  const parts: Uint8Array[] = []
  const collected = (async () => {
    for await (const part of out) parts.push(part)
  })()
  for (const [cid, bytes] of blocks) await writer.put({ cid: toLibrary(cid) as never, bytes })
  await writer.close()
  await collected
  expect(concatBytes(...parts)).toEqual(writeCar(roots, blocks))
})

describe('refuses', () => {
  const car = writeCar(roots, blocks)
  const headed = (header: Uint8Array) => concatBytes(writeVarint(header.length), header)

  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(), 'TRUNCATED'],
    ['a cut-off header', car.subarray(0, 20), 'TRUNCATED'],
    ['a header that is no CBOR', headed(fromHex('ff')), 'HEADER'],
    ['version 2', headed(encodeCbor(new Map([['version', 2]]))), 'HEADER'],
    [
      'roots that are no links',
      headed(
        encodeCbor(
          new Map<string, number | number[]>([
            ['roots', [1]],
            ['version', 1],
          ]),
        ),
      ),
      'HEADER',
    ],
  ])('%s', (_, bytes, code) => {
    expect(() => readCar(bytes)).toThrow(expect.objectContaining({ code }))
  })

  test.each<[string, Uint8Array, string]>([
    ['a cut-off block', car.subarray(0, -1), 'TRUNCATED'],
    ['a section without a CID', concatBytes(car, fromHex('020000')), 'CID'],
    ['an empty section', concatBytes(car, fromHex('00')), 'CID'],
  ])('%s, once it is reached', (_, bytes, code) => {
    const { blocks: iterable } = readCar(bytes)
    expect(() => [...iterable]).toThrow(expect.objectContaining({ code }))
  })
})

function toLibrary(cid: Cid): Multiformats {
  return Multiformats.decode(cidBytes(cid))
}
