/**
 * Secret keys of a mnemonic: its seed is the root of a tree, in which a path names a key. The seed comes from Node's own PBKDF2: in
 * JavaScript it takes a twentieth of a second of each start, twice.
 *
 * @source BIP-32, BIP-39
 */
import { pbkdf2Sync } from 'node:crypto'
import { HDKey } from '@scure/bip32'

/** The words make no seed. */
export class MnemonicError extends RangeError {
  override readonly name = 'MnemonicError'
}

const WORD_COUNTS = [12, 15, 18, 21, 24]
const ROUNDS = 2048

/**
 * The first `count` keys below `path`, which is written as in `m/44'/60'/0'/0`. Words are not looked up: any will do.
 *
 * @throws MnemonicError
 */
export function deriveSecretKeys(mnemonic: string, path: string, count: number): Uint8Array[] {
  const parent = HDKey.fromMasterSeed(seedOf(mnemonic)).derive(path)
  return Array.from({ length: count }, (_, index) => {
    const { privateKey } = parent.deriveChild(index)
    if (privateKey === null || privateKey === undefined) throw new Error('the derived key has no secret')
    return privateKey
  })
}

function seedOf(mnemonic: string): Uint8Array {
  const words = mnemonic.normalize('NFKD')
  const count = words.split(' ').length
  if (!WORD_COUNTS.includes(count)) {
    throw new MnemonicError(`a mnemonic of ${count} words; give 12, 15, 18, 21 or 24, with one space between them`)
  }
  return pbkdf2Sync(words, 'mnemonic', ROUNDS, 64, 'sha512')
}
