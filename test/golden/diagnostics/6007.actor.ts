import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

@actor
export class Sample {
  @view
  draw(): Bytes { return chain.randomness(1, 2, Bytes.empty); }
}

//! TRP-6007 6:26 "chain.randomness(1, 2, Bytes.empty)"
