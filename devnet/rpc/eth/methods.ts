/**
 * `eth_*`, `net_*`, `web3_*`: for now what a wallet asks first, and the clock and snapshot verbs of other devnets.
 * Amounts are hex quantities of attoFIL; blocks are heights.
 */

import type { Devnet } from '../../node/devnet.ts'
import { keccak256 } from '../../primitives/hash.ts'
import { VERSION } from '../../primitives/version.ts'
import { ethAddressToFilecoin } from '../../state/address.ts'
import type { TokenAmount } from '../../state/token.ts'
import { asBytes, asCount, asInteger, asText, hex, invalid } from '../convert.ts'
import type { Method } from '../router.ts'

const ADDRESS_BYTES = 20

function quantity(value: bigint | number): string {
  return `0x${value.toString(16)}`
}

/** A masked id address is the actor of that id. */
function asEthAddress(value: unknown) {
  const bytes = asBytes(value, 'the address')
  if (bytes.length !== ADDRESS_BYTES) throw invalid(`an address has ${ADDRESS_BYTES} bytes, not ${bytes.length}`)
  return ethAddressToFilecoin(bytes)
}

export function ethMethods(
  devnet: Devnet,
  own: ReadonlyMap<string, Method>,
): { readonly methods: Map<string, Method>; readonly powers: Set<string> } {
  const { chain } = devnet
  const { application } = chain

  /** Only the newest state and its predecessors by number are known. */
  const machineAt = (tag: unknown) => {
    if (tag === undefined || tag === 'latest' || tag === 'pending' || tag === 'safe' || tag === 'finalized')
      return application.queryMachine()
    if (tag === 'earliest') return application.machineAfter(0)
    return application.machineAfter(asCount(tag, 'the block number', Number.MAX_SAFE_INTEGER))
  }
  const actorAt = (address: unknown, tag: unknown) => {
    const { state } = machineAt(tag).context
    const id = state.resolve(asEthAddress(address))
    return id === undefined ? undefined : state.getActor(id)
  }

  const reading: Record<string, Method> = {
    eth_chainId: () => quantity(devnet.chainId),
    eth_blockNumber: () => quantity(application.head.height),
    eth_gasPrice: () => quantity(application.head.nextBaseFee + 100n),
    eth_maxPriorityFeePerGas: () => quantity(100n),
    eth_getBalance: ([address, tag]) => quantity(actorAt(address, tag)?.balance ?? 0n),
    eth_getTransactionCount: ([address, tag]) => {
      const committed = actorAt(address, tag)?.sequence ?? 0n
      return quantity(tag === 'pending' ? chain.mempool.nextSequence(asEthAddress(address), committed) : committed)
    },
    eth_syncing: () => false,
    net_version: () => devnet.chainId.toString(),
    net_listening: () => true,
    net_peerCount: () => '0x0',
    web3_clientVersion: () => `troupe/${VERSION}`,
    web3_sha3: ([data]) => hex(keccak256(asBytes(data, 'the data'))),
  }

  const mine: Method = async ([count]) => {
    await chain.mine(count === undefined ? 1 : asCount(count, 'the count', 10_000))
    return '0x0'
  }
  const increaseTime: Method = ([seconds]) => {
    chain.warp({ byMs: Number(asInteger(seconds, 'the seconds')) * 1000 })
    return Number(asInteger(seconds, 'the seconds'))
  }
  const setTime: Method = ([seconds]) => {
    chain.warp({ toMs: Number(asInteger(seconds, 'the time')) * 1000 })
    return true
  }
  const setBalance: Method = async ([address, amount]) => {
    await chain.apply([
      {
        power: 'set-balance',
        address: asEthAddress(address),
        balance: asInteger(amount, 'the balance') as TokenAmount,
      },
    ])
    return true
  }
  const setNonce: Method = async ([address, nonce]) => {
    await chain.apply([
      { power: 'set-sequence', address: asEthAddress(address), sequence: asInteger(nonce, 'the nonce') },
    ])
    return true
  }
  const setAutomine: Method = ([on]) => {
    chain.policy = { kind: on === true ? 'auto' : 'manual' }
    return true
  }
  const setIntervalMining: Method = ([seconds]) => {
    const every = Number(asText(String(seconds), 'the interval'))
    chain.policy = every > 0 ? { kind: 'interval', intervalMs: every * 1000 } : { kind: 'manual' }
    return true
  }
  const powers: Record<string, Method> = {
    evm_mine: mine,
    anvil_mine: mine,
    hardhat_mine: mine,
    evm_increaseTime: increaseTime,
    evm_setNextBlockTimestamp: setTime,
    anvil_setNextBlockTimestamp: setTime,
    evm_setTime: setTime,
    evm_snapshot: own.get('troupe_snapshot')!,
    anvil_snapshot: own.get('troupe_snapshot')!,
    evm_revert: own.get('troupe_revert')!,
    anvil_revert: own.get('troupe_revert')!,
    anvil_setBalance: setBalance,
    hardhat_setBalance: setBalance,
    anvil_setNonce: setNonce,
    hardhat_setNonce: setNonce,
    evm_setAutomine: setAutomine,
    anvil_setAutomine: setAutomine,
    anvil_setIntervalMining: setIntervalMining,
    evm_setIntervalMining: setIntervalMining,
  }
  return {
    methods: new Map([...Object.entries(reading), ...Object.entries(powers)]),
    powers: new Set(Object.keys(powers)),
  }
}
