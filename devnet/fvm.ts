/** `troupe/fvm`: the engine alone, with what it takes to feed it. README.md has an example, which `test/devnet/fvm.test.ts` runs. */
export {
  type ApplyKind,
  type ApplyOptions,
  type ApplyResult,
  type FailureFrame,
  MessageRefused,
} from './engine/executor.ts'
export {
  type ConsensusFault,
  type Externs,
  NO_EXTERNS,
  NO_PROOF_VERIFIER,
  type ProofVerifier,
} from './engine/externs.ts'
export { EngineExhausted, ExitCode } from './engine/failure.ts'
export { FlushError } from './engine/flush.ts'
export { createMachine, type Machine, MachineError, type MachineOptions } from './engine/machine.ts'
export { ModuleCache } from './engine/module-cache.ts'
export { PROFILES, type Profile, type ProfileName } from './engine/profile.ts'
export type { Trace, TraceEvent } from './engine/trace.ts'
export { type Blockstore, MemoryBlockstore } from './ipld/blockstore.ts'
export { readCar, writeCar } from './ipld/car.ts'
export { type Cid, cidBytes, cidOf, formatCid, parseCid } from './ipld/cid.ts'
export { decodeCbor, encodeCbor } from './ipld/dag-cbor.ts'
export { type Bundle, BundleError, putBundle, readBundleFile } from './node/bundle.ts'
export type { ActorId } from './state/actor.ts'
export { type Address, formatAddress, idAddress, parseAddress } from './state/address.ts'
export { createGenesis, type GenesisSpec } from './state/genesis.ts'
export { decodeMessage, encodeMessage, type Message } from './state/message.ts'
export { StateTree } from './state/state-tree.ts'
export { formatFil, parseFil, type TokenAmount } from './state/token.ts'
