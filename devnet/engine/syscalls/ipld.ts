/** `ipld`: blocks. @source ref-fvm `fvm/src/syscalls/ipld.rs`; spec fvm §5.6 */
import type { Guest } from '../guest.ts'
import type { Syscall } from './syscall.ts'
import { syscall, toU64 } from './syscall.ts'

export const ipldSyscalls: Readonly<Record<string, Syscall>> = {
  block_open: syscall('i32 i32', 16, blockOpen),
  block_create: syscall('i32 i64 i32 i32', 4, blockCreate),
  block_read: syscall('i32 i32 i32 i32 i32', 4, blockRead),
  block_stat: syscall('i32 i32', 12, blockStat),
  block_link: syscall('i32 i32 i64 i32 i32 i32', 4, blockLink),
}

/**
 * Opens a reachable block for reading. Writes: codec u64, block id u32, size u32 (16 bytes).
 *
 * @throws {SyscallError} IllegalArgument (no CID), NotFound (not reachable), Serialization, IllegalCodec
 */
function blockOpen({ kernel, memory }: Guest, out: number, cidAt: number): void {
  const { id, block } = kernel.openBlock(memory.readCid(cidAt >>> 0))
  const at = out >>> 0
  memory.view.setBigUint64(at, BigInt(block.codec), true)
  memory.view.setUint32(at + 8, id, true)
  memory.view.setUint32(at + 12, block.bytes.length, true)
}

/**
 * Makes a block of guest memory; the result is its id.
 *
 * @throws {SyscallError} IllegalArgument, LimitExceeded (over 1 MiB), IllegalCodec, Serialization, NotFound (a link)
 */
function blockCreate({ kernel, memory }: Guest, out: number, codec: bigint, at: number, size: number): void {
  const id = kernel.createBlock(toU64(codec), memory.slice(at >>> 0, size >>> 0))
  memory.view.setUint32(out >>> 0, id, true)
}

/** Copies out of a block; the result is what lies beyond the buffer, negative when it was larger. */
function blockRead({ kernel, memory }: Guest, out: number, id: number, offset: number, at: number, size: number): void {
  memory.check(at >>> 0, size >>> 0)
  const { bytes, remaining } = kernel.readBlock(id >>> 0, offset >>> 0, size >>> 0)
  memory.bytes.set(bytes, at >>> 0)
  memory.view.setInt32(out >>> 0, remaining, true)
}

/** Writes: codec u64, size u32 (12 bytes). */
function blockStat({ kernel, memory }: Guest, out: number, id: number): void {
  const { codec, bytes } = kernel.statBlock(id >>> 0)
  memory.view.setBigUint64(out >>> 0, BigInt(codec), true)
  memory.view.setUint32((out >>> 0) + 8, bytes.length, true)
}

/** Stores a block and writes its CID into a buffer; the result is the CID's size. */
function blockLink(
  { kernel, memory }: Guest,
  out: number,
  id: number,
  hash: bigint,
  hashSize: number,
  at: number,
  size: number,
): void {
  memory.check(at >>> 0, size >>> 0)
  const cid = kernel.linkBlock(id >>> 0, toU64(hash), hashSize >>> 0)
  memory.view.setUint32(out >>> 0, memory.writeBinary(cid, at >>> 0, size >>> 0), true)
}
