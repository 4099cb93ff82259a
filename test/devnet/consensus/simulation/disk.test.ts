import { describe, expect, test } from 'vitest'
import { Disk } from '../../../../devnet/consensus/simulation/disk.ts'
import { Random } from '../../../../devnet/consensus/simulation/random.ts'

const record = (byte: number): Uint8Array => Uint8Array.of(byte)

function diskOf(synced: number, more: number): Disk {
  const disk = new Disk()
  for (let i = 0; i < synced; i++) disk.append(record(i))
  expect(disk.sync(disk.mark())).toBe(true)
  for (let i = 0; i < more; i++) disk.append(record(100 + i))
  return disk
}

describe('a disk', () => {
  test('that could not sync keeps what was synced before, and of the rest as much as it likes', () => {
    const sizes = new Set<number>()
    for (let seed = 0; seed < 40; seed++) {
      const disk = diskOf(2, 3)
      disk.break('sync error')
      expect(disk.sync(disk.mark())).toBe(false)
      disk.crash(new Random(seed, 'disk'))
      expect([...disk.read().subarray(0, 2)]).toEqual([0, 1])
      sizes.add(disk.read().length)
    }
    expect(sizes).toEqual(new Set([2, 3, 4, 5]))
  })

  test('that was full has nothing of what came then', () => {
    for (let seed = 0; seed < 40; seed++) {
      const disk = diskOf(2, 1)
      disk.break('full disk')
      disk.append(record(200))
      disk.append(record(201))
      expect(disk.sync(disk.mark())).toBe(false)
      disk.crash(new Random(seed, 'disk'))
      expect([...disk.read()].filter((byte) => byte >= 200)).toEqual([])
      disk.repair()
      expect(disk.sync(disk.mark())).toBe(true)
    }
  })
})
