import { actor, at, method, msg, only, require, view, ActorId, Address, Bytes, TokenAmount } from 'troupe/actor'
import { Token } from './token.actor'

/** Keeps tokens and pays them out on its owner's word. */
@actor
export class Vault {
  token: Address
  owner: ActorId = msg.origin
  paid: TokenAmount = TokenAmount.zero

  constructor(token: Address) {
    this.token = token
  }

  /** What the receiver got. */
  @method
  @only('owner')
  payout(to: Address, amount: TokenAmount): TokenAmount {
    const token = at<Token>(this.token)
    const before = token.balance(to)
    const done = token.tryTransfer(to, amount, Bytes.empty)
    require(done.ok, 'the token refused', done.exitCode)
    this.paid += amount
    return done.value.toBalance - before
  }

  @view
  total(): TokenAmount {
    return this.paid
  }

  /** Tokens are welcome. */
  @method
  receive(type: u32, payload: Bytes): Bytes {
    return Bytes.empty
  }
}
