/** Compiles the system actors into the CAR that the first argument names. Run by the build; not part of a devnet. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BUILTIN_NAMES, writeBundle } from '../../compiler/bundle.ts'
import { compileActor } from '../../compiler/compile.ts'
import { findPackageRoot } from './package-root.ts'

const root = findPackageRoot()

async function compileCode(name: string): Promise<Uint8Array> {
  const result = await compileActor({
    entry: `actors/${name}/${name}.actor.ts`,
    readFile: (path) => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined),
    mode: 'release',
  })
  if (result.ok) return result.artifact.wasm
  for (const { code, file, line, column, message } of result.diagnostics) {
    process.stderr.write(`${file}:${line}:${column} ${code} ${message}\n`)
  }
  throw new Error(`actors/${name} does not compile`)
}

/** Two names must not share code, so each reserved module carries the name it stands for. */
function withName(wasm: Uint8Array, name: string): Uint8Array {
  const label = new TextEncoder().encode(`reserved for ${name}`)
  const section = Uint8Array.of(0, label.length + 1, label.length, ...label)
  const named = new Uint8Array(wasm.length + section.length)
  named.set(wasm)
  named.set(section, wasm.length)
  return named
}

const codes = []
const reserved = await compileCode('reserved')
for (const name of BUILTIN_NAMES) {
  const isWritten = existsSync(join(root, 'actors', name, `${name}.actor.ts`))
  codes.push({ name, wasm: isWritten ? await compileCode(name) : withName(reserved, name) })
}
writeFileSync(process.argv[2]!, writeBundle(codes))
