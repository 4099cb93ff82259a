// An address that nobody has used yet: holds funds, answers every call with nothing.

import { Bytes, actor, fallback } from 'troupe/actor'

@actor
export class Placeholder {
  @fallback
  accept(number: u64, params: Bytes): Bytes {
    return Bytes.empty
  }
}
