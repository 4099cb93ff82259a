/** Bounds-checked views of guest memory. Pointers are u32; every violation is IllegalArgument. */
import { type Cid, readCid } from '../ipld/cid.ts'
import { type Address, decodeAddress } from '../state/address.ts'
import { ErrorNumber, SyscallError } from './failure.ts'

const PAGE = 65536
const NO_MEMORY = new ArrayBuffer(0)

export class GuestMemory {
  bytes: Uint8Array
  view: DataView
  readonly #memory: WebAssembly.Memory

  /** `size` is what the guest knows of, in bytes; an instance that ran before may have more. */
  constructor(memory: WebAssembly.Memory, size: number) {
    this.#memory = memory
    const buffer = memory.buffer ?? NO_MEMORY
    const known = Math.min(size, buffer.byteLength)
    this.bytes = new Uint8Array(buffer, 0, known)
    this.view = new DataView(buffer, 0, known)
  }

  /** Bytes now. */
  get size(): number {
    return this.bytes.length
  }

  /** Grows by `pages`; the views follow. Answers the pages before. @throws RangeError when the host has no more. */
  grow(pages: number): number {
    const before = this.bytes.length / PAGE
    const size = this.bytes.length + pages * PAGE
    const missing = size - this.#memory.buffer.byteLength
    if (missing > 0) this.#memory.grow(missing / PAGE)
    this.bytes = new Uint8Array(this.#memory.buffer, 0, size)
    this.view = new DataView(this.#memory.buffer, 0, size)
    return before
  }

  fits(offset: number, size: number): boolean {
    return offset <= this.bytes.length && size <= this.bytes.length - offset
  }

  check(offset: number, size: number): void {
    if (!this.fits(offset, size)) {
      throw new SyscallError(ErrorNumber.IllegalArgument, `${size} bytes at ${offset} are outside of memory`)
    }
  }

  /** A live view; copy it before anything else runs. */
  slice(offset: number, size: number): Uint8Array {
    this.check(offset, size)
    return this.bytes.subarray(offset, offset + size)
  }

  copy(offset: number, size: number): Uint8Array {
    this.check(offset, size)
    return this.bytes.slice(offset, offset + size)
  }

  /** A CID has no length: it may run up to the end of memory. */
  readCid(offset: number): Cid {
    if (offset < this.bytes.length) {
      const read = readCid(this.bytes, offset)
      if (read !== undefined) return read.cid
    }
    throw new SyscallError(ErrorNumber.IllegalArgument, `no CID at ${offset}`)
  }

  readAddress(offset: number, size: number): Address {
    const address = decodeAddress(this.slice(offset, size))
    if (address === undefined) throw new SyscallError(ErrorNumber.IllegalArgument, `no address at ${offset}`)
    return address
  }

  /** Writes a binary string into a buffer that the caller has checked; answers its size. */
  writeBinary(text: string, offset: number, size: number): number {
    if (text.length > size)
      throw new SyscallError(ErrorNumber.BufferTooSmall, `${text.length} bytes need more than ${size}`)
    for (let i = 0; i < text.length; i++) this.bytes[offset + i] = text.charCodeAt(i)
    return text.length
  }

  /** Low word first. */
  writeU128(offset: number, value: bigint): void {
    this.view.setBigUint64(offset, value & 0xffff_ffff_ffff_ffffn, true)
    this.view.setBigUint64(offset + 8, value >> 64n, true)
  }
}
