/** The strict codec, the lenient reader, and the link scan, on the same bytes. */
import { decodeEncodedEvent } from '../../../devnet/engine/encoded-event.ts'
import { OUT_OF_GAS, SyscallError } from '../../../devnet/engine/failure.ts'
import { createGasTracker } from '../../../devnet/engine/gas.ts'
import { flushKind, flushLinks, scanLinks } from '../../../devnet/engine/links.ts'
import { pricesOf } from '../../../devnet/engine/profile.ts'
import {
  decodeAggregateSeals,
  decodePieces,
  decodeReplicaUpdate,
  decodeSealBatch,
  decodeWindowPost,
} from '../../../devnet/engine/proofs.ts'
import { type Cid, cidOf, DAG_CBOR, makeCid } from '../../../devnet/ipld/cid.ts'
import {
  CborError,
  type CborInput,
  CborReader,
  type CborValue,
  decodeCbor,
  encodeCbor,
  linksOf,
} from '../../../devnet/ipld/dag-cbor.ts'
import { equalBytes } from '../../../devnet/primitives/bytes.ts'
import type { Random } from '../random.ts'
import { attempt, demand, type Target } from '../target.ts'

const PRICES = pricesOf(21)
/** More than any scan of a small input costs; and next to nothing. */
const BUDGETS = [1n << 40n, 1n, 3n]

export const dagCbor: Target = {
  name: 'dag-cbor',
  generate: (random) => encodeCbor(randomValue(random, 6)),
  run(input) {
    const strict = attempt(() => decodeCbor(input), CborError)
    if ('value' in strict) checkStrict(input, strict.value)
    checkLax(input)
    for (const budget of BUDGETS) checkScan(input, budget)
    for (const decode of [decodePieces, decodeWindowPost, decodeAggregateSeals, decodeReplicaUpdate, decodeSealBatch]) {
      attempt(() => decode(input) as unknown, SyscallError)
    }
    attempt(() => decodeEncodedEvent(input), SyscallError)
    return 'value' in strict ? 'value' : (strict.error as CborError).code
  },
}

/** A value has one encoding, and walking over it agrees with reading it. */
function checkStrict(input: Uint8Array, value: CborValue): void {
  demand(equalBytes(encodeCbor(value as CborInput), input), 'a strict value is not encoded as it was')
  const reader = new CborReader(input)
  demand(reader.raw().length === input.length, 'raw() ends elsewhere than value()')
  const links = linksOf(input)
  const walked: Cid[] = []
  flushLinks(input, walked)
  demand(links.length === walked.length && links.every((link, i) => link === walked[i]), 'the walks find other links')
}

/** What the lax reader takes means something that the strict one can write and read. */
function checkLax(input: Uint8Array): void {
  const lax = attempt(() => decodeCbor(input, { lax: true }), CborError)
  if (!('value' in lax)) return
  const written = encodeCbor(lax.value as CborInput)
  demand(equalBytes(encodeCbor(decodeCbor(written) as CborInput), written), 'a lax value does not survive')
}

function checkScan(input: Uint8Array, budget: bigint): void {
  const gas = createGasTracker(budget, null)
  try {
    for (const link of scanLinks(DAG_CBOR, input, PRICES, gas)) {
      demand(flushKind(link) === 'block', 'the scan lets a link through that no store may hold')
    }
  } catch (error) {
    if (error !== OUT_OF_GAS && !(error instanceof SyscallError)) throw error
    demand(error !== OUT_OF_GAS || gas.isEmpty(), 'out of gas with gas left')
  }
  demand(gas.used() <= budget, 'more gas was used than there was')
  attempt(() => flushLinks(input, []), SyscallError)
}

function randomValue(random: Random, depth: number): CborInput {
  switch (random.below(depth === 0 ? 6 : 9)) {
    case 0:
      return BigInt(random.u32()) << BigInt(random.below(33))
    case 1:
      return -1n - (BigInt(random.u32()) << BigInt(random.below(33)))
    case 2:
      return random.bytes(random.below(40))
    case 3:
      return String.fromCodePoint(...random.bytes(random.below(8)))
    case 4:
      return random.pick([true, false, null])
    case 5:
      return { link: linkOf(random) }
    case 6:
      return new Map(
        Array.from({ length: random.below(5) }, (_, i) => [
          String.fromCharCode(97 + i),
          randomValue(random, depth - 1),
        ]),
      )
    default:
      return Array.from({ length: random.below(6) }, () => randomValue(random, depth - 1))
  }
}

/** Mostly of the usual kind; sometimes inline, sometimes of a codec or hash that the scan refuses. */
function linkOf(random: Random): Cid {
  const bytes = random.bytes(random.below(32))
  if (random.below(2) === 0) return cidOf(random.pick([0x55, 0x71, 0x51]), bytes)
  const inner = encodeCbor([bytes.length, { link: cidOf(DAG_CBOR, bytes) }])
  return makeCid(random.pick([0x71, 0x55, 0xf101, 0xf102, 0x70]), random.pick([0, 0x12, 0xb220]), inner.subarray(0, 64))
}
