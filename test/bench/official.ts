/**
 * The engine alone on messages of mainnet at network version 18, with the genuine actors: each message is applied to its
 * state and taken back, modules and state warm. `TROUPE_VECTORS` names the corpus, `TROUPE_BUNDLE` the bundle v10.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Linkers, openMessageMachine } from '../../devnet/conformance/message-run.ts'
import { type MessageVector, readMessageVector } from '../../devnet/conformance/message-vector.ts'
import { ModuleCache } from '../../devnet/engine/module-cache.ts'
import { BufferedBlockstore, MemoryBlockstore } from '../../devnet/ipld/blockstore.ts'
import { putBundle, readBundleFile } from '../../devnet/node/bundle.ts'
import { decodeMessage } from '../../devnet/state/message.ts'
import { report, timeOf } from './report.ts'

const KINDS = [
  'storageminer-Send-Ok',
  'ChangePeerID-Ok',
  'multisig-Propose-Ok',
  'multisig-Approve-Ok',
  'PreCommitSector-Ok',
]
const RUNS = 15
const WARM_UP_MS = 6000
/** Messages between two looks at the clock. */
const BATCH = 40

export async function benchOfficial(): Promise<void> {
  const folder = process.env['TROUPE_VECTORS']
  const bundlePath = process.env['TROUPE_BUNDLE']
  if (folder === undefined || bundlePath === undefined || !existsSync(folder) || !existsSync(bundlePath)) {
    process.stderr.write('TROUPE_VECTORS and TROUPE_BUNDLE name no corpus and bundle: nothing measured\n')
    return
  }
  const bundle = readBundleFile(readFileSync(bundlePath))
  const code = new MemoryBlockstore()
  putBundle(code, bundle)
  const modules = new ModuleCache()
  modules.trust(bundle.manifest.map((entry) => entry.code))
  const shared = { bundle: code, modules, linkers: new Linkers(), hasLargestStack: true }
  const files = listFiles(folder)
  for (const kind of KINDS) {
    const runs = files
      .filter((file) => file.includes(kind))
      .map((file) => prepare(readMessageVector(readFileSync(file, 'utf8')), shared))
    const rates: number[] = []
    for (let warm = 0; rates.length < RUNS; ) {
      const ms = timeOf(() => {
        for (let i = 0; i < BATCH; i++) runs[i % runs.length]!()
      })
      if (warm >= WARM_UP_MS) rates.push((BATCH / ms) * 1000)
      else warm += ms
    }
    report(`engine, network version 18, ${kind}`, 'messages/s', rates)
  }
}

function prepare(vector: MessageVector, options: Parameters<typeof openMessageMachine>[2]): () => void {
  const store = new BufferedBlockstore(options.bundle)
  for (const [cid, bytes] of vector.blocks()) store.put(cid, bytes)
  const machine = openMessageMachine(vector, store, options)
  const bytes = vector.messages[0]!
  return () => machine.call(decodeMessage(bytes), 'explicit', { rawLength: bytes.length })
}

function listFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path).flatMap((name) => listFiles(join(path, name)))
}
