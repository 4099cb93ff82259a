/** Accounts of a world, which have names and IDs but no keys. */
import { type Address, formatAddress, parseAddress } from '../state/address.ts'
import { GENESIS_ACCOUNTS } from './genesis.ts'

/** Somebody with funds who can send messages. */
export interface Account {
  readonly name: string
  readonly id: bigint
  /** `t1…` */
  readonly address: string
}

const accountAddresses = new WeakMap<Account, Address>()

export function addressOf(account: Account): Address {
  return accountAddresses.get(account) ?? parseAddress(account.address)
}

/** An account whose text is made when it is wanted. */
export function createAccount(name: string, id: bigint, address: Address): Account {
  let text: string | undefined
  const account: Account = {
    name,
    id,
    get address() {
      text ??= formatAddress(address, 't')
      return text
    },
  }
  accountAddresses.set(account, address)
  return account
}

const FIRST_ACCOUNT = 100n
let named: readonly Account[] | undefined

/** The genesis's accounts; each has two actors, the `t1…` first. */
export function namedAccounts(): readonly Account[] {
  named ??= GENESIS_ACCOUNTS.map(({ name, address }, index) =>
    createAccount(name, FIRST_ACCOUNT + 2n * BigInt(index), address),
  )
  return named
}
