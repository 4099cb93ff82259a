/** The devnet's validators: keys that everybody can derive, other ones on each chain. They must never hold value. */
import type { PrivateKey } from '../consensus/key.ts'
import { concatBytes } from '../primitives/bytes.ts'
import { sha256 } from '../primitives/hash.ts'
import { encodeUtf8 } from '../primitives/utf8.ts'
import { deriveSecretKeys } from './hd-keys.ts'

/** Beside the accounts, which lie at `0'/0`. */
const PATH = "m/44'/60'/1'/0"

export function deriveValidatorKeys(mnemonic: string, chainId: bigint, count: number): PrivateKey[] {
  return deriveSecretKeys(mnemonic, PATH, count).map((seed) => {
    return { kind: 'secp256k1', secret: sha256(concatBytes(seed, encodeUtf8(`validator of chain ${chainId}`))) }
  })
}
