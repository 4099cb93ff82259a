import { actor } from 'troupe/actor'
import { Frc46 } from 'troupe/actor/frc46'

/** A fungible token after FRC-46: balances, transfers, allowances, burning, the receiver's hook, and a minter. */
@actor
export class Token extends Frc46 {
  constructor(name: string, symbol: string) {
    super(name, symbol)
  }
}
