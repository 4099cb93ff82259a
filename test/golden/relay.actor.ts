import { actor, at, ActorId, emit, event, method } from 'troupe/actor'
import { Tally } from './tally.actor'

@event
class Relayed {
  constructor(
    public to: ActorId,
    public by: u64,
  ) {}
}

/** Calls another actor, says so in an event, and takes its failure for an answer. */
@actor
export class Relay {
  @method
  relay(to: ActorId, by: u64): bool {
    const done = at<Tally>(to).tryAdd(by)
    if (done.ok) emit(new Relayed(to, by))
    return done.ok
  }
}
