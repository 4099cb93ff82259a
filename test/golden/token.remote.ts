// The interface of Token, from its ABI.

import { bare, method, remote, view, Address, Bytes, TokenAmount } from 'troupe/actor'

export class BurnFromReturn {
  constructor(
    public balance: TokenAmount,
    public allowance: TokenAmount,
  ) {}
}

export class BurnReturn {
  constructor(
    public balance: TokenAmount,
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

export class TransferReturn {
  constructor(
    public fromBalance: TokenAmount,
    public toBalance: TokenAmount,
    public recipientData: Bytes,
  ) {}
}

@remote
export abstract class Token {
  @view
  name(): string { unreachable() }

  @view
  symbol(): string { unreachable() }

  @view
  granularity(): u64 { unreachable() }

  @view
  totalSupply(): TokenAmount { unreachable() }

  @view @bare
  balance(owner: Address): TokenAmount { unreachable() }

  @view
  allowance(owner: Address, operator: Address): TokenAmount { unreachable() }

  @method
  mint(to: Address, amount: TokenAmount): TokenAmount { unreachable() }

  @method
  transfer(to: Address, amount: TokenAmount, operatorData: Bytes): TransferReturn { unreachable() }

  @method
  transferFrom(from: Address, to: Address, amount: TokenAmount, operatorData: Bytes): TransferFromReturn { unreachable() }

  @method
  increaseAllowance(operator: Address, increase: TokenAmount): TokenAmount { unreachable() }

  @method
  decreaseAllowance(operator: Address, decrease: TokenAmount): TokenAmount { unreachable() }

  @method
  revokeAllowance(operator: Address): void { unreachable() }

  @method
  burn(amount: TokenAmount): BurnReturn { unreachable() }

  @method
  burnFrom(owner: Address, amount: TokenAmount): BurnFromReturn { unreachable() }
}
