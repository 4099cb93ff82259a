// FRC-46 fungible tokens as a component: `@actor export class Gold extends Frc46`. Holders are actor IDs; a receiver is
// asked through its `Receive` hook and may refuse. FIPs `FRCs/frc-0046.md`, `FRCs/frc-0053.md`.

import {
  ActorId, Address, Bytes, ExitCode, Hamt, TokenAmount,
  at, bare, emit, encode, event, method, msg, only, remote, require, view,
} from './index'

/** The type of an FRC-46 transfer in a `Receive` hook. */
export const FRC46_TYPE: u32 = 2233613279

/** FRC-53: an actor that wants to know what it receives. */
@remote
export abstract class UniversalReceiver {
  @method
  receive(type: u32, payload: Bytes): Bytes {
    unreachable()
    return Bytes.empty
  }
}

@event
export class Transfer {
  constructor(
    public operator: ActorId,
    public from: ActorId,
    public to: ActorId,
    public amount: TokenAmount,
  ) {}
}

export class TransferReturn {
  constructor(
    public fromBalance: TokenAmount,
    public toBalance: TokenAmount,
    public recipientData: Bytes,
  ) {}
}

export class TransferFromReturn {
  constructor(
    public fromBalance: TokenAmount,
    public toBalance: TokenAmount,
    public allowance: TokenAmount,
    public recipientData: Bytes,
  ) {}
}

export class BurnReturn {
  constructor(public balance: TokenAmount) {}
}

export class BurnFromReturn {
  constructor(
    public balance: TokenAmount,
    public allowance: TokenAmount,
  ) {}
}

/** What a receiver's hook is told. */
export class FRC46TokenReceived {
  constructor(
    public from: ActorId,
    public to: ActorId,
    public operator: ActorId,
    public amount: TokenAmount,
    public operatorData: Bytes,
    public tokenData: Bytes,
  ) {}
}

/** Who allowed whom. */
export class Grant {
  constructor(
    public owner: ActorId,
    public operator: ActorId,
  ) {}
}

export abstract class Frc46 {
  tokenName: string
  tokenSymbol: string
  /** Who deployed the token: the constructor itself is called by the init actor. */
  minter: ActorId = msg.origin
  supply: TokenAmount = TokenAmount.zero
  balances: Hamt<ActorId, TokenAmount> = new Hamt<ActorId, TokenAmount>()
  allowances: Hamt<Grant, TokenAmount> = new Hamt<Grant, TokenAmount>()

  constructor(name: string, symbol: string) {
    this.tokenName = name
    this.tokenSymbol = symbol
  }

  @view
  name(): string {
    return this.tokenName
  }

  @view
  symbol(): string {
    return this.tokenSymbol
  }

  /** Amounts are multiples of this. */
  @view
  static granularity(): u64 {
    return 1
  }

  @view
  totalSupply(): TokenAmount {
    return this.supply
  }

  @view
  @bare
  balance(owner: Address): TokenAmount {
    return this.balanceOf(owner.id())
  }

  @view
  allowance(owner: Address, operator: Address): TokenAmount {
    return this.allowances.getOr(new Grant(owner.id(), operator.id()), TokenAmount.zero)
  }

  /** Makes new tokens; for the minter, who is the one that deployed the token. */
  @method
  @only('minter')
  mint(to: Address, amount: TokenAmount): TokenAmount {
    this.supply += amount
    const id = to.id()
    const balance = this.credit(id, amount)
    this.notify(msg.receiver, id, amount, Bytes.empty)
    return balance
  }

  @method
  transfer(to: Address, amount: TokenAmount, operatorData: Bytes): TransferReturn {
    const from = msg.caller
    const id = to.id()
    this.debit(from, amount)
    this.credit(id, amount)
    const data = this.notify(from, id, amount, operatorData)
    return new TransferReturn(this.balanceOf(from), this.balanceOf(id), data)
  }

  @method
  transferFrom(from: Address, to: Address, amount: TokenAmount, operatorData: Bytes): TransferFromReturn {
    const source = from.id()
    const id = to.id()
    const left = this.spend(source, amount)
    this.debit(source, amount)
    this.credit(id, amount)
    const data = this.notify(source, id, amount, operatorData)
    return new TransferFromReturn(this.balanceOf(source), this.balanceOf(id), left, data)
  }

  @method
  increaseAllowance(operator: Address, increase: TokenAmount): TokenAmount {
    const grant = new Grant(msg.caller, operator.id())
    return this.grant(grant, this.allowances.getOr(grant, TokenAmount.zero) + increase)
  }

  @method
  decreaseAllowance(operator: Address, decrease: TokenAmount): TokenAmount {
    const grant = new Grant(msg.caller, operator.id())
    const now = this.allowances.getOr(grant, TokenAmount.zero)
    return this.grant(grant, now > decrease ? now - decrease : TokenAmount.zero)
  }

  @method
  revokeAllowance(operator: Address): void {
    this.grant(new Grant(msg.caller, operator.id()), TokenAmount.zero)
  }

  @method
  burn(amount: TokenAmount): BurnReturn {
    this.supply -= amount
    return new BurnReturn(this.debit(msg.caller, amount))
  }

  @method
  burnFrom(owner: Address, amount: TokenAmount): BurnFromReturn {
    const id = owner.id()
    const left = this.spend(id, amount)
    this.supply -= amount
    return new BurnFromReturn(this.debit(id, amount), left)
  }

  protected balanceOf(id: ActorId): TokenAmount {
    return this.balances.getOr(id, TokenAmount.zero)
  }

  protected grant(grant: Grant, value: TokenAmount): TokenAmount {
    if (value == TokenAmount.zero) this.allowances.delete(grant)
    else this.allowances.set(grant, value)
    return value
  }

  protected credit(id: ActorId, amount: TokenAmount): TokenAmount {
    const balance = this.balanceOf(id) + amount
    if (balance != TokenAmount.zero) this.balances.set(id, balance)
    return balance
  }

  protected debit(id: ActorId, amount: TokenAmount): TokenAmount {
    const balance = this.balanceOf(id)
    require(balance >= amount, 'insufficient balance', ExitCode.InsufficientFunds)
    const left = balance - amount
    if (left == TokenAmount.zero) this.balances.delete(id)
    else this.balances.set(id, left)
    return left
  }

  /** Uses up an allowance that `owner` gave to the caller. */
  protected spend(owner: ActorId, amount: TokenAmount): TokenAmount {
    const grant = new Grant(owner, msg.caller)
    const now = this.allowances.getOr(grant, TokenAmount.zero)
    require(now != TokenAmount.zero && now >= amount, 'allowance too small', ExitCode.Forbidden)
    return this.grant(grant, now - amount)
  }

  /** Emits the transfer and asks the receiver, whose refusal undoes everything. */
  protected notify(from: ActorId, to: ActorId, amount: TokenAmount, data: Bytes): Bytes {
    emit(new Transfer(msg.caller, from, to, amount))
    const received = new FRC46TokenReceived(from, to, msg.caller, amount, data, Bytes.empty)
    return at<UniversalReceiver>(to).receive(FRC46_TYPE, encode(received))
  }
}
