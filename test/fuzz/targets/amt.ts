/** The array of the chain against a plain map; and its nodes, damaged. */
import { Amt, AmtError, amtRoot } from '../../../devnet/ipld/amt.ts'
import { MemoryBlockstore, MissingBlockError } from '../../../devnet/ipld/blockstore.ts'
import type { Cid } from '../../../devnet/ipld/cid.ts'
import { CborError, encodeCbor } from '../../../devnet/ipld/dag-cbor.ts'
import { equalBytes } from '../../../devnet/primitives/bytes.ts'
import { Choices } from '../random.ts'
import { attempt, demand, type Target } from '../target.ts'

/** A damaged array may repeat a node as often as it has links, which is lawful: nobody walks further than this. */
const WALK_MAX = 2000

export const amt: Target = {
  name: 'amt',
  generate: (random) => random.bytes(8 + random.below(200)),
  run(input) {
    const choices = new Choices(input)
    const bitWidth = 1 + choices.below(8)
    const store = new MemoryBlockstore()
    const model = new Map<bigint, Uint8Array>()
    let array = Amt.empty(store, bitWidth)
    while (!choices.isAtEnd) {
      const index = indexOf(choices)
      switch (choices.below(8)) {
        case 0:
        case 1:
        case 2:
        case 3: {
          const value = encodeCbor(choices.byte())
          array.set(index, value)
          model.set(index, value)
          break
        }
        case 4:
          demand(array.delete(index) === model.delete(index), 'delete() answers what the model does not')
          break
        case 5: {
          const [got, expected] = [array.get(index), model.get(index)]
          demand(got === undefined || expected === undefined ? got === expected : equalBytes(got, expected), 'get()')
          break
        }
        case 6:
          array = Amt.load(store, array.flush(), bitWidth)
          break
        default:
          checkContent(array, model)
      }
    }
    checkContent(array, model)
    const root = array.flush()
    demand(rootOf(model, bitWidth) === root, 'the root depends on the order of changes')
    const dense = [...model.values()]
    const built = Amt.empty(new MemoryBlockstore(), bitWidth)
    for (const [i, value] of dense.entries()) built.set(i, value)
    demand(amtRoot(bitWidth, dense) === built.flush(), 'amtRoot() is not the root of its array')
    damage(store, root, bitWidth, new Choices(Uint8Array.from(input).reverse()), [...model.keys()])
    return root
  },
}

/** Near each other, at powers of two, and at the end. */
function indexOf(choices: Choices): bigint {
  const byte = choices.byte()
  if (byte < 160) return BigInt(byte)
  if (byte < 240) return (1n << BigInt(byte - 176 < 0 ? 8 : byte - 176)) - (byte % 2 === 0 ? 1n : 0n)
  return 0xffff_ffff_ffff_fffen - BigInt(byte - 240)
}

function checkContent(array: Amt, model: ReadonlyMap<bigint, Uint8Array>): void {
  let last = -1n
  let count = 0
  for (const [index, value] of array.entries()) {
    const expected = model.get(index)
    demand(index > last && expected !== undefined && equalBytes(value, expected), 'entries() differs from the model')
    last = index
    count++
  }
  demand(count === model.size && array.count === BigInt(count), 'an entry is missing')
}

function rootOf(model: ReadonlyMap<bigint, Uint8Array>, bitWidth: number): Cid {
  const array = Amt.empty(new MemoryBlockstore(), bitWidth)
  for (const [index, value] of [...model].reverse()) array.set(index, value)
  return array.flush()
}

function damage(
  store: MemoryBlockstore,
  root: Cid,
  bitWidth: number,
  choices: Choices,
  indices: readonly bigint[],
): void {
  const nodes = [...store.blocks]
  const [cid, bytes] = choices.pick(nodes)
  const copy = Uint8Array.from(bytes)
  if (choices.below(3) === 0) store.put(cid, choices.pick(nodes)[1])
  else {
    for (let flips = 1 + choices.below(3); flips > 0; flips--)
      copy[choices.below(copy.length)]! ^= 1 << choices.below(8)
    store.put(cid, copy)
  }
  const documented = [AmtError, CborError, MissingBlockError] as const
  const loaded = attempt(() => Amt.load(store, root, choices.below(2) === 0 ? bitWidth : undefined), ...documented)
  if (!('value' in loaded)) return
  const array = loaded.value
  attempt(
    () => {
      let count = 0
      for (const _ of array.entries()) if (++count === WALK_MAX) break
    },
    ...documented,
  )
  for (const index of [...indices.slice(0, 8), indexOf(choices)]) {
    attempt(() => array.get(index), ...documented)
    attempt(() => array.delete(index), ...documented)
    attempt(() => array.set(index, Uint8Array.of(0)), ...documented)
  }
  attempt(() => array.flush(), ...documented)
}
