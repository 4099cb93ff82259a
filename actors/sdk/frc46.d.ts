/** `troupe/actor/frc46` for the editor: fungible tokens as a component, and the hook that receivers have. */
import type { ActorId, Address, Bytes, Hamt, TokenAmount } from './env.d.ts'

/** The type of an FRC-46 transfer in a `Receive` hook. */
export declare const FRC46_TYPE: u32

/** FRC-53: an actor that wants to know what it receives. */
export declare abstract class UniversalReceiver {
  receive(type: u32, payload: Bytes): Bytes
}

export declare class Transfer {
  operator: ActorId
  from: ActorId
  to: ActorId
  amount: TokenAmount
  constructor(operator: ActorId, from: ActorId, to: ActorId, amount: TokenAmount)
}

export declare class TransferReturn {
  fromBalance: TokenAmount
  toBalance: TokenAmount
  recipientData: Bytes
  constructor(fromBalance: TokenAmount, toBalance: TokenAmount, recipientData: Bytes)
}

export declare class TransferFromReturn {
  fromBalance: TokenAmount
  toBalance: TokenAmount
  allowance: TokenAmount
  recipientData: Bytes
  constructor(fromBalance: TokenAmount, toBalance: TokenAmount, allowance: TokenAmount, recipientData: Bytes)
}

export declare class BurnReturn {
  balance: TokenAmount
  constructor(balance: TokenAmount)
}

export declare class BurnFromReturn {
  balance: TokenAmount
  allowance: TokenAmount
  constructor(balance: TokenAmount, allowance: TokenAmount)
}

/** What a receiver's hook is told. */
export declare class FRC46TokenReceived {
  from: ActorId
  to: ActorId
  operator: ActorId
  amount: TokenAmount
  operatorData: Bytes
  tokenData: Bytes
  constructor(
    from: ActorId,
    to: ActorId,
    operator: ActorId,
    amount: TokenAmount,
    operatorData: Bytes,
    tokenData: Bytes,
  )
}

/** Who allowed whom. */
export declare class Grant {
  owner: ActorId
  operator: ActorId
  constructor(owner: ActorId, operator: ActorId)
}

/** `@actor export class Gold extends Frc46 { constructor() { super("Gold", "GLD") } }` */
export declare abstract class Frc46 {
  tokenName: string
  tokenSymbol: string
  minter: ActorId
  supply: TokenAmount
  balances: Hamt<ActorId, TokenAmount>
  allowances: Hamt<Grant, TokenAmount>
  constructor(name: string, symbol: string)
  name(): string
  symbol(): string
  static granularity(): u64
  totalSupply(): TokenAmount
  balance(owner: Address): TokenAmount
  allowance(owner: Address, operator: Address): TokenAmount
  /** Makes new tokens; for the minter, who is the one that deployed the token. */
  mint(to: Address, amount: TokenAmount): TokenAmount
  transfer(to: Address, amount: TokenAmount, operatorData: Bytes): TransferReturn
  transferFrom(from: Address, to: Address, amount: TokenAmount, operatorData: Bytes): TransferFromReturn
  increaseAllowance(operator: Address, increase: TokenAmount): TokenAmount
  decreaseAllowance(operator: Address, decrease: TokenAmount): TokenAmount
  revokeAllowance(operator: Address): void
  burn(amount: TokenAmount): BurnReturn
  burnFrom(owner: Address, amount: TokenAmount): BurnFromReturn
  protected balanceOf(id: ActorId): TokenAmount
  protected grant(grant: Grant, value: TokenAmount): TokenAmount
  protected credit(id: ActorId, amount: TokenAmount): TokenAmount
  protected debit(id: ActorId, amount: TokenAmount): TokenAmount
  protected spend(owner: ActorId, amount: TokenAmount): TokenAmount
  protected notify(from: ActorId, to: ActorId, amount: TokenAmount, data: Bytes): Bytes
}
