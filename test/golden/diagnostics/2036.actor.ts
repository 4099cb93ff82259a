import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

@actor
export class Sample {
  map: Hamt<Array<u64>, u64> = new Hamt<Array<u64>, u64>();
}

//! TRP-2036 5:13 "Array<u64>"
