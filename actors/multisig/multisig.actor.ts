// A wallet of several signers: a call is made when enough of them have approved it. Part of the funds may be locked and
// released evenly over time.

import {
  ActorId, Actors, Address, Bytes, ExitCode, Hamt, TokenAmount,
  actor, call, chain, crypto, encode, fail, fallback, method, msg, mulDiv, payable, require, self, trySend,
} from 'troupe/actor'
import { ApproveReturn, ProposalHashData, ProposeReturn, Transaction } from './types'

const SIGNERS_MAX: i32 = 256
const FIRST_EXPORTED: u64 = 1 << 24

@actor
export class Multisig {
  signers: Array<Address>
  numApprovalsThreshold: u64
  nextTxId: i64 = 0
  initialBalance: TokenAmount = TokenAmount.zero
  startEpoch: i64 = 0
  unlockDuration: i64 = 0
  /** By id in zigzag form. */
  pendingTxs: Hamt<u64, Transaction> = new Hamt<u64, Transaction>()

  @payable
  constructor(signers: Array<Address>, numApprovalsThreshold: u64, unlockDuration: i64, startEpoch: i64) {
    require(signers.length > 0, 'must have at least one signer')
    require(signers.length <= SIGNERS_MAX, 'too many signers')
    const resolved = new Array<Address>()
    for (let i = 0; i < signers.length; i++) {
      const signer = existing(signers[i])
      require(indexOf(resolved, signer) < 0, 'duplicate signer')
      resolved.push(signer)
    }
    require(numApprovalsThreshold <= <u64>signers.length, 'must not require more approvals than signers')
    require(numApprovalsThreshold >= 1, 'must require at least one approval')
    require(unlockDuration >= 0, 'negative unlock duration')
    this.signers = resolved
    this.numApprovalsThreshold = numApprovalsThreshold
    if (unlockDuration != 0) this.lock(startEpoch, unlockDuration, msg.value)
  }

  @payable
  @method(2)
  propose(to: Address, value: TokenAmount, methodNumber: u64, params: Bytes): ProposeReturn {
    this.refuseStrangers()
    const id = this.nextTxId++
    const transaction = new Transaction(to, value, methodNumber, params, new Array<Address>())
    const done = this.approveTransaction(id, transaction)
    return new ProposeReturn(id, done.applied, done.code, done.ret)
  }

  @payable
  @method(3)
  approve(id: i64, proposalHash: Bytes): ApproveReturn {
    this.refuseStrangers()
    require(this.pendingTxs.has(zigzag(id)), 'no such transaction', ExitCode.NotFound)
    const transaction = this.pendingTxs.get(zigzag(id))
    if (proposalHash.length > 0) require(proposalHash == hashOf(transaction), 'hash does not match proposal')
    const done = this.executeIfApproved(id, transaction)
    return done.applied ? done : this.approveTransaction(id, transaction)
  }

  @payable
  @method(4)
  cancel(id: i64, proposalHash: Bytes): void {
    this.refuseStrangers()
    require(this.pendingTxs.has(zigzag(id)), 'no such transaction', ExitCode.NotFound)
    const transaction = this.pendingTxs.get(zigzag(id))
    const approved = transaction.approved
    require(approved.length > 0 && approved[0] == callerAddress(), 'not the proposer', ExitCode.Forbidden)
    if (proposalHash.length > 0) require(proposalHash == hashOf(transaction), 'hash does not match', ExitCode.IllegalState)
    this.pendingTxs.delete(zigzag(id))
  }

  @payable
  @method(5)
  addSigner(signer: Address, increase: bool): void {
    this.refuseOthers()
    const resolved = existing(signer)
    require(this.signers.length < SIGNERS_MAX, 'too many signers', ExitCode.Forbidden)
    require(indexOf(this.signers, resolved) < 0, 'already a signer', ExitCode.Forbidden)
    this.signers.push(resolved)
    if (increase) this.numApprovalsThreshold++
  }

  @payable
  @method(6)
  removeSigner(signer: Address, decrease: bool): void {
    this.refuseOthers()
    const resolved = resolveOrCreate(signer)
    const index = indexOf(this.signers, resolved)
    require(index >= 0, 'not a signer', ExitCode.Forbidden)
    require(this.signers.length > 1, 'cannot remove the only signer', ExitCode.Forbidden)
    if (decrease) {
      require(this.numApprovalsThreshold >= 2, 'cannot decrease approvals')
      this.numApprovalsThreshold--
    } else require(<u64>(this.signers.length - 1) >= this.numApprovalsThreshold, 'too few signers for the threshold')
    this.purge(resolved)
    this.signers.splice(index, 1)
  }

  @payable
  @method(7)
  swapSigner(from: Address, to: Address): void {
    this.refuseOthers()
    const before = resolveOrCreate(from)
    const after = existing(to)
    const index = indexOf(this.signers, before)
    require(index >= 0, 'not a signer', ExitCode.Forbidden)
    require(indexOf(this.signers, after) < 0, 'already a signer')
    this.signers.splice(index, 1)
    this.signers.push(after)
    this.purge(before)
  }

  @payable
  @method(8)
  changeNumApprovalsThreshold(newThreshold: u64): void {
    this.refuseOthers()
    require(newThreshold > 0 && newThreshold <= <u64>this.signers.length, 'threshold not supported')
    this.numApprovalsThreshold = newThreshold
  }

  @payable
  @method(9)
  lockBalance(startEpoch: i64, unlockDuration: i64, amount: TokenAmount): void {
    this.refuseOthers()
    require(unlockDuration > 0, 'unlock duration must be positive')
    require(this.unlockDuration == 0, 'the lock cannot be changed', ExitCode.Forbidden)
    this.lock(startEpoch, unlockDuration, amount)
  }

  /** Tokens of any kind are welcome. */
  @payable
  @method('Receive')
  receive(type: u32, payload: Bytes): void {}

  @fallback
  accept(number: u64, params: Bytes): Bytes {
    if (number < FIRST_EXPORTED) fail(ExitCode.UnhandledMessage, 'no such method')
    return Bytes.empty
  }

  private refuseStrangers(): void {
    require(indexOf(this.signers, callerAddress()) >= 0, 'not a signer', ExitCode.Forbidden)
  }

  /** Signers and thresholds change by a call of the wallet to itself. */
  private refuseOthers(): void {
    require(msg.caller == msg.receiver, 'only the wallet itself', ExitCode.Forbidden)
  }

  private lock(startEpoch: i64, unlockDuration: i64, amount: TokenAmount): void {
    this.startEpoch = startEpoch
    this.unlockDuration = unlockDuration
    this.initialBalance = amount
  }

  private approveTransaction(id: i64, transaction: Transaction): ApproveReturn {
    const caller = callerAddress()
    require(indexOf(transaction.approved, caller) < 0, 'already approved', ExitCode.Forbidden)
    transaction.approved.push(caller)
    this.pendingTxs.set(zigzag(id), transaction)
    return this.executeIfApproved(id, transaction)
  }

  private executeIfApproved(id: i64, transaction: Transaction): ApproveReturn {
    if (<u64>transaction.approved.length < this.numApprovalsThreshold) return new ApproveReturn(false, 0, Bytes.empty)
    this.refuseLocked(transaction.value)
    this.pendingTxs.delete(zigzag(id))
    const done = call<Address>(transaction.to, transaction.method, transaction.params, transaction.value)
    return new ApproveReturn(true, codeOf(done.exitCode), done.data)
  }

  private refuseLocked(spend: TokenAmount): void {
    const balance = self.balance
    require(balance >= spend, 'balance too small', ExitCode.InsufficientFunds)
    if (spend == TokenAmount.zero) return
    require(balance - spend >= this.locked(), 'the funds are locked', ExitCode.InsufficientFunds)
  }

  /** initial − floor(initial × elapsed ÷ duration), which is ceil(initial × remaining ÷ duration) */
  private locked(): TokenAmount {
    const elapsed = chain.epoch - this.startEpoch
    if (elapsed >= this.unlockDuration) return TokenAmount.zero
    if (elapsed <= 0) return this.initialBalance
    const released = mulDiv(this.initialBalance, TokenAmount.from(elapsed), TokenAmount.from(this.unlockDuration))
    return this.initialBalance - released
  }

  /** A signer who leaves takes back its approvals; what nobody approves any more is dropped. */
  private purge(signer: Address): void {
    let cursor = Bytes.empty
    const ids = new Array<u64>()
    while (true) {
      const page = this.pendingTxs.entries(cursor, 16)
      for (let i = 0; i < page.entries.length; i++) {
        if (indexOf(page.entries[i].value.approved, signer) >= 0) ids.push(page.entries[i].key)
      }
      if (page.next.length == 0) break
      cursor = page.next
    }
    for (let i = 0; i < ids.length; i++) {
      const transaction = this.pendingTxs.get(ids[i])
      transaction.approved.splice(indexOf(transaction.approved, signer), 1)
      if (transaction.approved.length > 0) this.pendingTxs.set(ids[i], transaction)
      else this.pendingTxs.delete(ids[i])
    }
  }
}

function zigzag(id: i64): u64 {
  return (<u64>id << 1) ^ <u64>(id >> 63)
}

function callerAddress(): Address {
  return Address.fromId(msg.caller)
}

function indexOf(list: Array<Address>, address: Address): i32 {
  for (let i = 0; i < list.length; i++) if (list[i] == address) return i
  return -1
}

/** A key that was never used gets its account by a transfer of nothing. */
function resolveOrCreate(address: Address): Address {
  if (address.tryId() < 0) {
    const code = trySend<Address>(address, TokenAmount.zero)
    if (code != 0) fail(codeOf(code), 'nothing can be sent to this address')
  }
  const id = address.tryId()
  require(id >= 0, 'no actor has this address')
  return Address.fromId(<ActorId>id)
}

/** The same; an id whose actor is not there is refused. */
function existing(address: Address): Address {
  const resolved = resolveOrCreate(address)
  Actors.codeOf(resolved.id())
  return resolved
}

function hashOf(transaction: Transaction): Bytes {
  const t = transaction
  return crypto.blake2b(encode(new ProposalHashData(t.approved[0], t.to, t.value, t.method, t.params)))
}

/** The system's codes and the numbers of failed system calls, as built-in actors report them. */
function codeOf(code: i32): u32 {
  if (code == 0 || code >= 16) return code
  if (code == -5) return ExitCode.InsufficientFunds
  if (code == -13) return ExitCode.ReadOnly
  if (code == -6 || code == 4 || code == 9 || code == 11) return ExitCode.Unspecified
  return ExitCode.AssertionFailed
}
