/** A devnet whose other validators are processes: one that begins anew has the chain again. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { Devnet } from '../../../devnet/node/devnet.ts'
import { findPackageRoot } from '../../../devnet/node/package-root.ts'
import { openProcessDevnet } from '../../../devnet/node/process-devnet.ts'
import { readRecording } from '../../../devnet/node/recording.ts'
import { toHex } from '../../../devnet/primitives/bytes.ts'
import { hasBuild, request } from '../../e2e/cli-process.ts'

let devnet: Devnet | undefined
const folder = mkdtempSync(join(tmpdir(), 'troupe-process-devnet-'))

afterEach(async () => {
  await devnet?.close()
  rmSync(folder, { recursive: true })
})

test.skipIf(!hasBuild)(
  'a validator that is renewed fetches the chain from the others, and votes on',
  async () => {
    const command = [join(findPackageRoot(), 'dist', 'devnet', 'cli', 'launch.cjs')]
    const ended: number[] = []
    const recordTo = join(folder, 'recorded')
    devnet = await openProcessDevnet(
      { validators: 4, recordTo },
      { folder, command, onExit: (index) => ended.push(index) },
    )
    const { chain, processes } = devnet
    await chain.mine(4)
    const markers = [1, 2, 3].map((index) => join(folder, `v${index}`, 'state', 'marker'))
    for (const marker of markers) writeFileSync(marker, '')
    const [old] = processes!.urls()
    processes!.renew(old!)
    while (processes!.urls().length < 3 || processes!.urls().includes(old!)) await chain.mine(1)
    expect(ended).toHaveLength(1)
    expect(markers.filter((marker) => !existsSync(marker))).toHaveLength(1)
    const { height, hash } = chain.application.head
    for (const url of processes!.urls()) {
      let block: { readonly hash: string } | null = null
      while (block === null) block = await request<{ readonly hash: string } | null>(url, 'troupe_block', height)
      expect(block.hash).toBe(`0x${toHex(hash)}`)
    }
    // Its recording says that another history begins.
    const [renewed] = [1, 2, 3].filter((index) => !existsSync(markers[index - 1]!))
    const entries = [...readRecording(readFileSync(join(recordTo, `v${renewed}.log`), 'utf8'))]
    expect(entries.filter(({ kind }) => kind === 'rewind')).toEqual([{ kind: 'rewind', replica: `v${renewed}` }])
    processes!.renew('http://127.0.0.1:1')
    expect(await chain.mine(1)).toBe(height + 1)
  },
  120_000,
)
