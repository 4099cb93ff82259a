// The state: one block, read at the start of a call and written at its end when it changed. Around calls that might
// come back, it is committed before and reloaded after, so nothing is lost to re-entry.

import * as ipld from './sys/ipld'
import * as self from './sys/self'
import * as cbor from './cbor'
import { check } from './abort'
import { sameBytes } from './bytes'

const DAG_CBOR: u64 = 0x71
const BLAKE2B_256: u64 = 0xb220
/** The host never writes a longer CID; a state root of this actor has `CID_SIZE`. */
const CID_SIZE_MAX: u32 = 100
export const CID_SIZE: u32 = 38

const OUT: usize = memory.data(16)
const REST: usize = memory.data(8)
const ROOT: usize = memory.data(104)
const NEXT_ROOT: usize = memory.data(104)

let loadedAt: usize = 0
let loadedSize: u32 = 0
let gone: bool = false

/** Opens the block `cid` and puts the read cursor on it. */
export function openBlock(cid: usize): void {
  check(ipld.block_open(OUT, cid))
  const size = load<u32>(OUT, 12)
  const at = __alloc(size + 8)
  check(ipld.block_read(REST, load<u32>(OUT, 8), 0, at, size))
  cbor.openReader(at, size)
}

/** Stores what was written and puts its CID at `cid`. */
function link(cid: usize, size: u32): void {
  check(ipld.block_create(OUT, DAG_CBOR, cbor.writerStart(), cbor.written()))
  check(ipld.block_link(REST, load<u32>(OUT), BLAKE2B_256, 32, cid, size))
}

/** Stores what was written and answers where its CID is. */
export function putBlock(): usize {
  const cid = __alloc(CID_SIZE)
  link(cid, CID_SIZE)
  return cid
}

/** Puts the read cursor on the state. */
export function openState(): void {
  check(self.root(REST, ROOT, CID_SIZE_MAX))
  openBlock(ROOT)
  loadedAt = cbor.readerAt()
  loadedSize = <u32>(cbor.readerEnd() - loadedAt)
}

/** Makes what was written the state, unless it is already. */
export function commitState(): void {
  const size = cbor.written()
  const at = cbor.writerStart()
  if ((size == loadedSize && sameBytes(at, loadedAt, size)) || gone) return
  link(ROOT, CID_SIZE_MAX)
  check(self.set_root(ROOT))
  loadedAt = at
  loadedSize = size
}

/** Whether the state is no longer what this invocation last loaded or committed. */
export function stateMoved(): bool {
  check(self.root(REST, NEXT_ROOT, CID_SIZE_MAX))
  return !sameBytes(ROOT, NEXT_ROOT, CID_SIZE)
}

/** This actor no longer exists: nothing is committed from now on. */
export function forgetState(): void {
  gone = true
}
