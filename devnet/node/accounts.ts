/**
 * The devnet's keys: ten accounts of a public mnemonic, one key with two faces each, `t1…` and `0x…`.
 *
 * @source BIP-32, BIP-39, BIP-44 with Ethereum's coin type, as anvil and Hardhat derive them
 */
import { toHex } from '../primitives/bytes.ts'
import { keccak256 } from '../primitives/hash.ts'
import { publicKeyOf } from '../primitives/keys.ts'
import { type Address, ethAddressToDelegated, secpAddress } from '../state/address.ts'
import { deriveSecretKeys } from './hd-keys.ts'

export const DEFAULT_MNEMONIC = 'test test test test test test test test test test test junk'
export const DERIVATION_PATH = "m/44'/60'/0'/0"

/** Names by index; further accounts are called by their number. */
export const ACCOUNT_NAMES = [
  'alice',
  'bob',
  'carol',
  'dave',
  'erin',
  'frank',
  'grace',
  'heidi',
  'ivan',
  'judy',
] as const

export interface DevAccount {
  readonly name: string
  readonly secretKey: Uint8Array
  /** 65 bytes, uncompressed. */
  readonly publicKey: Uint8Array
  /** The `t1…` address. */
  readonly address: Address
  /** The `t410f…` address. */
  readonly ethAddress: Address
  /** 20 bytes. */
  readonly eth: Uint8Array
}

export function deriveAccounts(mnemonic: string, count: number): DevAccount[] {
  return deriveSecretKeys(mnemonic, DERIVATION_PATH, count).map((secretKey, index) =>
    accountOf(ACCOUNT_NAMES[index] ?? `account${index}`, secretKey),
  )
}

export function accountOf(name: string, secretKey: Uint8Array): DevAccount {
  const publicKey = publicKeyOf(secretKey)
  const eth = keccak256(publicKey.subarray(1)).slice(12)
  return { name, secretKey, publicKey, eth, address: secpAddress(publicKey), ethAddress: ethAddressToDelegated(eth) }
}

/** `0x…` with the checksum of EIP-55. */
export function formatEthAddress(eth: Uint8Array): string {
  const hex = toHex(eth)
  const hash = toHex(keccak256(new TextEncoder().encode(hex)))
  return '0x' + [...hex].map((digit, i) => (Number.parseInt(hash[i]!, 16) >= 8 ? digit.toUpperCase() : digit)).join('')
}
