/** Ten thousand blocks of four validators in one process: no height is missed, and memory does not grow with them. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDevnet } from '../../devnet/node/devnet.ts'
import { openFolderHome } from '../../devnet/node/node-home.ts'
import { garbageCollector, report } from './report.ts'

const BLOCKS = Number(process.env['TROUPE_SOAK_BLOCKS'] ?? 10_000)
const STEP = 1000
const MEGABYTE = 1 << 20

export async function benchSoak(): Promise<void> {
  const collect = garbageCollector()
  const folder = mkdtempSync(join(tmpdir(), 'troupe-soak-'))
  const devnet = openDevnet({
    consensus: 'bft',
    homes: (index) => openFolderHome(folder, index, { durability: 'relaxed' }),
  })
  const heights: number[] = []
  devnet.chain.onBlock(({ header }) => heights.push(header.height))
  const heaps: number[] = []
  const resident: number[] = []
  try {
    for (let made = 0; made < BLOCKS; made += STEP) {
      await devnet.chain.mine(STEP)
      collect()
      const { heapUsed, rss, arrayBuffers } = process.memoryUsage()
      heaps.push((heapUsed + arrayBuffers) / MEGABYTE)
      resident.push((anonymousBytes() ?? rss) / MEGABYTE)
      process.stderr.write(
        `${made + STEP} blocks: heap ${heaps.at(-1)!.toFixed(1)} MB, resident ${resident.at(-1)!.toFixed(0)} MB, with mapped files ${(rss / MEGABYTE).toFixed(0)} MB\n`,
      )
    }
    const missed = heights.filter((height, i) => i > 0 && height !== heights[i - 1]! + 1).length
    if (missed > 0 || heights.length < BLOCKS) throw new Error(`${missed} heights are missing of ${heights.length}`)
  } finally {
    await devnet.close()
    rmSync(folder, { recursive: true })
  }
  report(`soak, ${BLOCKS} blocks of 4 validators, heap after each thousand`, 'MB', heaps)
  report('soak, growth of the heap per thousand blocks', 'MB', [slopeOf(heaps.slice(1))])
  report('soak, growth of resident memory per thousand blocks', 'MB', [slopeOf(resident.slice(1))])
}

/** Resident memory that is no file: the chain on the disk is mapped, and grows as it must. Linux says it. */
function anonymousBytes(): number | undefined {
  if (!existsSync('/proc/self/status')) return undefined
  const match = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  return match === null ? undefined : Number(match[1]) * 1024
}

/** Of the straight line nearest to the values. */
function slopeOf(values: readonly number[]): number {
  const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length
  const places = values.map((_, i) => i)
  const [x, y] = [mean(places), mean(values)]
  const below = mean(places.map((at) => (at - x) ** 2))
  return below === 0 ? 0 : mean(values.map((value, at) => (at - x) * (value - y))) / below
}
