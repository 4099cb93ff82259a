/**
 * Instrumented modules on disk, so that a devnet starts without instrumenting its built-in actors again. One file a
 * module, named by code CID and by the version that wrote it; a file that cannot be read is made anew.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { InstrumentedModule, ModuleFacts } from '../../compiler/gas/instrument.ts'
import type { InstrumentedStore } from '../engine/module-cache.ts'
import { type Cid, formatCid } from '../ipld/cid.ts'
import { VERSION } from '../primitives/version.ts'

/** Changes whenever the instrumenter's output does. */
const FLAVOUR = `0.4.0-5-${VERSION}`

export class DiskModuleStore implements InstrumentedStore {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  get(code: Cid): InstrumentedModule | undefined {
    try {
      const file = readFileSync(this.#path(code))
      const size = file.readUInt32LE(0)
      const facts = JSON.parse(file.subarray(4, 4 + size).toString('utf8')) as ModuleFacts
      return { facts, bytes: new Uint8Array(file.subarray(4 + size)) }
    } catch {
      return undefined
    }
  }

  /** A cache that cannot be written is no reason to stop. */
  put(code: Cid, { bytes, facts }: InstrumentedModule): void {
    const head = Buffer.from(JSON.stringify(facts))
    const size = Buffer.alloc(4)
    size.writeUInt32LE(head.length)
    try {
      mkdirSync(this.#folder, { recursive: true })
      const path = this.#path(code)
      writeFileSync(`${path}.${process.pid}.tmp`, Buffer.concat([size, head, bytes]))
      renameSync(`${path}.${process.pid}.tmp`, path)
    } catch {
      // read-only or full: the module is instrumented again next time
    }
  }

  #path(code: Cid): string {
    return join(this.#folder, `${formatCid(code)}-${FLAVOUR}`)
  }
}
