/**
 * `troupe/fvm`: the engine alone. A machine is a block's context over a state root; messages are applied to it in order,
 * and a flush writes the new root.
 *
 * ```ts
 * const machine = createMachine({ profile: PROFILES.ipc, blockstore, stateRoot, epoch: 10n, timestamp: 1_700_000_000n,
 *   baseFee: 100n, circulatingSupply: 0n, chainId: 31337n, externs })
 * const receipt = machine.applyMessage(message, 'explicit', { trace: true })
 * const root = machine.flush()
 * ```
 */
import { type Blockstore, BufferedBlockstore } from '../ipld/blockstore.ts'
import { type Cid, EMPTY_ARRAY_BLOCK, EMPTY_ARRAY_CID } from '../ipld/cid.ts'
import { decodeCbor, isLink } from '../ipld/dag-cbor.ts'
import { assert } from '../primitives/assert.ts'
import { SYSTEM_ACTOR } from '../state/actor.ts'
import { decodeMessage, type Message } from '../state/message.ts'
import { StateTree } from '../state/state-tree.ts'
import { type ApplyKind, type ApplyOptions, type ApplyResult, applyMessage } from './executor.ts'
import { type Externs, NO_PROOF_VERIFIER, type ProofVerifier } from './externs.ts'
import { flushReachable } from './flush.ts'
import { Linker } from './linker.ts'
import type { MachineContext } from './machine-context.ts'
import { loadManifest, type Manifest, ManifestError } from './manifest.ts'
import { isLoaded, ModuleCache } from './module-cache.ts'
import { lineOf, NETWORK_VERSION_MAX, NETWORK_VERSION_MIN, type Profile, pricesOf } from './profile.ts'

export interface MachineOptions {
  readonly profile: Profile
  /** Overrides the profile's network version. */
  readonly networkVersion?: number
  readonly blockstore: Blockstore
  readonly stateRoot: Cid
  readonly epoch: bigint
  /** Unix seconds. */
  readonly timestamp: bigint
  /** attoFIL per gas. */
  readonly baseFee: bigint
  /** attoFIL. */
  readonly circulatingSupply: bigint
  readonly chainId: bigint
  readonly externs: Externs
  /** Who judges proofs of storage; nobody when absent, and asking is then error number 1. */
  readonly proofs?: ProofVerifier
  readonly debugging?: boolean
  readonly modules?: ModuleCache
  readonly linker?: Linker
  /** True in a Worker with 256 MB of stack, which is room for every message. Elsewhere one may throw EngineExhausted. */
  readonly hasLargestStack?: boolean
}

/** The machine cannot be made; the store is as it was, but for the empty-array block. */
export class MachineError extends Error {
  override readonly name = 'MachineError'
  readonly code = 'TRP-8100'
}

export interface Machine {
  readonly context: MachineContext
  /** Applies a message; its effects are seen by the next one. @throws MessageRefused, EngineExhausted */
  applyMessage(message: Message | Uint8Array, kind: ApplyKind, options?: ApplyOptions): ApplyResult
  /** Applies a message and undoes it. */
  call(message: Message | Uint8Array, kind: ApplyKind, options?: ApplyOptions): ApplyResult
  /** Writes the state to the block store and answers its root. @throws FlushError */
  flush(): Cid
}

export function createMachine(options: MachineOptions): Machine {
  const { profile, blockstore: base, stateRoot } = options
  const networkVersion = options.networkVersion ?? profile.networkVersion
  if (networkVersion < NETWORK_VERSION_MIN || networkVersion > NETWORK_VERSION_MAX) {
    throw new MachineError(
      `network version ${networkVersion} is not supported (${NETWORK_VERSION_MIN} to ${NETWORK_VERSION_MAX})`,
    )
  }
  const line = lineOf(networkVersion)
  const linker = options.linker ?? new Linker(line.syscalls)
  assert(linker.syscalls === line.syscalls, `the linker's system calls are those of network version ${networkVersion}`)
  if (!base.has(stateRoot)) throw new MachineError('the state root is not in the block store')
  base.put(EMPTY_ARRAY_CID, EMPTY_ARRAY_BLOCK)
  const store = new BufferedBlockstore(base)
  const modules = options.modules ?? new ModuleCache()
  const { state, manifest } = loadState(store, stateRoot, modules)
  const context: MachineContext = {
    line,
    networkVersion,
    epoch: options.epoch,
    timestamp: options.timestamp,
    baseFee: options.baseFee,
    circulatingSupply: options.circulatingSupply,
    chainId: options.chainId,
    debugging: options.debugging ?? false,
    prices: pricesOf(networkVersion),
    externs: options.externs,
    proofs: options.proofs ?? NO_PROOF_VERIFIER,
    linker,
    hasLargestStack: options.hasLargestStack ?? false,
    modules,
    manifest,
    state,
    store,
  }
  return {
    context,
    applyMessage(message, kind, applyOptions) {
      return applyMessage(context, toMessage(message), kind, applyOptions)
    },
    call(message, kind, applyOptions) {
      const depth = state.begin()
      try {
        return applyMessage(context, toMessage(message), kind, applyOptions)
      } finally {
        state.revert(depth)
      }
    },
    flush() {
      const root = state.flush()
      flushReachable(store, base, root)
      return root
    },
  }
}

function toMessage(message: Message | Uint8Array): Message {
  return message instanceof Uint8Array ? decodeMessage(message) : message
}

function loadState(
  store: Blockstore,
  root: Cid,
  modules: ModuleCache,
): { readonly state: StateTree; readonly manifest: Manifest } {
  try {
    const state = StateTree.load(store, root)
    const system = state.getActor(SYSTEM_ACTOR)
    if (system === undefined) throw new ManifestError('the system actor does not exist')
    return { state, manifest: manifestOf(store, system.state, modules) }
  } catch (error) {
    if (error instanceof MachineError) throw error
    throw new MachineError((error as Error).message, { cause: error })
  }
}

/** Of a system actor, with all its code loaded. */
function manifestOf(store: Blockstore, systemState: Cid, modules: ModuleCache): Manifest {
  const known = modules.manifests.get(systemState)
  if (known !== undefined) return known
  const manifest = loadManifest(store, manifestDataOf(store, systemState))
  preload(store, manifest, modules)
  modules.manifests.set(systemState, manifest)
  return manifest
}

/** The system actor's state names the manifest's data. */
function manifestDataOf(store: Blockstore, systemState: Cid): Cid {
  const bytes = store.get(systemState)
  if (bytes === undefined) throw new ManifestError('the state of the system actor is missing')
  const value = decodeCbor(bytes)
  const link = Array.isArray(value) && value.length === 1 ? value[0] : undefined
  if (!isLink(link)) throw new ManifestError('the state of the system actor is not [manifest data]')
  return link.link
}

function preload(store: Blockstore, manifest: Manifest, modules: ModuleCache): void {
  for (const [index, code] of manifest.codes.entries()) {
    if (modules.find(code) !== undefined && isLoaded(modules.find(code)!)) continue
    const bytes = store.get(code)
    if (bytes === undefined) throw new MachineError(`the code of ${manifest.names[index]} is missing`)
    const loaded = modules.load(code, bytes)
    if (!isLoaded(loaded))
      throw new MachineError(`the code of ${manifest.names[index]} cannot be loaded: ${loaded.reason}`)
  }
}
