import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

@actor
export class Sample {
  @view
  check(signature: Bytes, who: Address): bool { return crypto.verify(signature, who, Bytes.empty); }
}

//! TRP-6008 6:56 "crypto.verify(signature, who, Bytes.empty)"
