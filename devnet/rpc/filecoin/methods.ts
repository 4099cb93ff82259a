/**
 * `Filecoin.*`: what a client library of Lotus expects of a node, over the devnet's chain. A tipset has one block; its
 * state is the state after that block's messages, and they can be asked for at once.
 *
 * @source lotus `api/api_full.go`, `documentation/en/api-v1-unstable-methods.md`
 */
import { MessageRefused } from '../../engine/executor.ts'
import type { Machine } from '../../engine/machine.ts'
import { formatCid } from '../../ipld/cid.ts'
import { type CborValue, decodeCbor, isLink } from '../../ipld/dag-cbor.ts'
import { formatEthAddress } from '../../node/accounts.ts'
import type { BlockHeader, MessageLocation } from '../../node/chain-records.ts'
import type { Devnet } from '../../node/devnet.ts'
import { GAS_MARKET } from '../../node/gas-market.ts'
import {
  accountOfAddress,
  completeMessage,
  EstimateError,
  estimateGas,
  signTransaction,
  tryMessage,
} from '../../node/messages.ts'
import { decodeTransaction, encodeTransaction, type SignedTransaction } from '../../node/transaction.ts'
import { VERSION } from '../../primitives/version.ts'
import type { Actor, ActorId } from '../../state/actor.ts'
import {
  type Address,
  addressProtocol,
  decodeAddress,
  delegatedToEthAddress,
  ethAddressToFilecoin,
  formatAddress,
  idAddress,
  parseAddress,
} from '../../state/address.ts'
import { type Message, messageCid } from '../../state/message.ts'
import { asBytes, asCount, asText, hex, invalid } from '../convert.ts'
import { RpcError } from '../errors.ts'
import type { Method, Session } from '../router.ts'
import {
  asCid,
  asMessage,
  asSignedMessage,
  base64,
  blockCid,
  cidJson,
  messageJson,
  receiptJson,
  signedMessageJson,
  tipsetJson,
} from './json.ts'

const API_VERSION = 0x020300
/** Lotus' answer for what does not exist in a state. */
const NOT_FOUND = 1

export function filecoinMethods(devnet: Devnet): {
  readonly methods: Map<string, Method>
  readonly powers: Set<string>
} {
  const filecoin = new FilecoinApi(devnet)
  const methods: Record<string, Method> = {
    Version: () => ({ Version: `troupe-${VERSION}`, APIVersion: API_VERSION, BlockDelay: 1 }),
    NodeStatus: () => ({ SyncStatus: { Epoch: devnet.chain.application.head.height, Behind: 0 } }),
    StateNetworkName: () => devnet.networkName,
    StateNetworkVersion: () => devnet.chain.application.config.profile.networkVersion,
    StateGetNetworkParams: () => ({
      NetworkName: devnet.networkName,
      BlockDelaySecs: 1,
      ConsensusMinerMinPower: '0',
      Eip155ChainID: Number(devnet.chainId),
      AddressPrefix: 't',
    }),

    ChainHead: () => tipsetJson(devnet.chain.application.head),
    ChainGetGenesis: () => tipsetJson(filecoin.header(0)),
    ChainGetTipSetByHeight: ([height]) =>
      tipsetJson(filecoin.header(asCount(height, 'the height', Number.MAX_SAFE_INTEGER))),
    ChainGetTipSetAfterHeight: ([height]) =>
      tipsetJson(filecoin.header(asCount(height, 'the height', Number.MAX_SAFE_INTEGER))),
    ChainGetTipSet: ([key]) => tipsetJson(filecoin.headerOfKey(key)),
    ChainGetBlockMessages: ([cid]) => filecoin.blockMessages(filecoin.headerOfKey([cid])),
    ChainGetMessagesInTipset: ([key]) => filecoin.tipsetMessages(filecoin.headerOfKey(key)),
    ChainGetMessage: ([cid]) => messageJson(filecoin.transaction(filecoin.locate(cid)).message),
    ChainReadObj: ([cid]) => filecoin.readBlock(cid),
    ChainHasObj: ([cid]) => devnet.chain.application.store.has(asCid(cid)),
    ChainNotify: (_, { session }) => filecoin.notify(session),

    MpoolPush: ([signed]) => filecoin.push(signed),
    MpoolPushMessage: ([message]) => filecoin.pushMessage(message),
    MpoolGetNonce: ([address]) => Number(filecoin.nextSequence(asAddress(address))),
    MpoolPending: () => filecoin.pending(),
    MpoolSelect: () => filecoin.pending(),

    GasEstimateMessageGas: ([message]) => messageJson(filecoin.complete(asMessage(message))),
    GasEstimateGasLimit: ([message]) => Number(filecoin.estimate(asMessage(message))),
    GasEstimateFeeCap: () => (devnet.chain.application.head.nextBaseFee * 2n + 100n).toString(),
    GasEstimateGasPremium: () => '100',

    StateCall: ([message, key]) => filecoin.call(asMessage(message), key),
    StateSearchMsg: (params) => filecoin.search(searchedCid(params)),
    StateSearchMsgLimited: ([cid]) => filecoin.search(cid),
    StateWaitMsg: ([cid]) => filecoin.wait(cid),
    StateWaitMsgLimited: ([cid]) => filecoin.wait(cid),
    StateGetReceipt: ([cid]) => filecoin.search(cid)?.Receipt ?? null,
    StateReplay: ([, cid]) => filecoin.replay(cid),
    StateGetActor: ([address, key]) => actorJson(filecoin.actor(address, key).actor),
    StateReadState: ([address, key]) => filecoin.readState(address, key),
    StateLookupID: ([address, key]) => formatAddress(idAddress(filecoin.actorId(address, key)), 't'),
    StateLookupRobustAddress: ([address, key]) => filecoin.robust(address, key),
    StateAccountKey: ([address, key]) => filecoin.accountKey(address, key),
    StateListActors: ([key]) => filecoin.listActors(key),
    StateDecodeParams: () => null,
    StateVMCirculatingSupplyInternal: () => ({
      FilCirculating: devnet.chain.application.head.circulatingSupply.toString(),
    }),

    WalletBalance: ([address]) => filecoin.balance(asAddress(address)),
    WalletList: () =>
      devnet.accounts.flatMap((account) => [
        formatAddress(account.address, 't'),
        formatAddress(account.ethAddress, 't'),
      ]),
    WalletHas: ([address]) => accountOfAddress(devnet, asAddress(address)) !== undefined,
    WalletDefaultAddress: () => formatAddress(devnet.accounts[0]!.address, 't'),
    WalletValidateAddress: ([text]) => formatAddress(asAddress(text), 't'),

    EthAddressToFilecoinAddress: ([eth]) => formatAddress(ethAddressToFilecoin(asBytes(eth, 'the address')), 't'),
    FilecoinAddressToEthAddress: ([address]) => filecoin.ethAddress(asAddress(address)),
  }
  return {
    methods: new Map(Object.entries(methods).map(([name, method]) => [`Filecoin.${name}`, method])),
    powers: new Set(['Filecoin.MpoolPushMessage']),
  }
}

/** v1 puts the tipset first, v0 has the CID alone. */
function searchedCid(params: readonly unknown[]): unknown {
  const [first, second] = params
  return Array.isArray(first) || first === null || first === undefined ? second : first
}

function asAddress(value: unknown): Address {
  try {
    return parseAddress(asText(value, 'the address'))
  } catch (error) {
    throw invalid(`the address: ${(error as Error).message}`)
  }
}

function actorJson(actor: Actor): unknown {
  return {
    Code: cidJson(actor.code),
    Head: cidJson(actor.state),
    Nonce: Number(actor.sequence),
    Balance: actor.balance.toString(),
    DelegatedAddress: actor.delegated === null ? null : formatAddress(actor.delegated, 't'),
  }
}

class FilecoinApi {
  readonly #devnet: Devnet
  #nextChannel = 1

  constructor(devnet: Devnet) {
    this.#devnet = devnet
  }

  get #application() {
    return this.#devnet.chain.application
  }

  header(height: number): BlockHeader {
    const header = this.#application.history.header(height)
    if (header === undefined)
      throw new RpcError(
        NOT_FOUND,
        `there is no tipset at height ${height}; the head is at ${this.#application.head.height}`,
      )
    return header
  }

  /** A tipset key is a list of CIDs; empty or null is the head. Newest blocks are looked at first. */
  headerOfKey(key: unknown): BlockHeader {
    const [first] = Array.isArray(key) ? key : []
    if (first === undefined || first === null) return this.#application.head
    const wanted = asCid(first)
    for (let height = this.#application.head.height; height >= 0; height--) {
      const header = this.#application.history.header(height)
      if (header !== undefined && blockCid(header) === wanted) return header
    }
    throw new RpcError(NOT_FOUND, `tipset ${formatCid(wanted)} is not on the chain`)
  }

  #machine(key: unknown): Machine {
    const header = this.headerOfKey(key)
    return header.height === this.#application.head.height
      ? this.#application.queryMachine()
      : this.#application.machineAfter(header.height)
  }

  locate(cid: unknown): MessageLocation {
    const location = this.#application.history.locate(asCid(cid))
    if (location === undefined) throw new RpcError(NOT_FOUND, `message ${formatCid(asCid(cid))} is not on the chain`)
    return location
  }

  transaction({ height, index }: MessageLocation): SignedTransaction {
    const transaction = decodeTransaction(this.#application.history.block(height)!.txs[index]!)
    if (transaction.kind !== 'signed') throw new RpcError(NOT_FOUND, 'this is a devnet power, not a message')
    return transaction
  }

  #signedIn(header: BlockHeader): SignedTransaction[] {
    const block = this.#application.history.block(header.height)
    if (block === undefined) throw new RpcError(NOT_FOUND, `the messages of block ${header.height} are not kept here`)
    return block.txs.map((tx) => decodeTransaction(tx)).filter((tx) => tx.kind === 'signed')
  }

  blockMessages(header: BlockHeader): unknown {
    const signed = this.#signedIn(header)
    const bls = signed.filter(({ signature }) => signature.type === 2)
    const secp = signed.filter(({ signature }) => signature.type !== 2)
    return {
      BlsMessages: bls.map(({ message }) => messageJson(message)),
      SecpkMessages: secp.map(signedMessageJson),
      Cids: [
        ...bls.map(({ message }) => cidJson(messageCid(message))),
        ...secp.map((tx) => (signedMessageJson(tx) as { CID: unknown }).CID),
      ],
    }
  }

  tipsetMessages(header: BlockHeader): unknown {
    return this.#signedIn(header).map(({ message }) => ({
      Cid: cidJson(messageCid(message)),
      Message: messageJson(message),
    }))
  }

  readBlock(cid: unknown): string {
    const bytes = this.#application.store.get(asCid(cid))
    if (bytes === undefined) throw new RpcError(NOT_FOUND, `block ${formatCid(asCid(cid))} is not here`)
    return base64(bytes)
  }

  /** Lotus' channel convention: the answer is a channel's number, values follow as notifications. */
  notify(session: Session | null): number {
    if (session === null) throw invalid('ChainNotify needs a WebSocket')
    const channel = this.#nextChannel++
    const say = (type: string, header: BlockHeader) =>
      session.notify({
        jsonrpc: '2.0',
        method: 'xrpc.ch.val',
        params: [channel, [{ Type: type, Val: tipsetJson(header) }]],
      })
    queueMicrotask(() => say('current', this.#application.head))
    session.onClose(this.#devnet.chain.onBlock(({ header }) => say('apply', header)))
    return channel
  }

  push(value: unknown): unknown {
    const { message, signature } = asSignedMessage(value)
    return cidJson(this.#devnet.chain.submit(encodeTransaction({ kind: 'signed', origin: 0, message, signature })))
  }

  pushMessage(value: unknown): unknown {
    const message = this.complete(asMessage(value))
    const tx = signTransaction(this.#devnet, message)
    this.#devnet.chain.submit(tx)
    return signedMessageJson(decodeTransaction(tx) as SignedTransaction)
  }

  nextSequence(address: Address): bigint {
    return this.#devnet.chain.mempool.nextSequence(address, this.#application.door.senderOf(address)?.sequence ?? 0n)
  }

  pending(): unknown {
    return this.#devnet.chain.mempool
      .pending()
      .map(({ tx }) => signedMessageJson(decodeTransaction(tx) as SignedTransaction))
  }

  /** Zero stands for "estimate this", as in Lotus. */
  complete(message: Message): Message {
    const set = (key: 'gasLimit' | 'gasFeeCap' | 'gasPremium' | 'sequence') =>
      message[key] > 0n ? { [key]: message[key] } : {}
    try {
      const { from, to, value, method, params } = message
      return completeMessage(this.#devnet, {
        from,
        to,
        value,
        method,
        params,
        ...set('gasLimit'),
        ...set('gasFeeCap'),
        ...set('gasPremium'),
        ...set('sequence'),
      })
    } catch (error) {
      if (error instanceof EstimateError)
        throw new RpcError(NOT_FOUND, `message execution failed: exit ${error.exitCode}: ${error.message}`)
      throw error
    }
  }

  estimate(message: Message): bigint {
    try {
      return estimateGas(this.#application.queryMachine(), message)
    } catch (error) {
      if (error instanceof EstimateError)
        throw new RpcError(NOT_FOUND, `message execution failed: exit ${error.exitCode}: ${error.message}`)
      throw error
    }
  }

  call(message: Message, key: unknown): unknown {
    const gasLimit = message.gasLimit > 0n ? message.gasLimit : GAS_MARKET.blockGasLimit
    try {
      const result = tryMessage(this.#machine(key), { ...message, gasLimit })
      return {
        MsgCid: cidJson(messageCid(message)),
        Msg: messageJson(message),
        MsgRct: receiptJson(result),
        GasCost: {
          Message: null,
          GasUsed: '0',
          BaseFeeBurn: '0',
          OverEstimationBurn: '0',
          MinerPenalty: '0',
          MinerTip: '0',
          Refund: '0',
          TotalCost: '0',
        },
        ExecutionTrace: null,
        Error: result.note,
        Duration: 0,
      }
    } catch (error) {
      if (error instanceof MessageRefused) throw new RpcError(NOT_FOUND, error.message)
      throw error
    }
  }

  search(cid: unknown): { readonly Receipt: unknown } | null {
    const location = this.#application.history.locate(asCid(cid))
    if (location === undefined) return null
    const block = this.#application.history.block(location.height)!
    return lookup(asCid(cid), block.header, receiptJson(block.results[location.index]!))
  }

  async wait(cid: unknown): Promise<unknown> {
    const { height, result } = await this.#devnet.chain.waitFor(asCid(cid))
    return lookup(asCid(cid), this.header(height), receiptJson(result))
  }

  replay(cid: unknown): unknown {
    const location = this.locate(cid)
    const result = this.#application.traceTransaction(location)
    return {
      MsgCid: cidJson(asCid(cid)),
      Msg: messageJson(this.transaction(location).message),
      MsgRct: receiptJson(result),
      Error: result.note,
      Duration: 0,
    }
  }

  actorId(address: unknown, key: unknown): ActorId {
    const id = this.#machine(key).context.state.resolve(asAddress(address))
    if (id === undefined) throw new RpcError(NOT_FOUND, `actor not found: ${String(address)}`)
    return id
  }

  actor(address: unknown, key: unknown): { readonly id: ActorId; readonly actor: Actor } {
    const id = this.actorId(address, key)
    const actor = this.#machine(key).context.state.getActor(id)
    if (actor === undefined) throw new RpcError(NOT_FOUND, `actor not found: ${String(address)}`)
    return { id, actor }
  }

  readState(address: unknown, key: unknown): unknown {
    const { actor } = this.actor(address, key)
    const block = this.#application.store.get(actor.state)
    return {
      Balance: actor.balance.toString(),
      Code: cidJson(actor.code),
      State: block === undefined ? null : stateJson(decodeCbor(block)),
    }
  }

  robust(address: unknown, key: unknown): string {
    const { id, actor } = this.actor(address, key)
    const known = this.#devnet.actors.byId(id)
    if (actor.delegated !== null) return formatAddress(actor.delegated, 't')
    return known?.address ?? this.accountKey(address, key)
  }

  accountKey(address: unknown, key: unknown): string {
    const asked = asAddress(address)
    if (addressProtocol(asked) === 1 || addressProtocol(asked) === 3) return formatAddress(asked, 't')
    const { actor } = this.actor(address, key)
    if (actor.delegated !== null) return formatAddress(actor.delegated, 't')
    const { manifest } = this.#machine(key).context
    const block = actor.code === manifest.account ? this.#application.store.get(actor.state) : undefined
    const state = block === undefined ? null : decodeCbor(block)
    const bytes = Array.isArray(state) ? state[0] : undefined
    const found = bytes instanceof Uint8Array ? decodeAddress(bytes) : undefined
    if (found === undefined) throw new RpcError(NOT_FOUND, `${String(address)} is no account`)
    return formatAddress(found, 't')
  }

  listActors(key: unknown): string[] {
    const found: string[] = []
    this.#machine(key).context.state.forEach((id) => {
      found.push(formatAddress(idAddress(id), 't'))
    })
    return found
  }

  balance(address: Address): string {
    const { state } = this.#application.queryMachine().context
    const id = state.resolve(address)
    return (id === undefined ? 0n : (state.getActor(id)?.balance ?? 0n)).toString()
  }

  ethAddress(address: Address): string {
    const eth = delegatedToEthAddress(address)
    if (eth !== undefined) return formatEthAddress(eth)
    const masked = new Uint8Array(20)
    masked[0] = 0xff
    new DataView(masked.buffer).setBigUint64(12, this.actorId(formatAddress(address, 't'), null))
    return hex(masked)
  }
}

function lookup(cid: Parameters<typeof cidJson>[0], header: BlockHeader, receipt: unknown) {
  return {
    Message: cidJson(cid),
    Receipt: receipt,
    ReturnDec: null,
    TipSet: [cidJson(blockCid(header))],
    Height: header.height,
  }
}

/** A state block as plain JSON: arrays stay arrays, since only the actor knows its fields' names. */
function stateJson(value: CborValue): unknown {
  if (value instanceof Uint8Array) return base64(value)
  if (isLink(value)) return cidJson(value.link)
  if (Array.isArray(value)) return value.map(stateJson)
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, stateJson(item)]))
  return value
}
