import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

@actor
export class Sample {
  @method
  run(amount): void {}
}

//! TRP-3007 6:7 "amount"
