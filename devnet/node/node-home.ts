/** Where each node of a chain keeps what is its own: the first in the folder of the chain, the others below it. */
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Journal, type JournalStart, MemoryJournal, openJournal } from './journal-file.ts'
import { MemoryChainStore } from './memory-store.ts'
import type { ChainStore } from './ports.ts'
import { openStore, removeStore, type StoreOptions } from './store.ts'

export interface NodeHome {
  readonly store: ChainStore
  /** Opens the journal; `earlier` is the one that was open before, `the beginning` forgets what it held. */
  openJournal(earlier: Journal | null, from: JournalStart): Journal
}

const VALIDATORS = 'validators'
const JOURNAL = 'journal.log'

/** @throws StoreError, JournalDamaged */
export function openFolderHome(
  folder: string,
  index: number,
  { durability = 'full', thread = 'another' }: StoreOptions = {},
): NodeHome {
  const own = index === 0 ? folder : join(folder, VALIDATORS, String(index))
  const path = join(own, JOURNAL)
  return {
    store: openStore(own, { durability, thread }),
    openJournal(earlier, from) {
      earlier?.close()
      // An empty journal says that nothing was signed; none at all, that nobody knows.
      if (from === 'the beginning') writeFileSync(path, '')
      return openJournal(path, durability, thread)
    },
  }
}

export function openMemoryHome(store: ChainStore = new MemoryChainStore()): NodeHome {
  return {
    store,
    openJournal: (earlier, from) =>
      from === 'where it ended' && earlier instanceof MemoryJournal
        ? new MemoryJournal(earlier)
        : new MemoryJournal(null),
  }
}

/** Removes what all nodes of a chain keep in `folder`, and nothing else. @throws StoreError when another process has it open */
export async function removeHomes(folder: string): Promise<void> {
  const validators = join(folder, VALIDATORS)
  const others = existsSync(validators) ? readdirSync(validators).filter((name) => /^\d{1,4}$/.test(name)) : []
  for (const own of [folder, ...others.map((name) => join(validators, name))]) {
    await removeStore(own)
    rmSync(join(own, JOURNAL), { force: true })
  }
}
