// What can be asked about other actors, and, for the init actor, how they are made.

import * as sys from './sys/actor'
import { ERR_NOT_FOUND, ExitCode, check, exit } from './abort'
import { ActorId, Address } from './address'
import { Cid } from './cid'
import { TokenAmount } from './token'

const OUT: usize = memory.data(16)
const CID_SIZE_MAX: u32 = 100
const ADDRESS_SIZE_MAX: u32 = 65
const ROBUST_SIZE: u32 = 21

/** Numbers of the built-in types, the same on every network. */
export namespace ActorType {
  export const System: i32 = 1
  export const Init: i32 = 2
  export const Cron: i32 = 3
  export const Account: i32 = 4
  export const Power: i32 = 5
  export const Miner: i32 = 6
  export const Market: i32 = 7
  export const PaymentChannel: i32 = 8
  export const Multisig: i32 = 9
  export const Reward: i32 = 10
  export const VerifiedRegistry: i32 = 11
  export const DataCap: i32 = 12
  export const Placeholder: i32 = 13
  export const EVM: i32 = 14
  export const EAM: i32 = 15
  export const EthAccount: i32 = 16
}

function found(error: u32): void {
  if (error == ERR_NOT_FOUND) exit(ExitCode.NotFound)
  check(error)
}

export class Actors {
  /** The delegated address of an actor, null when it has none; exits 17 when there is no such actor. */
  static delegated(id: ActorId): Address | null {
    const at = __alloc(ADDRESS_SIZE_MAX)
    found(sys.lookup_delegated_address(OUT, id, at, ADDRESS_SIZE_MAX))
    const length = load<u32>(OUT)
    return length ? new Address(at, length) : null
  }

  static codeOf(id: ActorId): Cid {
    const at = __alloc(CID_SIZE_MAX)
    found(sys.get_actor_code_cid(OUT, id, at, CID_SIZE_MAX))
    return new Cid(at, load<u32>(OUT))
  }

  /** The built-in type of a code, 0 when it is not built in. */
  static typeOf(code: Cid): i32 {
    check(sys.get_builtin_actor_type(OUT, code.ptr))
    return load<i32>(OUT)
  }

  /** The code of a built-in type. */
  static codeFor(type: i32): Cid {
    const at = __alloc(CID_SIZE_MAX)
    check(sys.get_code_cid_for_type(OUT, type, at, CID_SIZE_MAX))
    return new Cid(at, load<u32>(OUT))
  }

  /** Whether the actor's code is of a built-in type. */
  static isBuiltin(id: ActorId, type: i32): bool {
    return Actors.typeOf(Actors.codeOf(id)) == type
  }

  static balanceOf(id: ActorId): TokenAmount {
    found(sys.balance_of(OUT, id))
    return new TokenAmount(load<u64>(OUT), load<u64>(OUT, 8))
  }

  /** The robust address of the next actor that this message makes. */
  static nextAddress(): Address {
    const at = __alloc(ROBUST_SIZE)
    check(sys.next_actor_address(OUT, at, ROBUST_SIZE))
    return new Address(at, load<u32>(OUT))
  }

  /** Makes an actor. Refused to all but the init actor; the error number is the answer, 0 for success. */
  static create(id: ActorId, code: Cid, delegated: Address | null): u32 {
    if (delegated) return sys.create_actor(id, code.ptr, delegated.ptr, delegated.length)
    return sys.create_actor(id, code.ptr, 0, 0)
  }
}
