import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

@actor
export class Sample {
  count: u64 = 0;
}

@actor
export class Other {
}

//! TRP-1002 9:14 "Other"
