// Addresses in binary form: protocol byte, payload. `ActorId` is the number behind an ID address.

import * as actor from './sys/actor'
import * as cbor from './cbor'
import { ERR_NOT_FOUND, ExitCode, check, exit } from './abort'
import { Bytes, putVarint, sameBytes } from './bytes'

/** The number of an actor, which it keeps for life. */
export type ActorId = u64

const RESOLVED: usize = memory.data(8)

@final
export class Address {
  constructor(public ptr: usize = 0, public length: u32 = 0) {}

  /** The ID address of `id`. */
  static fromId(id: ActorId): Address {
    const pointer = __alloc(11)
    store<u8>(pointer, 0)
    return new Address(pointer, <u32>(putVarint(pointer + 1, id) - pointer))
  }

  /** The `f4` address of `subaddress` in the namespace of an address manager. */
  static delegated(manager: ActorId, subaddress: Bytes): Address {
    const start = __alloc(11 + subaddress.length)
    store<u8>(start, 4)
    const at = putVarint(start + 1, manager)
    memory.copy(at, subaddress.ptr, subaddress.length)
    return new Address(start, <u32>(at + subaddress.length - start))
  }

  /** The actor behind this address; exits 17 when there is none. */
  id(): ActorId {
    const error = actor.resolve_address(RESOLVED, this.ptr, this.length)
    if (error == ERR_NOT_FOUND) exit(ExitCode.NotFound)
    check(error)
    return load<u64>(RESOLVED)
  }

  /** The actor behind this address, or −1 when there is none. */
  tryId(): i64 {
    const error = actor.resolve_address(RESOLVED, this.ptr, this.length)
    if (error == ERR_NOT_FOUND) return -1
    check(error)
    return load<i64>(RESOLVED)
  }

  /** 0 ID, 1 secp256k1, 2 actor, 3 BLS, 4 delegated. */
  get protocol(): u8 {
    return this.length ? load<u8>(this.ptr) : 255
  }

  @operator('==')
  equals(other: Address): bool {
    return this.length == other.length && sameBytes(this.ptr, other.ptr, this.length)
  }

  @operator('!=')
  differs(other: Address): bool {
    return !this.equals(other)
  }

  __encode(): void {
    cbor.writeBytes(this.ptr, this.length)
  }

  __decode(): void {
    this.ptr = cbor.readBytes()
    this.length = cbor.lastLength
  }
}
