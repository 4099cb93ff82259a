import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

const STARTED = chain.timestamp;

@actor
export class Sample {
  @view
  get(): u64 { return STARTED; }
}

//! TRP-6004 3:17 "chain.timestamp"
