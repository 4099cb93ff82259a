// Values to CBOR and back, resolved at compile time from the type alone. A class takes part through `__encode` and
// `__decode`, which the compiler writes for classes of the user and this SDK writes by hand for its own.

import * as cbor from './cbor'
import { ExitCode, fault } from './abort'
import { Bytes } from './bytes'

/** Writes `value` at the cursor. */
export function write<T>(value: T): void {
  if (isNullable<T>()) {
    if (!changetype<usize>(value)) {
      cbor.writeByte(0xf6)
      return
    }
  }
  if (isBoolean<T>()) cbor.writeBool(<bool>value)
  else if (isInteger<T>()) {
    if (isSigned<T>()) cbor.writeInt(<i64>value)
    else cbor.writeHead(0, <u64>value)
  } else if (isString<T>()) cbor.writeText(changetype<string>(value))
  else if (isArray<T>()) {
    const list = changetype<NonNullable<T>>(value)
    const count = list.length
    cbor.writeHead(4, count)
    for (let i = 0; i < count; i++) write<valueof<T>>(unchecked(list[i]))
  } else if (isDefined(changetype<NonNullable<T>>(value).__encode)) changetype<NonNullable<T>>(value).__encode()
  else if (isArrayLike<T>()) {
    const list = changetype<NonNullable<T>>(value)
    const count = list.length
    cbor.writeHead(4, count)
    for (let i = 0; i < count; i++) write<valueof<T>>(unchecked(list[i]))
  } else ERROR('this type cannot be encoded')
}

/** Reads a value at the cursor. */
export function read<T>(): T {
  if (isNullable<T>()) {
    if (cbor.readNull()) return changetype<T>(0)
  }
  if (isBoolean<T>()) return <T>cbor.readBool()
  if (isInteger<T>()) {
    if (isSigned<T>()) {
      const value = cbor.readInt()
      if (sizeof<T>() < 8) {
        if (<i64>(<T>value) != value) fault(ExitCode.Serialization, 'integer out of range')
      }
      return <T>value
    }
    if (sizeof<T>() == 8) return <T>cbor.readHead(0)
    return <T>cbor.readUint(<u64>(<T>-1))
  }
  if (isString<T>()) return changetype<T>(cbor.readText())
  if (isArray<T>()) {
    const count = cbor.readList()
    const list = instantiate<NonNullable<T>>()
    for (let i = 0; i < count; i++) list.push(read<valueof<T>>())
    return list
  }
  if (isDefined(changetype<NonNullable<T>>(0).__decode)) {
    const object = blank<NonNullable<T>>()
    object.__decode()
    return object
  }
  if (isArrayLike<T>()) {
    const count = cbor.readList()
    const list = instantiate<NonNullable<T>>(count)
    for (let i = 0; i < count; i++) unchecked((list[i] = read<valueof<T>>()))
    return list
  }
  ERROR('this type cannot be decoded')
}

/** An object whose constructor has not run. */
export function blank<T>(): T {
  return changetype<T>(__new(offsetof<T>(), idof<T>()))
}

/** Encodes aside, without touching the write cursor: where the bytes are; their number is in `lastLength`. */
export function encodeTo<T>(value: T): usize {
  const at = cbor.writerAt()
  const start = cbor.writerStart()
  const end = cbor.writerEnd()
  cbor.openWriter()
  write<T>(value)
  const pointer = cbor.writerStart()
  cbor.setLastLength(cbor.written())
  cbor.restoreWriter(at, start, end)
  return pointer
}

/** Decodes the one value in `length` bytes, without touching the read cursor. */
export function decodeAt<T>(pointer: usize, length: u32): T {
  const at = cbor.readerAt()
  const end = cbor.readerEnd()
  cbor.openReader(pointer, length)
  const value = read<T>()
  cbor.readDone()
  cbor.openReader(at, end - at)
  return value
}

/** The CBOR of `value`. */
export function encode<T>(value: T): Bytes {
  const pointer = encodeTo<T>(value)
  return new Bytes(pointer, cbor.lastLength)
}

/** The value whose CBOR is `bytes`; exits 21 when it is not exactly one. */
export function decode<T>(bytes: Bytes): T {
  return decodeAt<T>(bytes.ptr, bytes.length)
}
