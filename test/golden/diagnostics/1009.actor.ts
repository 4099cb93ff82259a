import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

@errors
enum Problem { Closed = 31 }

@actor
export class Sample {
  @method
  run(): void { fail(Problem.Closed, "closed"); }
}

//! TRP-1009 4:16 "Closed = 31"
