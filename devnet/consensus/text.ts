/**
 * Text on the wire. The library takes any bytes for a string and hashes them as they came, so decoding loses nothing: a byte
 * that is no UTF-8 becomes the lone surrogate U+DC80 … U+DCFF, and that character becomes the byte again.
 */

import { decodeUtf8, encodeUtf8 } from '../primitives/utf8.ts'

const LONE_SURROGATE = /\p{Surrogate}/u
const REPLACEMENT = '\ufffd'

const { utf8Slice } = Buffer.prototype as unknown as {
  utf8Slice(this: Uint8Array, start: number, end: number): string
}

/** The text of `bytes[start, end)`. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  const text = utf8Slice.call(bytes, start, end)
  return text.includes(REPLACEMENT) ? decodeEscaped(bytes.subarray(start, end)) : text
}

export function encodeText(text: string): Uint8Array {
  return LONE_SURROGATE.test(text) ? encodeEscaped(text) : encodeUtf8(text)
}

/** How many bytes the text has on the wire. */
export function textSize(text: string): number {
  return encodeText(text).length
}

function decodeEscaped(bytes: Uint8Array): string {
  const whole = decodeUtf8(bytes)
  if (whole !== undefined) return whole
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const size = sequenceSize(bytes[at]!)
    const character = at + size <= bytes.length ? decodeUtf8(bytes.subarray(at, at + size)) : undefined
    text += character ?? String.fromCharCode(0xdc00 + bytes[at]!)
    at += character === undefined ? 1 : size
  }
  return text
}

function sequenceSize(first: number): number {
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
}

/** Lone surrogates other than those that stand for a byte become U+FFFD. */
function encodeEscaped(text: string): Uint8Array {
  const bytes: number[] = []
  for (const character of text) {
    const code = character.codePointAt(0)!
    if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00)
    else bytes.push(...encodeUtf8(character))
  }
  return Uint8Array.from(bytes)
}
