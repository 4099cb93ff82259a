import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

@actor
export class Sample {
  @view
  get(): u64 { return v128.extract_lane<u64>(v128.splat<u64>(1), 0); }
}

//! TRP-6003 6:23 "v128.extract_lane<u64>(v128.splat<u64>(1), 0)"
