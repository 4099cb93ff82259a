import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

@actor
export class Sample {
  count: u64 = 0;
  map: Hamt<u64, u64> = new Hamt<u64, u64>();

  @view
  get(): u64 {
    this.count += 1;
    this.map.set(1, 2);
    this.touch();
    return this.count;
  }

  private touch(): void { this.count++; }
}

//! TRP-3010 10:5 "this.count += 1"
//! TRP-3010 11:5 "this.map.set(1, 2)"
//! TRP-3010 12:5 "this.touch()"
