/** UTF-8, strictly: no replacement characters, and a byte order mark is a character like any other. */

import { rethrowOverflow } from './assert.ts'
import { sliceBinary } from './bytes.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** The text, or undefined when the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  if (isShortAscii(bytes)) return sliceBinary(bytes, 0, bytes.length)
  try {
    return decoder.decode(bytes)
  } catch (error) {
    rethrowOverflow(error)
    return undefined
  }
}

/** Up to this size looking at each byte is faster than asking the decoder. */
const SHORT = 128

function isShortAscii(bytes: Uint8Array): boolean {
  if (bytes.length > SHORT) return false
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! > 0x7f) return false
  return true
}

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text)
}
