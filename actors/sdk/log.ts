// Messages for humans. The release build has no trace of them: the compiler removes the calls.

import * as debug from './sys/debug'
import { check } from './abort'
import { Bytes } from './bytes'

export function log(message: string): void {
  const bytes = Bytes.from(message)
  check(debug.log(bytes.ptr, bytes.length))
}
