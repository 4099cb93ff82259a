// Gas of this message.

import * as sys from './sys/gas'
import { check } from './abort'
import { Bytes } from './bytes'

const OUT: usize = memory.data(8)

export class gas {
  static get remaining(): u64 {
    check(sys.available(OUT))
    return load<u64>(OUT)
  }

  /** Burns `amount`, under a name that shows in traces. */
  static charge(name: string, amount: u64): void {
    const bytes = Bytes.from(name)
    check(sys.charge(bytes.ptr, bytes.length, amount))
  }
}
