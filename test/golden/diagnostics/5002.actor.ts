import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

@remote
abstract class Other {
  @method run(): void { unreachable(); }
}

@actor
export class Sample {
  @method
  run(who: Address): void { at<Other>(who).walk(); }
}

//! TRP-5002 11:44 "walk"
