// This actor: balance, address, end.

import * as sys from './sys/self'
import { check } from './abort'
import { Address } from './address'
import { msg } from './message'
import { forgetState } from './state'
import { TokenAmount } from './token'

const OUT: usize = memory.data(16)

export class self {
  /** Read anew each time: calls change it. */
  static get balance(): TokenAmount {
    check(sys.current_balance(OUT))
    return new TokenAmount(load<u64>(OUT), load<u64>(OUT, 8))
  }

  /** The ID address. */
  static get address(): Address {
    return Address.fromId(msg.receiver)
  }

  /** Deletes this actor; exits 20 while the balance is not zero. */
  static destroy(): void {
    check(sys.self_destruct(0))
    forgetState()
  }

  /** Deletes this actor and burns what it has. */
  static destroyAndBurn(): void {
    check(sys.self_destruct(1))
    forgetState()
  }
}
