import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

@event
class Happened {
  constructor(public anExceedinglyLongNameForAFieldThisIs: u64) {}
}

@actor
export class Sample {
  @method
  run(): void { emit(new Happened(1)); }
}

//! TRP-4001 5:22 "anExceedinglyLongNameForAFieldThisIs"
