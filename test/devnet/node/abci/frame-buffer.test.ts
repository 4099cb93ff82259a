import { describe, expect, test } from 'vitest'
import { encode } from '../../../../devnet/consensus/schema.ts'
import { ABCI_REQUEST, type AbciRequest, encodeFrame } from '../../../../devnet/consensus/wire-abci.ts'
import { FrameBuffer } from '../../../../devnet/node/abci/frame-buffer.ts'
import { concatBytes } from '../../../../devnet/primitives/bytes.ts'

const requests: readonly AbciRequest[] = [
  { kind: 'flush', value: {} },
  { kind: 'echo', value: { message: 'x'.repeat(300) } },
  { kind: 'checkTx', value: { tx: Uint8Array.of(1, 2, 3), type: 1 } },
]
const stream = concatBytes(...requests.map((request) => encodeFrame(ABCI_REQUEST, request)))

function readAll(chunks: readonly Uint8Array[]): Uint8Array[] {
  const buffer = new FrameBuffer()
  const found: Uint8Array[] = []
  for (const chunk of chunks) {
    buffer.push(chunk)
    for (let bytes = buffer.next(); bytes !== undefined; bytes = buffer.next()) found.push(bytes.slice())
  }
  expect(buffer.size).toBe(0)
  return found
}

describe('frames', () => {
  const expected = requests.map((request) => encode(ABCI_REQUEST, request))

  test.each(Array.from({ length: stream.length + 1 }, (_, i) => i))('are the same, cut at byte %i', (at) => {
    expect(readAll([stream.subarray(0, at), stream.subarray(at)])).toEqual(expected)
  })

  test('are the same byte by byte, and all at once', () => {
    expect(readAll(Array.from(stream, (byte) => Uint8Array.of(byte)))).toEqual(expected)
    expect(readAll([stream])).toEqual(expected)
  })

  test('may be empty', () => {
    expect(readAll([Uint8Array.of(0, 0)])).toEqual([new Uint8Array(0), new Uint8Array(0)])
  })

  test('are no longer than 128 MiB, which is known before they come', () => {
    const buffer = new FrameBuffer()
    buffer.push(Uint8Array.of(0x81, 0x80, 0x80, 0x40))
    expect(() => buffer.next()).toThrowError(
      expect.objectContaining({ fault: expect.objectContaining({ code: 'TOO_LONG' }) }),
    )
  })

  test('have a length of five bytes at most', () => {
    const buffer = new FrameBuffer()
    buffer.push(new Uint8Array(6).fill(0x80))
    expect(() => buffer.next()).toThrowError(
      expect.objectContaining({ fault: expect.objectContaining({ code: 'TOO_LONG' }) }),
    )
  })
})
