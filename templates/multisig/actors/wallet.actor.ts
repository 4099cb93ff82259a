import { actor, fail, method, msg, payable, require, self, send, view, ActorId, Address, Amt, TokenAmount } from 'troupe/actor'

/** @errors */
enum Err {
  NotAnOwner = 32,
  AlreadyApproved,
  AlreadyPaid,
}

/** A payment that waits for approvals. */
class Payment {
  constructor(
    public to: Address,
    public amount: TokenAmount,
    public approvals: Array<ActorId>,
    public paid: bool,
  ) {}
}

/** A wallet of several owners: a payment is made when enough of them approve it. */
@actor
export class Wallet {
  owners: Array<ActorId>
  threshold: u32
  payments: Amt<Payment> = new Amt<Payment>()

  constructor(owners: Array<Address>, threshold: u32) {
    require(threshold > 0 && threshold <= <u32>owners.length, 'the threshold fits the owners')
    this.threshold = threshold
    this.owners = new Array<ActorId>()
    for (let i = 0; i < owners.length; i++) this.owners.push(owners[i].id())
  }

  @method
  @payable
  deposit(): void {}

  /** Its number; the proposer approves it at once. */
  @method
  propose(to: Address, amount: TokenAmount): u64 {
    const id = this.payments.push(new Payment(to, amount, new Array<ActorId>(), false))
    this.approve(id)
    return id
  }

  /** Whether the payment was made. */
  @method
  approve(id: u64): bool {
    const caller = msg.caller
    if (!this.owners.includes(caller)) fail(Err.NotAnOwner, 'not an owner')
    const payment = this.payments.get(id)
    if (payment.paid) fail(Err.AlreadyPaid, 'already paid')
    if (payment.approvals.includes(caller)) fail(Err.AlreadyApproved, 'already approved')
    payment.approvals.push(caller)
    payment.paid = <u32>payment.approvals.length >= this.threshold
    this.payments.set(id, payment)
    if (payment.paid) send(payment.to, payment.amount)
    return payment.paid
  }

  @view
  balance(): TokenAmount {
    return self.balance
  }
}
