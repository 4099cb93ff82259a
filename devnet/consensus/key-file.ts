/**
 * A validator's and a node's files, as text: its key, what it signed last, the node's identity.
 *
 * @source CometBFT v0.38.25 `privval/file.go`, `p2p/key.go`, `libs/json`
 */

import { concatBytes, fromBinary, fromHex, toHex } from '../primitives/bytes.ts'
import { addressOf, type KeyType, type PrivateKey, PUBLIC_KEY_NAMES, publicKeyOf } from './key.ts'
import { type LastSigned, NOTHING_SIGNED } from './sign-guard.ts'

const PRIVATE_NAMES: Readonly<Record<KeyType, string>> = {
  ed25519: 'tendermint/PrivKeyEd25519',
  secp256k1: 'tendermint/PrivKeySecp256k1',
}

/** Not a file of this kind. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError'
  readonly code = 'KEY_FILE'
}

/** `priv_validator_key.json` */
export function formatKeyFile(key: PrivateKey): string {
  const publicKey = publicKeyOf(key)
  const file = {
    address: toHex(fromBinary(addressOf(publicKey))).toUpperCase(),
    pub_key: { type: PUBLIC_KEY_NAMES[key.kind], value: toBase64(publicKey.value) },
    priv_key: { type: PRIVATE_NAMES[key.kind], value: toBase64(privateBytes(key)) },
  }
  return JSON.stringify(file, null, 2)
}

/** `node_key.json` */
export function formatNodeKeyFile(key: PrivateKey): string {
  return JSON.stringify({ priv_key: { type: PRIVATE_NAMES[key.kind], value: toBase64(privateBytes(key)) } })
}

/** Of either file. @throws {KeyFileError} */
export function parseKeyFile(text: string): PrivateKey {
  const { type, value } = field(parseObject(text), 'priv_key') as { type?: unknown; value?: unknown }
  const kind = (['secp256k1', 'ed25519'] as const).find((name) => PRIVATE_NAMES[name] === type)
  if (kind === undefined || typeof value !== 'string') throw new KeyFileError('no private key of a known type')
  const bytes = fromBase64(value)
  if (bytes.length !== (kind === 'secp256k1' ? 32 : 64)) throw new KeyFileError('a private key of a wrong size')
  return { kind, secret: bytes.slice(0, 32) }
}

/** A node's name: its key's address. */
export function nodeIdOf(key: PrivateKey): string {
  return toHex(fromBinary(addressOf(publicKeyOf(key))))
}

/** `priv_validator_state.json` */
export function formatSignState({ height, round, step, signature, signBytes }: LastSigned): string {
  const place = { height: String(height), round, step }
  const signed =
    signature.length === 0
      ? place
      : { ...place, signature: toBase64(signature), signbytes: toHex(signBytes).toUpperCase() }
  return JSON.stringify(signed, null, 2)
}

/** @throws {KeyFileError} */
export function parseSignState(text: string): LastSigned {
  const file = parseObject(text)
  const { height, round, step, signature = '', signbytes = '' } = file
  const isPlace = typeof height === 'string' && /^\d{1,19}$/.test(height) && isSmall(round) && isSmall(step)
  if (!isPlace || typeof signature !== 'string' || typeof signbytes !== 'string') {
    throw new KeyFileError('no height, round and step')
  }
  if (signature === '') return { ...NOTHING_SIGNED, height: BigInt(height), round, step }
  try {
    return { height: BigInt(height), round, step, signature: fromBase64(signature), signBytes: fromHex(signbytes) }
  } catch (error) {
    throw new KeyFileError('signed bytes that are no hex', { cause: error })
  }
}

function isSmall(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0x7fff_ffff
}

/** ed25519 has the public key behind the seed. */
function privateBytes(key: PrivateKey): Uint8Array {
  return key.kind === 'secp256k1' ? key.secret : concatBytes(key.secret, publicKeyOf(key).value)
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch (error) {
    throw new KeyFileError('no JSON', { cause: error })
  }
  throw new KeyFileError('no JSON object')
}

function field(object: Readonly<Record<string, unknown>>, name: string): object {
  const value = object[name]
  if (typeof value !== 'object' || value === null) throw new KeyFileError(`no ${name}`)
  return value
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}
