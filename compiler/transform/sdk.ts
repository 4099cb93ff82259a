/** The SDK's own sources, found beside the compiler and kept in memory. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Mode = 'release' | 'debug'

/** Texts by path without extension, `sys/vm` for one; `''` is the version of the package. */
export type SdkSources = ReadonlyMap<string, string>

const loaded = new Map<string, SdkSources>()

/** The SDK below `root`. In release, the texts of SDK faults are left out of the module. */
export function loadSdk(root: string, mode: Mode): SdkSources {
  const key = `${mode} ${root}`
  let sources = loaded.get(key)
  if (!sources) {
    const texts = new Map<string, string>()
    readFolder(root, '', mode, texts)
    sources = texts
    loaded.set(key, sources)
  }
  return sources
}

/** `actors/sdk` of the nearest folder above this file that has it. */
export function findSdkRoot(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const root = join(folder, 'actors', 'sdk')
    if (existsSync(join(root, 'index.ts'))) return root
    if (dirname(folder) === folder) throw new Error('the actor SDK is missing from this installation')
  }
}

function readFolder(root: string, prefix: string, mode: Mode, texts: Map<string, string>): void {
  for (const entry of readdirSync(join(root, prefix), { withFileTypes: true })) {
    const path = prefix ? `${prefix}/${entry.name}` : entry.name
    if (entry.isDirectory()) readFolder(root, path, mode, texts)
    else if (path.endsWith('.ts') && !path.endsWith('.d.ts')) {
      const text = readFileSync(join(root, path), 'utf8')
      texts.set(path.slice(0, -'.ts'.length), mode === 'release' ? dropFaultTexts(text) : text)
    }
  }
}

/** `fault(code, 'text')` becomes `fault(code)`, and `fault` itself forgets its second parameter. */
function dropFaultTexts(text: string): string {
  return text
    .replace(/\bfault\(([\w.]+), '[^'\n]*'\)/g, 'fault($1)')
    .replace(
      /function fault\(code: u32, text: string\): void \{\n {2}exitText\(code, text\)/,
      'function fault(code: u32): void {\n  exit(code)',
    )
}
