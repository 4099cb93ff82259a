// Content identifiers in binary form.

import * as cbor from './cbor'
import { sameBytes } from './bytes'

@final
export class Cid {
  constructor(public ptr: usize = 0, public length: u32 = 0) {}

  @operator('==')
  equals(other: Cid): bool {
    return this.length == other.length && sameBytes(this.ptr, other.ptr, this.length)
  }

  @operator('!=')
  differs(other: Cid): bool {
    return !this.equals(other)
  }

  __encode(): void {
    cbor.writeCid(this.ptr, this.length)
  }

  __decode(): void {
    this.ptr = cbor.readCid()
    this.length = cbor.lastLength
  }
}
