import { describe, expect, test } from 'vitest'
import { decodeNodeMessage, encodeNodeMessage, type NodeMessage } from '../../../devnet/node/peer-links.ts'
import { CHUNK_SIZE_MAX, describeSnapshot, METADATA_SIZE_MAX } from '../../../devnet/node/snapshot-format.ts'
import { answerSync } from '../../../devnet/node/sync-answers.ts'
import { isSyncMessage } from '../../../devnet/node/sync-message.ts'
import { KEEP_MAX } from '../../../devnet/node/sync-settings.ts'
import { hasOwnBundle, openTestDevnet } from './chain-fixture.ts'

const snapshot = describeSnapshot({ height: 7, chunkHashes: ['a'.repeat(32)], blocks: 1, bytes: 10 })
const offer = { snapshot, stateHash: 's'.repeat(32) }
const name = { height: 7n, format: 1, index: 3 }

const messages: readonly NodeMessage[] = [
  { kind: 'snapshotsRequest', value: {} },
  { kind: 'snapshots', value: { base: 3n, offers: [offer, offer] } },
  { kind: 'snapshots', value: { base: 0n, offers: [] } },
  { kind: 'chunkRequest', value: name },
  { kind: 'chunk', value: { ...name, chunk: Uint8Array.of(1, 2, 3) } },
  { kind: 'lightRequest', value: { height: 9n } },
  { kind: 'light', value: { height: 9n, block: null } },
  { kind: 'stateRequest', value: { height: 9n } },
  { kind: 'state', value: { height: 9n, state: Uint8Array.of(1), decided: null } },
]

describe('what nodes say about states', () => {
  test('comes back as it was, and damaged is nothing', () => {
    for (const message of messages) {
      expect(isSyncMessage(message)).toBe(true)
      const bytes = encodeNodeMessage(message)
      expect(decodeNodeMessage(bytes)).toEqual(message)
      for (let size = 0; size < bytes.length; size++)
        expect(() => decodeNodeMessage(bytes.slice(0, size))).not.toThrow()
    }
  })

  const wrong: readonly [string, NodeMessage][] = [
    [
      'more offers than anybody keeps',
      { kind: 'snapshots', value: { base: 1n, offers: Array(KEEP_MAX + 1).fill(offer) } },
    ],
    ['a base below nothing', { kind: 'snapshots', value: { base: -1n, offers: [] } }],
    ['a hash that is none', { kind: 'snapshots', value: { base: 1n, offers: [{ ...offer, stateHash: 's' }] } }],
    [
      'metadata beyond the limit',
      {
        kind: 'snapshots',
        value: {
          base: 1n,
          offers: [{ ...offer, snapshot: { ...snapshot, metadata: new Uint8Array(METADATA_SIZE_MAX + 1) } }],
        },
      },
    ],
    ['a chunk beyond the limit', { kind: 'chunk', value: { ...name, chunk: new Uint8Array(CHUNK_SIZE_MAX + 1) } }],
    ['height 0', { kind: 'lightRequest', value: { height: 0n } }],
    ['a height below 0', { kind: 'stateRequest', value: { height: -5n } }],
  ]
  test.each(wrong)('is nothing with %s', (_, message) => {
    expect(decodeNodeMessage(encodeNodeMessage(message))).toBeUndefined()
  })
})

describe.skipIf(!hasOwnBundle)('a node that has blocks', () => {
  test('answers for what it has, and says of the rest that it has not', async () => {
    const devnet = openTestDevnet({ consensus: 'bft', snapshots: { interval: 3, keep: 2 } })
    try {
      await devnet.chain.mine(3)
      const { application, blocks } = devnet.bft!.validators[0]!
      await application.snapshots.settled
      const ask = (question: NodeMessage) => answerSync({ application, blocks }, question as never)
      // The header that commits to the state of block 3 is that of block 4.
      expect(ask({ kind: 'snapshotsRequest', value: {} })).toEqual({
        kind: 'snapshots',
        value: { base: 1n, offers: [] },
      })
      await devnet.chain.mine(1)
      const offers = ask({ kind: 'snapshotsRequest', value: {} })
      expect(offers).toMatchObject({ value: { base: 1n, offers: [{ snapshot: { height: 3n } }] } })
      expect(decodeNodeMessage(encodeNodeMessage(offers!))).toEqual(offers)
      const first = { height: 3n, format: 1, index: 0 }
      expect(ask({ kind: 'chunkRequest', value: first })).toEqual({
        kind: 'chunk',
        value: { ...first, chunk: application.loadSnapshotChunk({ height: 3n, format: 1, chunk: 0 }).chunk },
      })
      for (const missing of [
        { ...first, index: 1 },
        { ...first, height: 4n },
        { ...first, height: 2n ** 60n },
        { ...first, format: 7 },
      ]) {
        expect(ask({ kind: 'chunkRequest', value: missing })).toMatchObject({ value: { chunk: new Uint8Array(0) } })
      }
      expect(ask({ kind: 'lightRequest', value: { height: 2n } })).toMatchObject({
        value: { block: { signedHeader: { header: { height: 2n } } } },
      })
      for (const height of [5n, 2n ** 62n]) {
        expect(ask({ kind: 'lightRequest', value: { height } })).toEqual({
          kind: 'light',
          value: { height, block: null },
        })
        expect(ask({ kind: 'stateRequest', value: { height } })).toMatchObject({ value: { decided: null } })
      }
      expect(ask({ kind: 'light', value: { height: 1n, block: null } })).toBeUndefined()
    } finally {
      await devnet.close()
    }
  })
})
