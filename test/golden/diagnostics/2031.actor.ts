import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

class Point { x: u64 = 0; y: f64 = 0; }

@actor
export class Sample {
  point: Point = new Point();
}

//! TRP-2031 3:30 "f64"
