/** Events as actors encoded them before network version 21. @source ref-fvm `fvm/src/kernel/default.rs` at `fvm@v3.14.1` */
import { RAW } from '../ipld/cid.ts'
import { encodeUtf8 } from '../primitives/utf8.ts'
import type { EventEntry } from '../state/event.ts'
import { ErrorNumber, SyscallError } from './failure.ts'
import { decodeLenient } from './lenient-cbor.ts'

const ENCODED_BYTES_MAX = 1 << 20
const ENTRIES_MAX = 256
const KEY_BYTES_MAX = 32
const VALUE_BYTES_MAX = 8192

/** The entries of `[[flags, key, codec, value]…]`. @throws {SyscallError} IllegalArgument, IllegalCodec */
export function decodeEncodedEvent(bytes: Uint8Array): EventEntry[] {
  if (bytes.length > ENCODED_BYTES_MAX) throw new SyscallError(ErrorNumber.IllegalArgument, 'the event is too large')
  const entries = decodeLenient(bytes, (reader) =>
    reader.list(() => {
      reader.tuple(4)
      return { flags: reader.uint(), key: reader.text(), codec: reader.uint(), value: reader.bytes().slice() }
    }),
  )
  if (entries.length > ENTRIES_MAX) {
    throw new SyscallError(ErrorNumber.IllegalArgument, `an event has at most ${ENTRIES_MAX} entries`)
  }
  let total = 0
  for (const { key, codec, value } of entries) {
    if (encodeUtf8(key).length > KEY_BYTES_MAX) {
      throw new SyscallError(ErrorNumber.IllegalArgument, `an event key has at most ${KEY_BYTES_MAX} bytes`)
    }
    if (codec !== BigInt(RAW))
      throw new SyscallError(ErrorNumber.IllegalCodec, `event values cannot have codec ${codec}`)
    total += value.length
  }
  if (total > VALUE_BYTES_MAX) {
    throw new SyscallError(ErrorNumber.IllegalArgument, `event values have at most ${VALUE_BYTES_MAX} bytes`)
  }
  return entries
}
