// options: strict
import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

@actor
export class Sample {
  count: u64 = 0;

  @method
  run(by: u64): void {
    this.count += by;
    this.count = this.count * 2;
    this.count++;
  }
}

//! TRP-6011 10:5 "this.count += by"
//! TRP-6011 11:18 "this.count * 2"
//! TRP-6011 12:5 "this.count++"
