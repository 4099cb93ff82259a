import { actor, method, view } from 'troupe/actor'

/** Counts. Its state is the one field. */
@actor
export class Counter {
  count: u64 = 0

  constructor(start: u64) {
    this.count = start
  }

  /** Adds to the counter. */
  @method
  increment(by: u64): u64 {
    this.count += by
    return this.count
  }

  @view
  get(): u64 {
    return this.count
  }
}
