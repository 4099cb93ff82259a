/** Where the files of this folder are: sources in the package's own repository, bundled in `dist` elsewhere. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(import.meta.url)

/** The harness runs from source in its own repository, and from `dist` elsewhere. */
export const isSource = here.endsWith('.ts')

/** A file of this folder, found from wherever bundling put this one. */
export function harnessFile(name: string): string {
  const file = join('devnet', 'testing', `${name}.${isSource ? 'ts' : 'js'}`)
  for (let folder = dirname(here); ; folder = dirname(folder)) {
    if (existsSync(join(folder, file)) || dirname(folder) === folder) return join(folder, file)
  }
}
