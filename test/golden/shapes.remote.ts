// The interface of Shapes, from its ABI.

import { method, remote, view, ActorId, Address, Bytes, Cid, TokenAmount } from 'troupe/actor'

export class Named {
  constructor(
    public x: i32,
    public y: i16,
    public name: string,
    public tags: Array<string>,
  ) {}
}

export enum Phase {
  Open = 0,
  Closed = 7,
  Gone = 8,
}

export class Point {
  constructor(
    public x: i32,
    public y: i16,
  ) {}
}

/** Everything that can be stored. */
@remote
export abstract class Shapes {
  @method
  setNamed(name: string, tags: Array<string>, point: Point): Named { unreachable() }

  @view
  getNamed(): Named { unreachable() }

  @view
  getMaybe(): Point | null { unreachable() }

  @view
  getCounter(): u32 { unreachable() }

  @method
  close(): Phase { unreachable() }

  @method
  addPair(who: ActorId, amount: TokenAmount): u32 { unreachable() }

  @method
  link(values: Array<u8>): void { unreachable() }

  @method
  setInner(a: u64, b: u64, text: string): void { unreachable() }

  @view
  getInner(a: u64, b: u64): string { unreachable() }

  @method
  setSmall(from: ActorId, to: ActorId): void { unreachable() }

  @view
  hasSmall(id: ActorId): bool { unreachable() }

  @method
  setLazy(x: i32): i32 { unreachable() }

  @view
  echoCid(cid: Cid): Cid { unreachable() }

  @view
  echoAddress(address: Address): Address { unreachable() }

  @view
  echoInts(a: i8, b: i64, c: u16): Array<i64> { unreachable() }

  @view
  roundTrip(text: string): string { unreachable() }

  @view
  join(a: Bytes, b: Bytes): Bytes { unreachable() }
}
