/** Where the package lies: code runs from `dist/` when installed and from the sources in our own tests. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export function findPackageRoot(from: string = import.meta.url): string {
  for (let folder = dirname(fileURLToPath(from)); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'troupe')
      return folder
    if (dirname(folder) === folder) throw new Error('the package of troupe is not complete: reinstall it')
  }
}
