/** Archives of blocks, and bundles, which are archives with a manifest. */
import { CarError, readCar, writeCar } from '../../../devnet/ipld/car.ts'
import { type Cid, cidOf } from '../../../devnet/ipld/cid.ts'
import { BundleError, readBundle } from '../../../devnet/node/bundle.ts'
import { equalBytes } from '../../../devnet/primitives/bytes.ts'
import { attempt, demand, type Target } from '../target.ts'

export const car: Target = {
  name: 'car',
  generate(random) {
    const blocks = Array.from({ length: random.below(5) }, () => {
      const bytes = random.bytes(random.below(60))
      return [cidOf(random.pick([0x55, 0x71]), bytes), bytes] as const
    })
    return writeCar(
      blocks.slice(0, 1).map(([cid]) => cid),
      blocks,
    )
  },
  run(input) {
    attempt(() => readBundle(input), BundleError)
    const opened = attempt(() => readCar(input), CarError)
    if (!('value' in opened)) return (opened.error as CarError).code
    const { roots, blocks } = opened.value
    const read: [Cid, Uint8Array][] = []
    const walked = attempt(() => {
      for (const block of blocks) read.push(block)
    }, CarError)
    if ('error' in walked) return (walked.error as CarError).code
    const written = readCar(writeCar(roots, read))
    const again = [...written.blocks]
    demand(written.roots.join() === roots.join() && again.length === read.length, 'an archive does not survive')
    for (const [i, [cid, bytes]] of read.entries()) {
      demand(again[i]![0] === cid && equalBytes(again[i]![1], bytes), 'a block does not survive')
    }
    return `${read.length} blocks`
  },
}
