import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

class Point { x: u64 = 0; }

@remote
abstract class Other {
  @method run(): void { unreachable(); }
}

@actor
export class Sample {
  list: Point = new Point();

  @method
  run(who: Address): void {
    const point = this.list;
    at<Other>(who).run();
    point.x = 5;
  }
}

//! TRP-5010 18:5 "point"
