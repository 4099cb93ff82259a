/** What comes out of the compiler. */
import type { Abi } from './abi/schema.ts'
import type { Diagnostic } from './diagnostic.ts'

export interface Artifact {
  /** The actor's class name. */
  readonly actor: string
  readonly wasm: Uint8Array
  readonly abi: Abi
  /** The text of a version 3 source map; null unless the mode is `debug`. */
  readonly sourceMap: string | null
  /** Project files that were read, so that a watcher knows what the artifact depends on. */
  readonly sources: readonly string[]
  /** Warnings and notes. */
  readonly diagnostics: readonly Diagnostic[]
}
