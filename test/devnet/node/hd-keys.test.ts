import { HDKey } from '@scure/bip32'
import { entropyToMnemonic, mnemonicToSeedSync } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { expect, test } from 'vitest'
import { deriveSecretKeys, MnemonicError } from '../../../devnet/node/hd-keys.ts'

const JUNK = 'test test test test test test test test test test test junk'

test.each([
  ...Array.from({ length: 8 }, (_, i) =>
    entropyToMnemonic(new Uint8Array(i % 2 === 0 ? 16 : 32).fill(i * 37), wordlist),
  ),
  JUNK,
  `${'\u3042\u304a\u305e\u3089 '.repeat(11)}\u3044\u308b`,
  `${'caf\u00e9 '.repeat(14)}z`,
])('keys of "%s" are those that another implementation finds', (mnemonic) => {
  for (const path of ["m/44'/60'/0'/0", "m/44'/60'/1'/0", "m/7/2147483647'/0", 'm']) {
    const parent = HDKey.fromMasterSeed(mnemonicToSeedSync(mnemonic)).derive(path)
    const expected = Array.from({ length: 5 }, (_, index) => new Uint8Array(parent.deriveChild(index).privateKey!))
    expect(deriveSecretKeys(mnemonic, path, 5).map((key) => new Uint8Array(key))).toEqual(expected)
  }
})

test('what is no mnemonic is refused', () => {
  for (const words of ['', 'test', `${JUNK} test`, JUNK.replace(' ', '  ')]) {
    expect(() => deriveSecretKeys(words, 'm', 1)).toThrow(MnemonicError)
  }
})
