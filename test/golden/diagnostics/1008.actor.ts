import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

const NAME = "Run";

@actor
export class Sample {
  @method(NAME)
  run(): void {}
}

//! TRP-1008 7:11 "NAME"
