// What travels to and from a multisig.

import { Address, Bytes, TokenAmount } from 'troupe/actor'

/** A call that waits for approvals, its proposer first among them. */
export class Transaction {
  constructor(
    public to: Address,
    public value: TokenAmount,
    public method: u64,
    public params: Bytes,
    public approved: Array<Address>,
  ) {}
}

/** What the hash of a proposal is taken over. */
export class ProposalHashData {
  constructor(
    public requester: Address,
    public to: Address,
    public value: TokenAmount,
    public method: u64,
    public params: Bytes,
  ) {}
}

export class ProposeReturn {
  constructor(
    public txnId: i64,
    public applied: bool,
    public code: u32,
    public ret: Bytes,
  ) {}
}

export class ApproveReturn {
  constructor(
    public applied: bool,
    public code: u32,
    public ret: Bytes,
  ) {}
}
