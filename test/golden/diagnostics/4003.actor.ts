import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

class Happened { a: u64 = 0; }

@actor
export class Sample {
  @method
  run(): void { emit(new Happened()); }
}

//! TRP-4003 8:22 "new Happened()"
