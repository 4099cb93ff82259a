import { actor, ActorId, method, msg, only, require, view } from 'troupe/actor'

@actor
export class Tally {
  owner: ActorId = msg.caller
  sum: u64 = 0

  /** Adds, as only the owner may. */
  @method
  @only('owner')
  add(by: u64): u64 {
    require(by < 1000, 'too much')
    this.sum += by
    return this.sum
  }

  @view
  total(): u64 {
    return this.sum
  }
}
