/** What a world runs, as data: so that it can be run on another thread, from the same state, and on the debug twins. */
import {
  type ApplyKind,
  type ApplyOptions,
  type ApplyResult,
  applyMessage,
  applySystemCall,
} from '../engine/executor.ts'
import { NO_PROOF_VERIFIER } from '../engine/externs.ts'
import type { Linker } from '../engine/linker.ts'
import type { MachineContext } from '../engine/machine-context.ts'
import type { ModuleCache } from '../engine/module-cache.ts'
import { lineOf, PROFILES, type ProfileName, pricesOf } from '../engine/profile.ts'
import type { Blockstore } from '../ipld/blockstore.ts'
import { type Cid, cidOf, DAG_CBOR } from '../ipld/cid.ts'
import { type ActorId, INIT_ACTOR } from '../state/actor.ts'
import { type Address, idAddress } from '../state/address.ts'
import { METHOD_CONSTRUCTOR, type Message } from '../state/message.ts'
import { StateTree } from '../state/state-tree.ts'
import type { TokenAmount } from '../state/token.ts'
import { install, type Sender } from './deployment.ts'
import { GENESIS_ACCOUNTS, type Genesis } from './genesis.ts'

/** What surrounds a world's messages beside the state. */
export interface Surroundings {
  readonly profile: ProfileName
  readonly chainId: bigint
  /** Of each account on each of its faces, attoFIL. */
  readonly balance: bigint
  readonly epoch: bigint
  /** Unix seconds. */
  readonly timestamp: bigint
  readonly baseFee: bigint
}

/** A message from somebody; accounts pay for what they send, others do not. */
export interface PlainMessage {
  readonly kind: 'message'
  readonly sender: Sender
  readonly to: Address
  readonly method: bigint
  readonly params: Uint8Array
  readonly value: TokenAmount
  readonly gasLimit: bigint
}

/** Code comes into being and its constructor runs. */
export interface Deployment {
  readonly kind: 'deployment'
  readonly sender: Sender
  readonly code: Cid
  readonly wasm: Uint8Array
  readonly ordinal: bigint
  readonly params: Uint8Array
  readonly value: TokenAmount
  readonly gasLimit: bigint
}

export type WorldMessage = PlainMessage | Deployment

/** A machine's context over `root`. */
export function openContext(
  { profile: name, chainId, balance, epoch, timestamp, baseFee }: Surroundings,
  { manifest }: Pick<Genesis, 'manifest'>,
  store: Blockstore,
  root: Cid,
  parts: Pick<MachineContext, 'hasLargestStack'> & { readonly modules: ModuleCache; readonly linker: Linker },
): MachineContext {
  const { networkVersion } = PROFILES[name]
  return {
    ...parts,
    line: lineOf(networkVersion),
    networkVersion,
    prices: pricesOf(networkVersion),
    epoch,
    timestamp,
    baseFee,
    circulatingSupply: balance * BigInt(GENESIS_ACCOUNTS.length) * 2n,
    chainId,
    debugging: true,
    manifest,
    state: StateTree.load(store, root),
    store,
    externs: {
      chainRandomness: () => undefined,
      beaconRandomness: () => undefined,
      tipsetCid: (at) => cidOf(DAG_CBOR, new TextEncoder().encode(`tipset ${at}`)),
      verifyConsensusFault: () => undefined,
    },
    proofs: NO_PROOF_VERIFIER,
  }
}

/** The message as the chain has it, with the sender's next sequence. */
export function composeMessage(
  { state, baseFee }: MachineContext,
  { sender, to, method, params, value, gasLimit }: PlainMessage,
): { readonly message: Message; readonly kind: ApplyKind } {
  return {
    kind: sender.isAccount ? 'explicit' : 'implicit',
    message: {
      version: 0n,
      to,
      from: sender.address,
      sequence: state.getActor(sender.id)?.sequence ?? 0n,
      value,
      gasLimit,
      gasFeeCap: baseFee as TokenAmount,
      gasPremium: 0n as TokenAmount,
      method,
      params,
    },
  }
}

/** Runs it; what becomes of the effects is the caller's decision. */
export function applyWorldMessage(context: MachineContext, work: WorldMessage, options: ApplyOptions): ApplyResult {
  if (work.kind === 'message') {
    const { message, kind } = composeMessage(context, work)
    return applyMessage(context, message, kind, options)
  }
  const { sender, ordinal, params, value, gasLimit } = work
  const id: ActorId = install(context, work, sender, value, ordinal)
  return applySystemCall(
    context,
    {
      origin: sender.id,
      originAddress: sender.address,
      sequence: ordinal,
      from: INIT_ACTOR,
      to: idAddress(id),
      method: METHOD_CONSTRUCTOR,
      params,
      value,
      gasLimit,
    },
    options,
  )
}
