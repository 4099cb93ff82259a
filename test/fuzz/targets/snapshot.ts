/** Snapshots, their chunks and records, a walk over blocks, and what peers say about them. */
import { WireError } from '../../../devnet/consensus/protobuf.ts'
import { decode, encode } from '../../../devnet/consensus/schema.ts'
import { SNAPSHOT } from '../../../devnet/consensus/wire-abci.ts'
import { type Cid, cidOf, DAG_CBOR } from '../../../devnet/ipld/cid.ts'
import { CborWriter } from '../../../devnet/ipld/dag-cbor.ts'
import { decodeNodeMessage, encodeNodeMessage } from '../../../devnet/node/peer-links.ts'
import {
  ChunkWriter,
  decodeRecords,
  describeSnapshot,
  encodeRecords,
  readItems,
  readSnapshot,
} from '../../../devnet/node/snapshot-format.ts'
import { StateWalk, StateWalkError } from '../../../devnet/node/state-walk.ts'
import { equalBytes } from '../../../devnet/primitives/bytes.ts'
import type { Random } from '../random.ts'
import { attempt, demand, type Target } from '../target.ts'

/** Blocks that a walk may come to, at most: links may name each other for ever. */
const WALK_MAX = 1000

export const snapshot: Target = {
  name: 'snapshot',
  generate(random) {
    switch (random.below(4)) {
      case 0:
        return encode(SNAPSHOT, made(random))
      case 1:
        return chunkOf(random)
      case 2:
        return encodeRecords({
          headers: [random.bytes(random.below(50))],
          settings: random.bytes(random.below(20)),
          installed: [linked(random)],
        })
      default:
        return encodeNodeMessage({
          kind: 'snapshots',
          value: { base: 1n, offers: [{ snapshot: made(random), stateHash: 's'.repeat(32) }] },
        })
    }
  },
  run(input) {
    return [offerIn(input), itemsIn(input), recordsIn(input), walkOver(input), messageIn(input)].join()
  },
}

const linked = (random: Random): Cid => cidOf(DAG_CBOR, random.bytes(random.below(4)))

function made(random: Random) {
  const chunkHashes = Array.from({ length: 1 + random.below(4) }, (_, i) => String(i).padStart(32, '0'))
  return describeSnapshot({ height: 1 + random.below(1000), chunkHashes, blocks: random.below(100), bytes: 1 })
}

function chunkOf(random: Random): Uint8Array {
  const writer = new ChunkWriter()
  for (let i = random.below(6); i >= 0; i--) {
    const links = new CborWriter().array(2).link(linked(random)).link(linked(random))
    writer.add(random.below(2) === 0 ? links.finish() : random.bytes(random.below(60)))
  }
  return writer.finish()
}

function offerIn(input: Uint8Array): string {
  const offered = attempt(() => decode(SNAPSHOT, input), WireError)
  if ('error' in offered) return 'no offer'
  const view = readSnapshot(offered.value)
  if (typeof view === 'string') return view
  const again = readSnapshot(describeSnapshot(view))
  demand(JSON.stringify(again) === JSON.stringify(view), 'a snapshot does not survive')
  return `offer of ${view.height}`
}

function itemsIn(input: Uint8Array): string {
  const items = [...readItems(input)]
  const whole = items.filter((item) => item !== undefined)
  demand(
    items.length - whole.length <= 1 && items.slice(0, -1).every((item) => item !== undefined),
    'it reads on after the end',
  )
  if (whole.length < items.length) return 'cut'
  const writer = new ChunkWriter()
  for (const item of whole) writer.add(item)
  demand(equalBytes(writer.finish(), input), 'a chunk does not survive')
  return `${whole.length} items`
}

function recordsIn(input: Uint8Array): string {
  const records = decodeRecords(input)
  if (records === undefined) return 'no records'
  const again = decodeRecords(encodeRecords(records))
  demand(again?.headers.length === records.headers.length, 'records do not survive')
  return `${records.headers.length} headers`
}

/** Every block that it asks for is the input. */
function walkOver(input: Uint8Array): string {
  const walk = new StateWalk([cidOf(DAG_CBOR, input)])
  const walked = attempt(() => {
    while (walk.count < WALK_MAX && walk.next() !== undefined) walk.enter(input)
  }, StateWalkError)
  return 'error' in walked ? (walked.error as StateWalkError).code : `${walk.count} blocks`
}

function messageIn(input: Uint8Array): string {
  const said = decodeNodeMessage(input)
  if (said === undefined) return 'nothing'
  demand(decodeNodeMessage(encodeNodeMessage(said))?.kind === said.kind, 'a message does not survive')
  return said.kind
}
