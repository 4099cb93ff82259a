/** A devnet in memory for tests, and messages of its accounts. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ModuleCache } from '../../../devnet/engine/module-cache.ts'
import { type Devnet, type DevnetOptions, openDevnet } from '../../../devnet/node/devnet.ts'
import { findPackageRoot } from '../../../devnet/node/package-root.ts'
import { signMessage } from '../../../devnet/node/signatures.ts'
import { encodeTransaction } from '../../../devnet/node/transaction.ts'
import type { Message } from '../../../devnet/state/message.ts'
import type { TokenAmount } from '../../../devnet/state/token.ts'

/** Shared by all devnets of a test file, as it is by all chains of a process. */
const modules = new ModuleCache()

export const hasOwnBundle = existsSync(join(findPackageRoot(), 'dist', 'actors.car'))

export function openTestDevnet(options: DevnetOptions = {}): Devnet {
  return openDevnet({ modules, ...options })
}

/** A transfer from alice to bob, complete but for what is overridden. */
export function transfer(devnet: Devnet, overrides: Partial<Message> = {}): Message {
  const [alice, bob] = devnet.accounts
  return {
    version: 0n,
    from: alice!.address,
    to: bob!.address,
    sequence: 0n,
    value: 1n as TokenAmount,
    gasLimit: 5_000_000n,
    gasFeeCap: 1_000n as TokenAmount,
    gasPremium: 10n as TokenAmount,
    method: 0n,
    params: new Uint8Array(0),
    ...overrides,
  }
}

export function signed(devnet: Devnet, message: Message, signer = 0): Uint8Array {
  const signature = signMessage(message, devnet.accounts[signer]!.secretKey, devnet.chainId)
  return encodeTransaction({ kind: 'signed', origin: 0, message, signature })
}
