// An account of a secp256k1 or BLS key. The machine makes it when something is sent to the key's address.

import { Address, Bytes, ExitCode, actor, bare, crypto, fail, fallback, method, msg, require, view } from 'troupe/actor'

const SYSTEM_ACTOR: u64 = 0
const SECP256K1: u8 = 1
const BLS: u8 = 3
/** The kind of key is known, so a signature comes without the byte that says it. */
const SIGNATURE_SECP256K1: u8 = 1
const SIGNATURE_BLS: u8 = 2
/** Numbers from here on are for anybody's methods: an account takes them all and does nothing. */
const FIRST_EXPORTED: u64 = 1 << 24

@actor
export class Account {
  address: Address

  @bare
  constructor(address: Address) {
    require(msg.caller == SYSTEM_ACTOR, 'only the system makes accounts', ExitCode.Forbidden)
    require(address.protocol == SECP256K1 || address.protocol == BLS, 'not the address of a key')
    this.address = address
  }

  @view(2)
  pubkeyAddress(): Address {
    return this.address
  }

  @view
  authenticateMessage(signature: Bytes, message: Bytes): bool {
    const type = Bytes.alloc(1)
    type[0] = this.address.protocol == BLS ? SIGNATURE_BLS : SIGNATURE_SECP256K1
    const isGood = crypto.verify(type.concat(signature), this.address, message)
    require(isGood, 'the signature is not of this account')
    return true
  }

  @fallback
  accept(number: u64, params: Bytes): Bytes {
    if (number < FIRST_EXPORTED) fail(ExitCode.UnhandledMessage, 'no such method')
    return Bytes.empty
  }
}
