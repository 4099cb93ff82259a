/** AssemblyScript's options for each target, which `asconfig.json` at the top of the package states. */
import asconfig from '../asconfig.json' with { type: 'json' }

/** `release` is the smallest; `balanced` and `speed` are larger and cost less to run; `debug` is the twin for traces. */
export type Target = keyof typeof asconfig.targets

/** As `asc` names them. */
export interface TargetOptions {
  readonly runtime: string
  /** In pages. */
  readonly initialMemory: number
  readonly exportStart: string
  readonly stackSize: number
  /** Names of WebAssembly features that may be used. */
  readonly enable: readonly string[]
  /** 0 to 3. */
  readonly optimizeLevel: number
  /** 0 to 2. */
  readonly shrinkLevel: number
  readonly debug: boolean
  readonly sourceMap: boolean
}

export function targetOptions(target: Target): TargetOptions {
  return { ...asconfig.options, ...asconfig.targets[target] }
}
