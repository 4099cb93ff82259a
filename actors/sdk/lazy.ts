// A value in a block of its own, read when it is wanted and written when it changed.

import * as cbor from './cbor'
import { read, write } from './codec'
import { ExitCode, fault } from './abort'
import { CID_SIZE, openBlock, putBlock } from './state'

@final
export class Lazy<T> {
  private cid: usize = 0
  private isLoaded: bool = true
  private isDirty: bool = true
  private value: T

  constructor(value: T) {
    this.value = value
  }

  get(): T {
    if (!this.isLoaded) {
      const at = cbor.readerAt()
      const end = cbor.readerEnd()
      openBlock(this.cid)
      this.value = read<T>()
      cbor.readDone()
      cbor.openReader(at, end - at)
      this.isLoaded = true
    }
    return this.value
  }

  /** A value that was changed in place has to be set again. */
  set(value: T): void {
    this.value = value
    this.isLoaded = true
    this.isDirty = true
  }

  __encode(): void {
    if (this.isDirty) {
      const at = cbor.writerAt()
      const start = cbor.writerStart()
      const end = cbor.writerEnd()
      cbor.openWriter()
      write<T>(this.value)
      this.cid = putBlock()
      cbor.restoreWriter(at, start, end)
      this.isDirty = false
    }
    cbor.writeCid(this.cid, CID_SIZE)
  }

  __decode(): void {
    this.cid = cbor.readCid()
    if (cbor.lastLength != CID_SIZE) fault(ExitCode.Serialization, 'malformed CID')
  }
}
