import { actor, method, view, payable, bare, only, event, errors, transient, fallback, upgrade, remote, evm, ipc, at, emit, msg, chain, crypto, require, fail, frc42, call, Amt, ActorId, Address, Bytes, Cid, Hamt, TokenAmount } from "troupe/actor";

class Node { value: u64 = 0; next: Node = new Node(); }

@actor
export class Sample {
  list: Node = new Node();
}

//! TRP-2035 3:36 "Node"
