import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

@actor
export class Sample {
  count: u64 = 0;

  @upgrade
  migrate(old: u64): Sample { return new Sample(); }
}

//! TRP-3012 8:3 "migrate"
