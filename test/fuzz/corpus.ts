/** Inputs kept in the tree: `corpus/<target>/<name>.bin`. Those that brought a fault to light are named after it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The inputs of the target `name` under `folder`, with their names, in the order of those. */
export function readCorpus(folder: string, name: string): { readonly name: string; readonly bytes: Uint8Array }[] {
  const path = join(folder, name)
  if (!existsSync(path)) return []
  return readdirSync(path)
    .filter((file) => file.endsWith('.bin'))
    .sort()
    .map((file) => ({ name: file.slice(0, -4), bytes: new Uint8Array(readFileSync(join(path, file))) }))
}
