// The memory manager: a bump allocator that never frees, since every invocation is a fresh instance.
// An object carries its class ID and size, both u32, in the 8 bytes below it.

@lazy let top: usize = __heap_base

function grow(end: usize): void {
  const missing = ((end + 0xffff) >>> 16) - <usize>memory.size()
  if (memory.grow(<i32>missing) < 0) unreachable()
}

@global @unsafe
export function __alloc(size: usize): usize {
  const start = top
  const end = start + ((size + 7) & ~7)
  if (end > <usize>memory.size() << 16) grow(end)
  top = end
  return start
}

@global @unsafe
export function __realloc(pointer: usize, size: usize): usize {
  unreachable()
  return 0
}

@global @unsafe
export function __free(pointer: usize): void {}

@global @unsafe
export function __new(size: usize, id: u32): usize {
  const start = __alloc(size + 8)
  store<u32>(start, id)
  store<u32>(start, <u32>size, 4)
  return start + 8
}

/** Grows an object: in place when it is the last one, else by moving it with room to spare. */
@global @unsafe
export function __renew(pointer: usize, size: usize): usize {
  const old = <usize>load<u32>(pointer - 4)
  const used = (old + 7) & ~7
  if (pointer + used == top && size > old) {
    __alloc(((size + 7) & ~7) - used)
    store<u32>(pointer - 4, <u32>size)
    return pointer
  }
  const moved = __new(max(size, old << 1), load<u32>(pointer - 8))
  memory.copy(moved, pointer, min(size, old))
  store<u32>(moved - 4, <u32>size)
  return moved
}

@global @unsafe
export function __link(parent: usize, child: usize, expectMultiple: bool): void {}

@global @unsafe
export function __pin(pointer: usize): usize {
  return pointer
}

@global @unsafe
export function __unpin(pointer: usize): void {}

@global @unsafe
export function __visit(pointer: usize, cookie: u32): void {}

@global @unsafe
export function __collect(): void {}
