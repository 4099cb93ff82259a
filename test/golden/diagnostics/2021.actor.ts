import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

@actor
export class Sample {
  map: Hamt<u64, Hamt<u64, u64>> = new Hamt<u64, Hamt<u64, u64>>();

  @method
  run(): void {
    const inner = this.map.get(1);
    inner.set(2, 3);
  }

  @method
  runWell(): void {
    const inner = this.map.get(1);
    inner.set(2, 3);
    this.map.set(1, inner);
  }
}

//! TRP-2021 10:5 "inner.set(2, 3)"
