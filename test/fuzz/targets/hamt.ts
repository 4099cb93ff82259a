/** The map of the chain against a plain one; and its nodes, damaged. */
import { MemoryBlockstore, MissingBlockError } from '../../../devnet/ipld/blockstore.ts'
import type { Cid } from '../../../devnet/ipld/cid.ts'
import { CborError, encodeCbor } from '../../../devnet/ipld/dag-cbor.ts'
import { Hamt, HamtError } from '../../../devnet/ipld/hamt.ts'
import { equalBytes } from '../../../devnet/primitives/bytes.ts'
import { Choices } from '../random.ts'
import { attempt, demand, type Target } from '../target.ts'

/** Looked at in a damaged map: what is sound is small. */
const WALK_MAX = 20_000

export const hamt: Target = {
  name: 'hamt',
  generate: (random) => random.bytes(8 + random.below(300)),
  run(input) {
    const choices = new Choices(input)
    const bitWidth = 1 + choices.below(8)
    const store = new MemoryBlockstore()
    const model = new Map<string, Uint8Array>()
    let map = Hamt.empty(store, bitWidth)
    while (!choices.isAtEnd) {
      const key = keyOf(choices)
      switch (choices.below(8)) {
        case 0:
        case 1:
        case 2:
        case 3: {
          const value = encodeCbor(choices.take(choices.below(4)))
          map.set(key, value)
          model.set(key, value)
          break
        }
        case 4:
          demand(map.delete(key) === model.delete(key), 'delete() answers what the model does not')
          break
        case 5:
          demand(sameValue(map.get(key), model.get(key)), 'get() answers what the model does not')
          break
        case 6:
          map = Hamt.load(store, map.flush(), bitWidth)
          break
        default:
          checkContent(map, model)
      }
    }
    checkContent(map, model)
    const root = map.flush()
    demand(rootOf(model, bitWidth) === root, 'the root depends on the order of changes')
    checkContent(Hamt.load(store, root, bitWidth), model)
    damage(store, root, bitWidth, new Choices(Uint8Array.from(input).reverse()), [...model.keys()])
    return root
  },
}

/** Few keys, so that they meet; of every length. */
function keyOf(choices: Choices): string {
  const byte = choices.byte()
  return String.fromCharCode(...new Array<number>(byte % 5).fill(byte >> 3), byte & 127)
}

function sameValue(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
  return left === undefined || right === undefined ? left === right : equalBytes(left, right)
}

function checkContent(map: Hamt, model: ReadonlyMap<string, Uint8Array>): void {
  let count = 0
  for (const [key, value] of map.entries()) {
    demand(sameValue(value, model.get(key)), 'an entry that the model does not have')
    count++
  }
  demand(count === model.size, 'an entry is missing')
  demand(map.isEmpty() === (model.size === 0), 'isEmpty() is wrong')
}

/** The same entries, put backwards. */
function rootOf(model: ReadonlyMap<string, Uint8Array>, bitWidth: number): Cid {
  const map = Hamt.empty(new MemoryBlockstore(), bitWidth)
  for (const [key, value] of [...model].reverse()) map.set(key, value)
  return map.flush()
}

/** Changes bytes of a node, or lets it be another one, a cycle included; then uses what can still be used. */
function damage(store: MemoryBlockstore, root: Cid, bitWidth: number, choices: Choices, keys: readonly string[]): void {
  const nodes = [...store.blocks]
  const [cid, bytes] = choices.pick(nodes)
  const copy = Uint8Array.from(bytes)
  if (choices.below(3) === 0) store.put(cid, choices.pick(nodes)[1])
  else {
    for (let flips = 1 + choices.below(3); flips > 0; flips--)
      copy[choices.below(copy.length)]! ^= 1 << choices.below(8)
    store.put(cid, copy)
  }
  const documented = [HamtError, CborError, MissingBlockError] as const
  const loaded = attempt(() => Hamt.load(store, root, bitWidth), ...documented)
  if (!('value' in loaded)) return
  const map = loaded.value
  attempt(
    () => {
      let count = 0
      for (const _ of map.entries()) demand(++count < WALK_MAX, 'the walk over a damaged map does not end')
    },
    ...documented,
  )
  for (const key of [...keys.slice(0, 8), keyOf(choices)]) {
    attempt(() => map.get(key), ...documented)
    attempt(() => map.delete(key), ...documented)
    attempt(() => map.set(key, Uint8Array.of(0)), ...documented)
  }
  attempt(() => map.flush(), ...documented)
}
