// Events in the form of FIP-0083: an entry a field, its value in CBOR, after a first entry that names the type.

import * as sys from './sys/event'
import * as cbor from './cbor'
import { check } from './abort'

const ENTRY_SIZE: usize = 24
const CBOR: u64 = 0x51

let entries: usize = 0
let next: usize = 0
let valuesEnd: u32 = 0

/** Starts an event of `count` entries, the first being its type. */
export function openEvent(count: u32, type: usize, length: u32): void {
  entries = next = __alloc(<usize>count * ENTRY_SIZE)
  valuesEnd = 0
  cbor.openWriter()
  cbor.writeSpan(3, type, length)
  closeEntry(3, 5)
}

/** The value was written: what it is filed under, and how. */
export function closeEntry(flags: u64, keyLength: u32): void {
  const end = cbor.written()
  store<u64>(next, flags)
  store<u64>(next, CBOR, 8)
  store<u32>(next, keyLength, 16)
  store<u32>(next, end - valuesEnd, 20)
  valuesEnd = end
  next += ENTRY_SIZE
}

export function emitEvent(keys: usize, length: u32): void {
  check(sys.emit_event(entries, <u32>((next - entries) / ENTRY_SIZE), keys, length, cbor.writerStart(), valuesEnd))
}

/** Emits an instance of an `@event` class. The compiler puts the class's own code in place of this call. */
export function emit<T>(event: T): void {
  event.__emit()
}
