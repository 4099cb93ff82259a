// Keeps the place of a built-in actor that is not written yet: its position in the manifest is a type number.

import { Bytes, ExitCode, actor, fail, fallback } from 'troupe/actor'

@actor
export class Reserved {
  constructor() {
    fail(ExitCode.UnhandledMessage, 'this actor is not part of the bundle')
  }

  @fallback
  refuse(number: u64, params: Bytes): Bytes {
    fail(ExitCode.UnhandledMessage, 'this actor is not part of the bundle')
    return Bytes.empty
  }
}
