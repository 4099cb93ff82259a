/** How an actor comes into a world: its code, an ID, an address, and the funds for its constructor. */
import type { MachineContext } from '../engine/machine-context.ts'
import { cidBytes, EMPTY_ARRAY_CID } from '../ipld/cid.ts'
import { concatBytes } from '../primitives/bytes.ts'
import { type Actor, type ActorId, INIT_ACTOR } from '../state/actor.ts'
import { type Address, actorAddress, addressBytes } from '../state/address.ts'
import type { StateTree } from '../state/state-tree.ts'
import type { TokenAmount } from '../state/token.ts'
import type { ActorDescription } from './actor.ts'

/** Who sends a message. */
export interface Sender {
  readonly id: ActorId
  readonly address: Address
  readonly isAccount: boolean
}

/** An actor of that code, not constructed; `value` goes to the init actor, which the constructor has it from. */
export function install(
  context: MachineContext,
  description: Pick<ActorDescription, 'code' | 'wasm'>,
  deployer: Sender,
  value: TokenAmount,
  ordinal: bigint,
): ActorId {
  const { state, store } = context
  const { code, wasm } = description
  store.put(code, wasm)
  const id = state.registerAddress(robustAddress(deployer, description, ordinal))
  state.setActor(id, { code, state: EMPTY_ARRAY_CID, sequence: 0n, balance: 0n as TokenAmount, delegated: null })
  if (value !== 0n) {
    changeActor(state, deployer.id, (actor) => ({ ...actor, balance: (actor.balance - value) as TokenAmount }))
    changeActor(state, INIT_ACTOR, (actor) => ({ ...actor, balance: (actor.balance + value) as TokenAmount }))
  }
  return id
}

export function robustAddress(deployer: Sender, { code }: Pick<ActorDescription, 'code'>, ordinal: bigint): Address {
  const number = new Uint8Array(8)
  new DataView(number.buffer).setBigUint64(0, ordinal)
  return actorAddress(concatBytes(addressBytes(deployer.address), cidBytes(code), number))
}

export function changeActor(state: StateTree, id: ActorId, change: (actor: Actor) => Actor): void {
  const actor = state.getActor(id)
  if (actor === undefined) throw new Error(`actor ${id} does not exist`)
  state.setActor(id, change(actor))
}
