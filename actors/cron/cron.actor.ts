// Actor 3: calls those who asked for it once in every epoch, before the messages of a block.

import { Address, Bytes, ExitCode, actor, call, method, msg, require } from 'troupe/actor'

const SYSTEM_ACTOR: u64 = 0

/** Whom to call, and by which method. */
export class Entry {
  constructor(
    public receiver: Address,
    public method: u64,
  ) {}
}

@actor
export class Cron {
  entries: Array<Entry>

  constructor(entries: Array<Entry>) {
    require(msg.caller == SYSTEM_ACTOR, 'only the system calls', ExitCode.Forbidden)
    this.entries = entries
  }

  /** One failure does not keep the others from their turn. */
  @method(2)
  epochTick(): void {
    require(msg.caller == SYSTEM_ACTOR, 'only the system calls', ExitCode.Forbidden)
    const entries = this.entries
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]
      call<Address>(entry.receiver, entry.method, Bytes.empty)
    }
  }
}
