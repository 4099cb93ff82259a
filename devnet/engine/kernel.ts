/**
 * What one invocation may do. Arguments are values, not pointers; every method charges before it acts.
 *
 * @source ref-fvm `fvm/src/kernel/default.rs`, `fvm/src/kernel/filecoin.rs`; spec fvm §5
 */
import { CBOR, type Cid, cidOf, RAW } from '../ipld/cid.ts'
import { copyBytes } from '../primitives/bytes.ts'
import { blake2b256, blake2b512, keccak256, ripemd160, sha256 } from '../primitives/hash.ts'
import { recoverPublicKey, verifyBls, verifyBlsAggregate } from '../primitives/keys.ts'
import { decodeUtf8 } from '../primitives/utf8.ts'
import { type Actor, type ActorId, withState } from '../state/actor.ts'
import { type Address, addressBytes, addressProtocol, secpAddress } from '../state/address.ts'
import type { EventEntry } from '../state/event.ts'
import type { TokenAmount } from '../state/token.ts'
import { type Block, type BlockRegistry, NO_BLOCK } from './block-registry.ts'
import type { CallManager } from './call-manager.ts'
import { decodeEncodedEvent } from './encoded-event.ts'
import type { ConsensusFault } from './externs.ts'
import { ErrorNumber, FatalError, OUT_OF_GAS, SyscallError } from './failure.ts'
import { addMilligas, gasToMilligas, scale } from './gas.ts'
import { codecOf, isAllowedCodec, scanLinks } from './links.ts'
import { aggregateSealsPrice, blockPrice, eventPrice, type PriceList } from './price-list.ts'
import { LIMITS } from './profile.ts'
import { type Piece, unsealedSectorCid } from './sector.ts'

const U64_MAX = (1n << 64n) - 1n
const I64_MIN = -(1n << 63n)
const I64_MAX = (1n << 63n) - 1n
const INIT_ACTOR = 1n
const BURNT_FUNDS = 99n as ActorId
const BLAKE2B_256 = 0xb220n

/** Epochs that a tipset CID may lie back in the V3 line. */
const TIPSET_LOOKBACK_MAX_V3 = 900n
/** Tag, draw and epoch: what is hashed before the entropy. */
const DRAW_PREFIX_BYTES = 8 + 32 + 8
const NO_LINKS: readonly Cid[] = []

const EVENT = { entriesMax: 255, keyBytesMax: 31, valueBytesMax: 8192 } as const

export interface InvocationArguments {
  readonly from: ActorId
  readonly to: ActorId
  readonly method: bigint
  readonly value: TokenAmount
  readonly readOnly: boolean
}

export interface SendArguments {
  readonly to: Address
  readonly method: bigint
  readonly paramsId: number
  readonly value: TokenAmount
  readonly gasLimit: bigint | null
  readonly readOnly: boolean
}

export interface SendResult {
  readonly exitCode: number
  readonly blockId: number
  readonly codec: number
  readonly size: number
}

/** One entry as the guest describes it; key and value lie in buffers of their own, one after the other. */
export interface EventHeader {
  readonly flags: bigint
  readonly codec: bigint
  readonly keySize: number
  readonly valueSize: number
}

export class Kernel {
  readonly calls: CallManager
  readonly blocks: BlockRegistry
  readonly call: InvocationArguments
  /** The last syscall of the guest that failed, when nothing succeeded since: the likely cause of its exit. */
  lastError: { readonly name: string; readonly errno: ErrorNumber; readonly message: string } | null = null

  constructor(
    calls: CallManager,
    blocks: BlockRegistry,
    to: ActorId,
    { from, method, value, readOnly }: Omit<InvocationArguments, 'to'>,
  ) {
    this.calls = calls
    this.blocks = blocks
    this.call = { from, to, method, value, readOnly }
  }

  get prices(): PriceList {
    return this.calls.machine.prices
  }

  // --- vm, network ----------------------------------------------------------------------------------------------

  chargeMessageContext(): void {
    this.calls.gas.charge('OnMessageContext', 0)
  }

  chargeNetworkContext(): void {
    this.calls.gas.charge('OnNetworkContext', 0)
  }

  tipsetCid(epoch: bigint): Cid {
    if (epoch < 0n) throw new SyscallError(ErrorNumber.IllegalArgument, `epoch ${epoch} is negative`)
    const offset = this.calls.machine.epoch - epoch
    if (offset <= 0n) throw new SyscallError(ErrorNumber.IllegalArgument, `epoch ${epoch} has no tipset yet`)
    this.#chargeTipset(offset)
    const cid = this.calls.machine.externs.tipsetCid(epoch)
    if (cid === undefined) throw new FatalError(`no tipset CID is known for epoch ${epoch}`)
    return cid
  }

  #chargeTipset(offset: bigint): void {
    if (this.calls.machine.line.name === 'V4') {
      this.#chargeLookback('OnTipsetCid', offset)
      return
    }
    if (offset >= TIPSET_LOOKBACK_MAX_V3) {
      throw new SyscallError(ErrorNumber.IllegalArgument, 'the epoch lies too far back')
    }
    this.calls.gas.charge('OnTipsetCid', offset === 1n ? this.prices.tipset.parent : this.prices.tipset.older)
  }

  /** The V3 line draws for the actor: blake2b-256 of tag, the epoch's draw, epoch and entropy. */
  mixedRandomness(source: 'chain' | 'beacon', tag: bigint, epoch: bigint, entropy: Uint8Array): Uint8Array {
    const { flat, perUnit } = this.prices.draw
    this.calls.gas.charge('OnGetRandomness', flat + perUnit * (entropy.length + DRAW_PREFIX_BYTES))
    return mixDraw(tag, this.#draw(source, epoch), epoch, entropy)
  }

  randomness(source: 'chain' | 'beacon', epoch: bigint): Uint8Array {
    const lookback = this.calls.machine.epoch - epoch
    if (lookback < I64_MIN || lookback > I64_MAX) {
      throw new SyscallError(ErrorNumber.IllegalArgument, `epoch ${epoch} is out of range`)
    }
    this.#chargeLookback('OnGetRandomness', lookback)
    return this.#draw(source, epoch)
  }

  #draw(source: 'chain' | 'beacon', epoch: bigint): Uint8Array {
    const { externs } = this.calls.machine
    const drawn = source === 'chain' ? externs.chainRandomness(epoch) : externs.beaconRandomness(epoch)
    if (drawn === undefined) throw new SyscallError(ErrorNumber.IllegalArgument, `no randomness at epoch ${epoch}`)
    return drawn
  }

  /** An epoch in the future is a huge unsigned distance. */
  #chargeLookback(name: string, lookback: bigint): void {
    const { flat, perUnit } = this.prices.lookback
    this.calls.gas.charge(name, addMilligas(flat, scale(perUnit, BigInt.asUintN(64, lookback))))
  }

  // --- ipld -----------------------------------------------------------------------------------------------------

  openBlock(cid: Cid): { id: number; block: Block } {
    const { calls, prices } = this
    const { tracksLinks } = calls.machine.line
    calls.gas.charge('OnBlockOpenBase', prices.blockOpenBase)
    if (tracksLinks && !this.blocks.isReachable(cid))
      throw new SyscallError(ErrorNumber.NotFound, 'the block is not reachable')
    const bytes = calls.machine.store.get(cid)
    if (bytes === undefined) throw new FatalError('a reachable block is missing from the store')
    calls.trace?.push({ kind: 'get', cid, size: bytes.length })
    const codec = codecOf(cid)
    if (!tracksLinks) {
      calls.gas.charge('OnBlockOpenPerByte', blockPrice(prices, bytes.length, 0, 0))
      return this.#openPlain({ codec, bytes, links: NO_LINKS })
    }
    const links = scanLinks(codec, bytes, prices, calls.gas)
    calls.gas.charge('OnBlockOpen', blockPrice(prices, bytes.length, links.length, prices.linkTracked))
    const block: Block = { codec, bytes, links }
    return { id: this.blocks.putReachable(block), block }
  }

  /** Where links are not tracked, the registry looks at the codec, last of all. */
  #openPlain(block: Block): { id: number; block: Block } {
    if (!isAllowedCodec(block.codec)) {
      throw new SyscallError(ErrorNumber.IllegalCodec, `codec ${block.codec} is not allowed`)
    }
    return { id: this.blocks.putReachable(block), block }
  }

  /** `bytes` is live guest memory: copied here, once it is paid for. */
  createBlock(codec: bigint, bytes: Uint8Array): number {
    const { calls, prices } = this
    if (bytes.length > LIMITS.blockBytes) throw new SyscallError(ErrorNumber.LimitExceeded, 'a block has at most 1 MiB')
    const small = Number(codec)
    if (!calls.machine.line.tracksLinks) {
      calls.gas.charge('OnBlockCreate', blockPrice(prices, bytes.length, 0, 0))
      return this.#openPlain({ codec: small, bytes: copyBytes(bytes), links: NO_LINKS }).id
    }
    if (!isAllowedCodec(small)) throw new SyscallError(ErrorNumber.IllegalCodec, `codec ${codec} is not allowed`)
    const links = scanLinks(small, bytes, prices, calls.gas)
    calls.gas.charge('OnBlockCreate', blockPrice(prices, bytes.length, links.length, prices.linkChecked))
    return this.blocks.putChecked({ codec: small, bytes: copyBytes(bytes), links })
  }

  linkBlock(id: number, hash: bigint, hashSize: number): Cid {
    if (hash !== BLAKE2B_256 || hashSize !== 32) {
      throw new SyscallError(ErrorNumber.IllegalCid, 'only blake2b-256 with 32 bytes makes a CID')
    }
    const { codec, bytes } = this.blocks.get(id)
    const { flat, perUnit } = this.prices.blockLink
    this.calls.gas.charge('OnBlockLink', flat + perUnit * bytes.length)
    const cid = cidOf(codec, bytes)
    this.calls.machine.store.put(cid, bytes)
    this.blocks.markReachable(cid)
    this.calls.trace?.push({ kind: 'put', cid, size: bytes.length })
    return cid
  }

  /** The bytes of block `id` from `offset`, at most `size`; the second number is what lies beyond, negative for too little. */
  readBlock(id: number, offset: number, size: number): { bytes: Uint8Array; remaining: number } {
    const end = offset + size
    if (end > 0x7fff_ffff) throw new SyscallError(ErrorNumber.IllegalArgument, 'offset and size exceed an i32')
    const { bytes } = this.blocks.get(id)
    const start = Math.min(offset, bytes.length)
    const read = bytes.subarray(start, Math.min(bytes.length, end))
    this.calls.gas.charge('OnBlockRead', this.prices.blockCopyPerByte * read.length)
    return { bytes: read, remaining: bytes.length - end }
  }

  statBlock(id: number): Block {
    this.calls.gas.charge('OnBlockStat', 0)
    return this.blocks.get(id)
  }

  // --- self -----------------------------------------------------------------------------------------------------

  root(): Cid {
    if (this.calls.machine.line.tracksLinks) this.calls.gas.charge('OnActorGetRoot', this.prices.linkTracked)
    const actor = this.#self()
    if (actor === undefined) throw new SyscallError(ErrorNumber.IllegalOperation, 'the actor is deleted')
    this.blocks.markReachable(actor.state)
    return actor.state
  }

  setRoot(cid: Cid): void {
    this.#refuseReadOnly('the state root cannot change')
    if (this.calls.machine.line.tracksLinks) {
      this.calls.gas.charge('OnActorSetRoot', this.prices.linkChecked)
      if (!this.blocks.isReachable(cid)) throw new SyscallError(ErrorNumber.NotFound, 'the new root is not reachable')
    }
    const actor = this.#self()
    if (actor === undefined) throw new SyscallError(ErrorNumber.IllegalOperation, 'the actor is deleted')
    this.calls.setActor(this.call.to, withState(actor, cid))
  }

  currentBalance(): TokenAmount {
    this.calls.gas.charge('OnSelfBalance', 0)
    return this.#self()?.balance ?? (0n as TokenAmount)
  }

  selfDestruct(burnUnspent: boolean): void {
    this.#refuseReadOnly('an actor cannot delete itself')
    this.calls.gas.charge('OnDeleteActor', 0)
    const balance = this.currentBalance()
    if (balance !== 0n) {
      if (!burnUnspent) throw new SyscallError(ErrorNumber.IllegalOperation, 'the actor still has funds')
      this.#burn(balance)
    }
    this.calls.deleteActor(this.call.to)
  }

  /** As the V3 line has it: what the actor has goes to a beneficiary, not to nobody. */
  selfDestructTo(beneficiary: Address): void {
    this.#refuseReadOnly('an actor cannot delete itself')
    this.calls.gas.charge('OnDeleteActor', 0)
    const balance = this.currentBalance()
    if (balance !== 0n) {
      const heir = this.resolveAddress(beneficiary)
      if (heir === this.call.to) throw new SyscallError(ErrorNumber.Forbidden, 'an actor cannot be its own beneficiary')
      this.calls.transfer(this.call.to, heir, balance)
    }
    this.calls.deleteActor(this.call.to)
  }

  /** Whatever goes wrong while burning is fatal, even running out of gas. */
  #burn(balance: TokenAmount): void {
    try {
      this.calls.transfer(this.call.to, BURNT_FUNDS, balance)
    } catch (error) {
      if (error === OUT_OF_GAS || error instanceof SyscallError) throw new FatalError('burning the balance failed')
      throw error
    }
  }

  #self(): Actor | undefined {
    return this.calls.getActor(this.call.to)
  }

  #refuseReadOnly(what: string): void {
    if (this.call.readOnly) throw new SyscallError(ErrorNumber.ReadOnly, `${what} in a read-only call`)
  }

  // --- actor ----------------------------------------------------------------------------------------------------

  resolveAddress(address: Address): ActorId {
    this.calls.gas.charge('OnResolveAddress', 0)
    const id = this.calls.resolve(address)
    if (id === undefined) throw new SyscallError(ErrorNumber.NotFound, 'no actor has this address')
    return id
  }

  actorCode(id: ActorId): Cid {
    this.calls.gas.charge('OnGetActorCodeCid', 0)
    return this.#actor(id).code
  }

  delegatedAddress(id: ActorId): Address | null {
    this.calls.gas.charge('OnLookupAddress', 0)
    return this.#actor(id).delegated
  }

  balanceOf(id: ActorId): TokenAmount {
    this.calls.gas.charge('OnBalanceOf', 0)
    return this.#actor(id).balance
  }

  #actor(id: ActorId): Actor {
    const actor = this.calls.getActor(id)
    if (actor === undefined) throw new SyscallError(ErrorNumber.NotFound, `actor ${id} does not exist`)
    return actor
  }

  builtinType(code: Cid): number {
    this.calls.gas.charge('OnGetBuiltinActorType', 0)
    return this.calls.machine.manifest.types.get(code) ?? 0
  }

  codeForType(type: number): Cid {
    this.calls.gas.charge('OnGetCodeCidForType', 0)
    const code = this.calls.machine.manifest.codes[type - 1]
    if (code === undefined) throw new SyscallError(ErrorNumber.IllegalArgument, `no built-in actor has type ${type}`)
    return code
  }

  createActor(code: Cid, id: ActorId, delegated: Address | null): void {
    if (this.call.to !== INIT_ACTOR) throw new SyscallError(ErrorNumber.Forbidden, 'only the init actor creates actors')
    this.#refuseReadOnly('actors cannot be made')
    this.calls.createActor(code, id, delegated)
  }

  // --- crypto ---------------------------------------------------------------------------------------------------

  /** `type` 1 secp256k1, 2 BLS. */
  verifySignature(type: 1 | 2, signature: Uint8Array, signer: Address, plaintext: Uint8Array): boolean {
    const { flat, perUnit } = type === 1 ? this.prices.secpVerify : this.prices.blsVerify
    this.calls.gas.charge('OnVerifySignature', flat + perUnit * plaintext.length)
    const protocol = addressProtocol(signer)
    if (protocol !== 1 && protocol !== 3) {
      throw new SyscallError(ErrorNumber.IllegalArgument, `addresses of protocol ${protocol} have no key`)
    }
    if (type === 2) return protocol === 3 && verifyBls(signature, plaintext, addressBytes(signer).subarray(1))
    if (protocol !== 1 || signature.length !== 65) return false
    const key = recoverPublicKey(blake2b256(plaintext), signature)
    return key !== undefined && secpAddress(key) === signer
  }

  verifyBlsAggregate(
    signature: Uint8Array,
    keys: readonly Uint8Array[],
    plaintexts: Uint8Array,
    sizes: readonly number[],
  ): boolean {
    const hashing = this.prices.blsHashPerByte * plaintexts.length
    this.calls.gas.charge(
      'OnVerifyBlsAggregateSignature',
      addMilligas(scale(this.prices.blsPairing, keys.length + 1), hashing),
    )
    const messages: Uint8Array[] = []
    let at = 0
    for (const size of sizes) {
      if (size > plaintexts.length - at) throw new SyscallError(ErrorNumber.IllegalArgument, 'a plaintext is outside')
      messages.push(plaintexts.subarray(at, at + size))
      at += size
    }
    if (at !== plaintexts.length) throw new SyscallError(ErrorNumber.IllegalArgument, 'plaintext bytes are left over')
    return verifyBlsAggregate(signature, messages, keys)
  }

  recoverKey(hash: Uint8Array, signature: Uint8Array): Uint8Array {
    this.calls.gas.charge('OnRecoverSecpPublicKey', this.prices.secpRecover)
    const key = recoverPublicKey(hash, signature)
    if (key === undefined) throw new SyscallError(ErrorNumber.IllegalArgument, 'no key made this signature')
    return key
  }

  hash(code: bigint, bytes: Uint8Array): Uint8Array {
    const { sha256: sha, blake2b, keccak, ripemd } = this.prices.hashPerByte
    switch (code) {
      case 0xb220n:
        return this.#hash(blake2b, blake2b256, bytes)
      case 0x12n:
        return this.#hash(sha, sha256, bytes)
      case 0xb240n:
        return this.#hash(blake2b, blake2b512, bytes)
      case 0x1bn:
        return this.#hash(keccak, keccak256, bytes)
      case 0x1053n:
        return this.#hash(ripemd, ripemd160, bytes)
      default:
        throw new SyscallError(ErrorNumber.IllegalArgument, `no hash has code ${BigInt.asUintN(64, code)}`)
    }
  }

  #hash(perByte: number, digest: (bytes: Uint8Array) => Uint8Array, bytes: Uint8Array): Uint8Array {
    this.calls.gas.charge('OnHashing', perByte * bytes.length)
    return digest(bytes)
  }

  unsealedSectorCid(proofType: bigint, pieces: readonly Piece[]): Cid {
    this.calls.gas.charge('OnComputeUnsealedSectorCid', this.prices.unsealedSectorCid)
    const cid = unsealedSectorCid(Number(proofType), pieces)
    if (cid === undefined) throw new SyscallError(ErrorNumber.IllegalArgument, 'the pieces make no sector')
    return cid
  }

  chargeVerifyPost(sectors: number): void {
    const { flat, perUnit } = this.prices.verifyPost
    this.calls.gas.charge('OnVerifyPost', flat + perUnit * sectors)
  }

  chargeVerifySeal(): void {
    this.calls.gas.charge('OnVerifySeal', this.prices.verifySeal)
  }

  chargeVerifyAggregateSeals(sealType: bigint, count: number): void {
    this.calls.gas.charge('OnVerifyAggregateSeals', aggregateSealsPrice(this.prices, sealType, count))
  }

  chargeVerifyReplicaUpdate(): void {
    this.calls.gas.charge('OnVerifyReplicaUpdate', this.prices.verifyReplicaUpdate)
  }

  verifyConsensusFault(header1: Uint8Array, header2: Uint8Array, extra: Uint8Array): ConsensusFault | null {
    this.calls.gas.charge('OnVerifyConsensusFault', this.prices.verifyConsensusFault)
    const fault = this.calls.machine.externs.verifyConsensusFault(header1, header2, extra)
    if (fault === undefined) throw new SyscallError(ErrorNumber.IllegalArgument, 'the headers could not be judged')
    return fault
  }

  // --- gas, debug, events, send ---------------------------------------------------------------------------------

  chargeGas(name: string, amount: bigint): void {
    this.calls.gas.charge(name, gasToMilligas(amount))
  }

  log(text: string): void {
    this.calls.trace?.push({ kind: 'log', text })
  }

  emitEvent(headerOf: (index: number) => EventHeader, count: number, keys: Uint8Array, values: Uint8Array): void {
    this.#refuseReadOnly('events cannot be emitted')
    this.calls.gas.charge('OnActorEvent', eventPrice(this.prices, count, keys.length, values.length))
    if (count > EVENT.entriesMax)
      throw new SyscallError(ErrorNumber.LimitExceeded, `an event has at most ${EVENT.entriesMax} entries`)
    if (values.length > EVENT.valueBytesMax) {
      throw new SyscallError(ErrorNumber.LimitExceeded, `event values have at most ${EVENT.valueBytesMax} bytes`)
    }
    const keysText = decodeUtf8(keys)
    if (keysText === undefined) throw new SyscallError(ErrorNumber.IllegalArgument, 'event keys are not UTF-8')
    const entries: EventEntry[] = []
    let keyAt = 0
    let valueAt = 0
    for (let index = 0; index < count; index++) {
      const { flags, codec, keySize, valueSize } = headerOf(index)
      if (flags > 3n) throw new SyscallError(ErrorNumber.IllegalArgument, `event flags ${flags} are unknown`)
      if (keySize > EVENT.keyBytesMax) {
        throw new SyscallError(ErrorNumber.LimitExceeded, `an event key has at most ${EVENT.keyBytesMax} bytes`)
      }
      if (valueSize > EVENT.valueBytesMax)
        throw new SyscallError(ErrorNumber.IllegalArgument, 'an event value is too long')
      if (!isCharBoundary(keys, keyAt + keySize) || keySize > keys.length - keyAt) {
        throw new SyscallError(ErrorNumber.IllegalArgument, 'an event key is out of range')
      }
      if (valueSize > values.length - valueAt)
        throw new SyscallError(ErrorNumber.IllegalArgument, 'an event value is out of range')
      if (codec !== BigInt(RAW) && codec !== BigInt(CBOR)) {
        throw new SyscallError(ErrorNumber.IllegalCodec, `event values cannot have codec ${codec}`)
      }
      entries.push({
        flags,
        codec,
        key: keySize === keys.length ? keysText : (decodeUtf8(keys.subarray(keyAt, keyAt + keySize)) ?? ''),
        value: values.slice(valueAt, valueAt + valueSize),
      })
      keyAt += keySize
      valueAt += valueSize
    }
    if (keyAt !== keys.length) throw new SyscallError(ErrorNumber.IllegalArgument, 'event key bytes are left over')
    if (valueAt !== values.length)
      throw new SyscallError(ErrorNumber.IllegalArgument, 'event value bytes are left over')
    this.calls.events.push({ emitter: this.call.to, entries })
  }

  /** As the V3 line has it: one event as CBOR, with limits of its own. `bytes` is live guest memory. */
  emitEncodedEvent(bytes: Uint8Array): void {
    this.#refuseReadOnly('events cannot be emitted')
    const { validate, accept } = this.prices.encodedEvent
    this.calls.gas.charge('OnActorEventValidate', validate.flat + validate.perUnit * bytes.length)
    const entries = decodeEncodedEvent(bytes)
    this.calls.gas.charge('OnActorEventAccept', accept.flat + accept.perUnit * bytes.length)
    this.calls.events.push({ emitter: this.call.to, entries })
  }

  send({ to, method, paramsId, value, gasLimit, readOnly }: SendArguments): SendResult {
    const sticky = this.call.readOnly || readOnly
    if (sticky && value !== 0n) throw new SyscallError(ErrorNumber.ReadOnly, 'value cannot move in a read-only call')
    const params = paramsId === NO_BLOCK ? null : this.blocks.get(paramsId)
    if (this.blocks.isFull()) throw new SyscallError(ErrorNumber.LimitExceeded, 'no room for the return block')
    const { exitCode, value: returned } = this.calls.callInTransaction({
      from: this.call.to,
      to,
      method,
      params,
      value,
      readOnly: sticky,
      gasLimit: gasLimit === U64_MAX ? null : gasLimit,
    })
    if (returned === null) return { exitCode, blockId: NO_BLOCK, codec: 0, size: 0 }
    return { exitCode, blockId: this.blocks.putReachable(returned), codec: returned.codec, size: returned.bytes.length }
  }
}

/** Tag and epoch big-endian, 8 bytes each. */
function mixDraw(tag: bigint, draw: Uint8Array, epoch: bigint, entropy: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(DRAW_PREFIX_BYTES + entropy.length)
  const view = new DataView(bytes.buffer)
  view.setBigInt64(0, tag)
  bytes.set(draw, 8)
  view.setBigInt64(40, epoch)
  bytes.set(entropy, DRAW_PREFIX_BYTES)
  return blake2b256(bytes)
}

/** Whether `at` does not split a UTF-8 sequence. */
function isCharBoundary(bytes: Uint8Array, at: number): boolean {
  return at >= bytes.length || (bytes[at]! & 0xc0) !== 0x80
}
