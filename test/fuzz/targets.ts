/** Every target, by name. */
import type { Target } from './target.ts'
import { actors, syscalls } from './targets/actors.ts'
import { amt } from './targets/amt.ts'
import { car } from './targets/car.ts'
import { comet } from './targets/comet.ts'
import { dagCbor } from './targets/dag-cbor.ts'
import { hamt } from './targets/hamt.ts'
import { instrumenter } from './targets/instrumenter.ts'
import { optimisedFrames, recursion } from './targets/recursion.ts'
import { snapshot } from './targets/snapshot.ts'
import { values } from './targets/values.ts'
import { wasmReader } from './targets/wasm-reader.ts'

export const TARGETS: readonly Target[] = [
  wasmReader,
  instrumenter,
  syscalls,
  actors,
  recursion,
  optimisedFrames,
  dagCbor,
  hamt,
  amt,
  car,
  snapshot,
  values,
  comet,
]
