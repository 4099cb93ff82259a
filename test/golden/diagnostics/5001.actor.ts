import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

class Other { run(): void {} }

@actor
export class Sample {
  @method
  run(who: Address): void { at<Other>(who).run(); }
}

//! TRP-5001 8:32 "Other"
