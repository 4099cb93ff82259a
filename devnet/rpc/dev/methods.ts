/** `troupe_*`: the devnet's own methods. Reading is for everybody, the powers are not. */
import type { Abi } from '../../../compiler/abi/schema.ts'
import { formatCid, parseCid } from '../../ipld/cid.ts'
import { CborReader } from '../../ipld/dag-cbor.ts'
import { formatEthAddress } from '../../node/accounts.ts'
import type { BlockPolicy, Included } from '../../node/chain.ts'
import { type Devnet, deciderOf } from '../../node/devnet.ts'
import type { BftChain } from '../../node/drivers/bft.ts'
import { GAS_MARKET } from '../../node/gas-market.ts'
import { completeMessage, EstimateError, signTransaction, tryMessage } from '../../node/messages.ts'
import type { Power } from '../../node/transaction.ts'
import { decodeTransaction } from '../../node/transaction.ts'
import { fromBinary } from '../../primitives/bytes.ts'
import { VERSION } from '../../primitives/version.ts'
import type { ActorId } from '../../state/actor.ts'
import { decodeAddress, formatAddress } from '../../state/address.ts'
import type { Message } from '../../state/message.ts'
import type { TokenAmount } from '../../state/token.ts'
import {
  asAddress,
  asBytes,
  asCount,
  asInteger,
  asObject,
  asText,
  hex,
  invalid,
  receiptJson,
  traceJson,
} from '../convert.ts'
import { RpcError } from '../errors.ts'
import type { Method } from '../router.ts'
import { asFault } from './fault.ts'
import { dumpState, loadState } from './state-dump.ts'
import { rewindTogether, tellOthers } from './together.ts'

const MINE_MAX = 10_000

export function devMethods(devnet: Devnet): { readonly methods: Map<string, Method>; readonly powers: Set<string> } {
  const snapshots = new Map<string, number>()
  let nextSnapshot = 1
  const { chain } = devnet

  const reading: Record<string, Method> = {
    troupe_status: () => status(devnet),
    troupe_accounts: () => listAccounts(devnet),
    troupe_actors: () =>
      devnet.actors.all().map((actor) => ({ ...actor, id: actor.id.toString(), code: formatCid(actor.code) })),
    troupe_actor: ([who]) => describeActor(devnet, who),
    troupe_balance: ([who]) => balanceOf(devnet, who),
    troupe_dumpState: () => dumpState(devnet),
    troupe_validators: () => listValidators(devnet),
    troupe_block: ([height]) => describeBlock(devnet, height),
    troupe_call: ([draft]) => readOnlyCall(devnet, asObject(draft, 'the call')),
    troupe_trace: ([cid]) => traceOf(devnet, cid),
    troupe_consensus: () =>
      voters(devnet)
        .view()
        .map((validator) => ({ ...validator, power: validator.power.toString(), height: validator.height.toString() })),
    troupe_faults: () => voters(devnet).faults.list(),
    troupe_receipt: async ([cid]) => {
      const location = chain.application.history.locate(parseCid(asText(cid, 'the CID')))
      if (location === undefined) return null
      return { ...location, ...receiptJson(chain.application.history.block(location.height)!.results[location.index]!) }
    },
  }

  const powers: Record<string, Method> = {
    troupe_send: ([draft]) => send(devnet, asObject(draft, 'the message')),
    troupe_deploy: ([request]) => deploy(devnet, asObject(request, 'the deployment')),
    troupe_upgrade: ([requests]) => upgrade(devnet, requests),
    troupe_mine: async ([count]) => chain.mine(asCount(count ?? 1, 'the count', MINE_MAX)),
    troupe_warp: ([change]) => {
      const { bySeconds, toSeconds } = asObject(change, 'the change')
      if (bySeconds !== undefined) chain.warp({ byMs: Number(bySeconds) * 1000 })
      else chain.warp({ toMs: Number(asInteger(toSeconds, 'toSeconds')) * 1000 })
      return true
    },
    troupe_setPolicy: ([policy]) => {
      chain.policy = asPolicy(policy)
      return true
    },
    troupe_setBalance: ([who, amount]) =>
      applied(
        chain.apply([
          {
            power: 'set-balance',
            address: asAddress(devnet, who, 'the address'),
            balance: asInteger(amount, 'the balance') as TokenAmount,
          },
        ]),
      ),
    troupe_setValidators: ([validators]) => {
      if (!Array.isArray(validators)) throw invalid('the validators are no array')
      return applied(chain.apply([{ power: 'set-validators', validators: validators.map(asValidator) }]))
    },
    troupe_setSequence: ([who, sequence]) =>
      applied(
        chain.apply([
          {
            power: 'set-sequence',
            address: asAddress(devnet, who, 'the address'),
            sequence: asInteger(sequence, 'the sequence'),
          },
        ]),
      ),
    troupe_setState: ([who, root, blocks]) => {
      if (!Array.isArray(blocks)) throw invalid('the blocks are no array')
      const power: Power = {
        power: 'set-state',
        actor: actorId(devnet, who),
        root: parseCid(asText(root, 'the root')),
        blocks: blocks.map((block, index) => asBytes(block, `block ${index}`)),
      }
      return applied(chain.apply([power]))
    },
    troupe_impersonate: ([draft]) => impersonate(devnet, asObject(draft, 'the message')),
    troupe_snapshot: () => {
      const id = `0x${(nextSnapshot++).toString(16)}`
      snapshots.set(id, chain.application.head.height)
      return id
    },
    troupe_revert: async ([id]) => {
      const height = snapshots.get(asText(id, 'the snapshot'))
      if (height === undefined) throw invalid(`there is no snapshot ${String(id)}`)
      await rewind(devnet, height)
      for (const [other, at] of snapshots) if (at > height || other === id) snapshots.delete(other)
      return true
    },
    troupe_rewind: async ([height]) => {
      const to = asCount(height, 'the height', chain.application.head.height)
      await rewind(devnet, to)
      for (const [id, at] of snapshots) if (at > to) snapshots.delete(id)
      return true
    },
    troupe_loadState: async ([dump]) => loadState(devnet, asObject(dump, 'the dump')),
    troupe_addFault: async ([fault]) => {
      const bft = voters(devnet)
      const wanted = asFault(fault, bft.names())
      await tellOthers(devnet, 'troupe_addFault', fault)
      return bft.faults.add(wanted)
    },
    troupe_clearFaults: async ([id]) => {
      const { faults } = voters(devnet)
      await tellOthers(devnet, 'troupe_clearFaults', id ?? null)
      if (id === undefined || id === null) faults.clear()
      else if (!faults.remove(asCount(id, 'the fault', Number.MAX_SAFE_INTEGER)))
        throw invalid(`there is no fault ${id}`)
      return true
    },
    // Of a validator in a process of its own, by the process that started it: `together.ts`.
    troupe_hold: async () => {
      await voters(devnet).hold()
      return true
    },
    troupe_goBack: async ([height]) => {
      const bft = voters(devnet)
      if (!bft.isHeld) throw invalid('the validator is not held; ask troupe_hold first')
      await bft.goBack(asCount(height, 'the height', Number.MAX_SAFE_INTEGER))
      await forgetActors(devnet)
      return true
    },
    troupe_goOn: () => {
      voters(devnet).goOn()
      return true
    },
    troupe_forget: ([who]) => {
      devnet.actors.remove(actorId(devnet, who))
      return true
    },
  }
  return {
    methods: new Map([...Object.entries(reading), ...Object.entries(powers)]),
    powers: new Set(Object.keys(powers)),
  }
}

/** The chain of a devnet whose validators vote. */
function voters({ bft }: Devnet): BftChain {
  if (bft === null) throw invalid('this devnet decides blocks instantly; start it with --consensus bft')
  return bft
}

/** As the application has decided; they vote from the block after the next on. */
function listValidators({ chain }: Devnet) {
  return [...chain.application.settings.validators].map(([address, { pubKey, power }]) => ({
    address: hex(fromBinary(address)),
    type: pubKey?.kind,
    key: hex(pubKey?.value ?? new Uint8Array(0)),
    power: power.toString(),
  }))
}

function asValidator(value: unknown, index: number): Extract<Power, { power: 'set-validators' }>['validators'][number] {
  const what = `validator ${index}`
  const { type = 'secp256k1', key, power } = asObject(value, what)
  if (type !== 'secp256k1' && type !== 'ed25519') throw invalid(`the type of ${what} is secp256k1 or ed25519`)
  return {
    pubKey: { kind: type, value: asBytes(key, `the key of ${what}`) },
    power: asInteger(power, `the power of ${what}`),
  }
}

async function rewind(devnet: Devnet, height: number): Promise<void> {
  const { chain, processes } = devnet
  if (processes === undefined) await chain.rewind(height)
  else await rewindTogether(voters(devnet), processes, height)
  await forgetActors(devnet)
}

/** Names go back with the chain: actors that the earlier block does not have are forgotten, older code has its interface. */
async function forgetActors(devnet: Devnet): Promise<void> {
  const { state } = devnet.chain.application.queryMachine().context
  for (const known of devnet.actors.all()) {
    const actor = state.getActor(known.id)
    if (actor === undefined) devnet.actors.remove(known.id)
    else if (actor.code !== known.code) {
      devnet.actors.put({ ...known, code: actor.code, abi: devnet.actors.abiOf(actor.code) ?? known.abi })
    }
  }
  await devnet.chain.application.store.commit()
}

function status({ chain, bft, chainId, networkName, bundle }: Devnet): unknown {
  const { head, config } = chain.application
  return {
    version: VERSION,
    chainId: chainId.toString(),
    networkName,
    profile: config.profile.name,
    networkVersion: config.profile.networkVersion,
    consensus: deciderOf({ bft, chain }),
    height: head.height,
    timeMs: head.timeMs,
    hash: hex(head.hash),
    stateRoot: formatCid(head.stateRoot),
    appHash: hex(head.appHash),
    baseFee: head.nextBaseFee.toString(),
    pending: chain.mempool.size,
    bundle: formatCid(bundle.root),
  }
}

function listAccounts({ accounts, chain }: Devnet): unknown {
  const { state } = chain.application.queryMachine().context
  return accounts.map(({ name, address, eth, ethAddress }) => {
    const [id, ethId] = [state.resolve(address), state.resolve(ethAddress)]
    const balanceOf = (actor: ActorId | undefined) =>
      actor === undefined ? '0' : (state.getActor(actor)?.balance ?? 0n).toString()
    return {
      name,
      address: formatAddress(address, 't'),
      delegated: formatAddress(ethAddress, 't'),
      eth: formatEthAddress(eth),
      id: id?.toString() ?? null,
      ethId: ethId?.toString() ?? null,
      balance: balanceOf(id),
      ethBalance: balanceOf(ethId),
    }
  })
}

/** Of any address, used or not. */
function balanceOf(devnet: Devnet, who: unknown): unknown {
  const { state } = devnet.chain.application.queryMachine().context
  const address = asAddress(devnet, who, 'the address')
  const id = state.resolve(address)
  const actor = id === undefined ? undefined : state.getActor(id)
  return {
    address: formatAddress(address, 't'),
    id: id?.toString() ?? null,
    balance: (actor?.balance ?? 0n).toString(),
  }
}

function actorId(devnet: Devnet, who: unknown): ActorId {
  const id = devnet.chain.application.queryMachine().context.state.resolve(asAddress(devnet, who, 'the actor'))
  if (id === undefined) throw invalid(`no actor has the address ${String(who)}`)
  return id
}

function describeActor(devnet: Devnet, who: unknown): unknown {
  const { state, store, manifest } = devnet.chain.application.queryMachine().context
  const id = actorId(devnet, who)
  const actor = state.getActor(id)
  if (actor === undefined) return null
  const block = store.get(actor.state)
  const known = devnet.actors.byId(id)
  const builtin = manifest.names[(manifest.types.get(actor.code) ?? 0) - 1]
  return {
    id: id.toString(),
    code: formatCid(actor.code),
    state: formatCid(actor.state),
    block: block === undefined ? null : hex(block),
    sequence: actor.sequence.toString(),
    balance: actor.balance.toString(),
    delegated: actor.delegated === null ? null : formatAddress(actor.delegated, 't'),
    name: known?.name ?? builtin ?? null,
    abi: known?.abi ?? null,
  }
}

function describeBlock({ chain }: Devnet, height: unknown): unknown {
  const number =
    height === undefined || height === 'latest'
      ? chain.application.head.height
      : asCount(height, 'the height', Number.MAX_SAFE_INTEGER)
  const header = chain.application.history.header(number)
  if (header === undefined) return null
  // Of a block that came with a snapshot the header is all that there is.
  const block = chain.application.history.block(number)
  return {
    height: header.height,
    timeMs: header.timeMs,
    hash: hex(header.hash),
    parentHash: hex(header.parentHash),
    stateRoot: formatCid(header.stateRoot),
    appHash: hex(header.appHash),
    baseFee: header.baseFee.toString(),
    gasUsed: header.gasUsed.toString(),
    txs: block?.txs.map(hex) ?? null,
    receipts: block?.results.map(receiptJson) ?? null,
  }
}

function asDraft(devnet: Devnet, draft: Record<string, unknown>) {
  const optional = (key: string) =>
    draft[key] === undefined || draft[key] === null ? {} : { [key]: asInteger(draft[key], key) }
  return {
    from: asAddress(devnet, draft['from'] ?? 'alice', 'from'),
    to: asAddress(devnet, draft['to'], 'to'),
    value: asInteger(draft['value'] ?? 0, 'value'),
    method: asInteger(draft['method'] ?? 0, 'method'),
    params: asBytes(draft['params'], 'params'),
    ...optional('sequence'),
    ...optional('gasLimit'),
    ...optional('gasFeeCap'),
    ...optional('gasPremium'),
  }
}

/** Completes, signs, sends and waits. A message that would fail is sent all the same when its gas limit is given. */
async function send(devnet: Devnet, draft: Record<string, unknown>): Promise<unknown> {
  let message: Message
  try {
    message = completeMessage(devnet, asDraft(devnet, draft))
  } catch (error) {
    if (!(error instanceof EstimateError)) throw error
    throw new RpcError(1, error.message, {
      exitCode: error.exitCode,
      receipt: error.result === null ? null : receiptJson(error.result),
    })
  }
  const cid = devnet.chain.submit(signTransaction(devnet, message))
  return { cid: formatCid(cid), ...included(await devnet.chain.waitFor(cid)) }
}

function included({ height, index, result }: Included) {
  return { height, index, ...receiptJson(result) }
}

/** What a power answered; a refused one is an error. */
async function applied(pending: Promise<Included>): Promise<ReturnType<typeof included>> {
  const done = included(await pending)
  if (done.exitCode !== 0) throw new RpcError(1, done.note, { exitCode: done.exitCode, receipt: done })
  return done
}

function readOnlyCall(devnet: Devnet, draft: Record<string, unknown>): unknown {
  const { from, to, value, method, params } = asDraft(devnet, draft)
  const height = draft['height']
  const { application } = devnet.chain
  const machine =
    height === undefined
      ? application.queryMachine()
      : application.machineAfter(asCount(height, 'the height', Number.MAX_SAFE_INTEGER))
  const message: Message = {
    version: 0n,
    from,
    to,
    sequence: 0n,
    value: value as TokenAmount,
    gasLimit: GAS_MARKET.blockGasLimit,
    gasFeeCap: 0n as TokenAmount,
    gasPremium: 0n as TokenAmount,
    method,
    params,
  }
  const wantsTrace = draft['trace'] === true
  const result = tryMessage(machine, message, { trace: wantsTrace })
  return wantsTrace ? { ...receiptJson(result), trace: result.trace.map(traceJson) } : receiptJson(result)
}

interface Deployment {
  readonly name: string
  readonly abi: Abi
}

/** Without a name the actor is only known by its code: `troupe dev` does not take it for one of the project's. */
async function deploy(devnet: Devnet, request: Record<string, unknown>): Promise<unknown> {
  const abi = asAbi(request)
  const name = request['name'] === undefined ? undefined : asText(request['name'], 'name')
  const done = await applied(
    devnet.chain.apply([
      {
        power: 'deploy',
        code: asBytes(request['code'], 'code'),
        params: asBytes(request['params'], 'params'),
        value: asInteger(request['value'] ?? 0, 'value') as TokenAmount,
        from: asAddress(devnet, request['from'] ?? 'alice', 'from'),
      },
    ]),
  )
  const reader = new CborReader(Buffer.from(done.return.slice(2), 'hex'))
  reader.tuple(1)
  reader.tuple(3)
  const id = reader.uint() as ActorId
  const address = formatAddress(decodeAddress(reader.bytes())!, 't')
  const code = devnet.chain.application.queryMachine().context.state.getActor(id)!.code
  devnet.actors.putAbi(code, abi)
  if (name !== undefined) devnet.actors.put({ name, id, address, code, abi })
  await devnet.chain.application.store.commit()
  return { ...done, id: id.toString(), address, code: formatCid(code) }
}

function asNamed(request: Record<string, unknown>): Deployment {
  return { name: asText(request['name'], 'name'), abi: asAbi(request) }
}

function asAbi(request: Record<string, unknown>): Abi {
  return asObject(request['abi'], 'abi') as unknown as Abi
}

/** Several actors in one block: all of them change, or none. */
async function upgrade(devnet: Devnet, requests: unknown): Promise<unknown> {
  const list = Array.isArray(requests)
    ? requests.map((request) => asObject(request, 'an upgrade'))
    : [asObject(requests, 'the upgrade')]
  const powers: Power[] = list.map((request) => ({
    power: 'upgrade',
    actor: actorId(devnet, request['actor']),
    code: asBytes(request['code'], 'code'),
    mode: asMode(request['mode']),
    params: asBytes(request['params'], 'params'),
  }))
  const done = await applied(devnet.chain.apply(powers))
  const { state } = devnet.chain.application.queryMachine().context
  for (const request of list) {
    const { name, abi } = asNamed(request)
    const id = actorId(devnet, request['actor'])
    const address = devnet.actors.byId(id)?.address ?? `t0${id}`
    const { code } = state.getActor(id)!
    devnet.actors.putAbi(code, abi)
    devnet.actors.put({ name, id, address, code, abi })
  }
  await devnet.chain.application.store.commit()
  return done
}

function asMode(mode: unknown): 'keep' | 'migrate' | 'discard' {
  if (mode === 'keep' || mode === 'migrate' || mode === 'discard') return mode
  throw invalid('mode is none of keep, migrate, discard')
}

async function impersonate(devnet: Devnet, draft: Record<string, unknown>): Promise<unknown> {
  const { from, to, value, method, params } = asDraft(devnet, draft)
  const message: Message = {
    version: 0n,
    from,
    to,
    sequence: 0n,
    value: value as TokenAmount,
    gasLimit: GAS_MARKET.blockGasLimit,
    gasFeeCap: 0n as TokenAmount,
    gasPremium: 0n as TokenAmount,
    method,
    params,
  }
  return applied(devnet.chain.apply([{ power: 'impersonate', message }]))
}

function traceOf(devnet: Devnet, cid: unknown): unknown {
  const { application } = devnet.chain
  const location =
    cid === undefined || cid === 'last'
      ? lastMessage(devnet)
      : application.history.locate(parseCid(asText(cid, 'the CID')))
  if (location === undefined) throw invalid(`no message ${String(cid)} is on the chain`)
  const tx = decodeTransaction(application.history.block(location.height)!.txs[location.index]!)
  const result = application.traceTransaction(location)
  const message =
    tx.kind === 'signed'
      ? {
          from: formatAddress(tx.message.from, 't'),
          to: formatAddress(tx.message.to, 't'),
          method: tx.message.method.toString(),
        }
      : null
  return { ...location, message, ...receiptJson(result), trace: result.trace.map(traceJson) }
}

/** The newest signed message. */
function lastMessage({ chain }: Devnet): { height: number; index: number } | undefined {
  for (let height = chain.application.head.height; height > 0; height--) {
    const txs = chain.application.history.block(height)?.txs ?? []
    const index = txs.findLastIndex((tx) => decodeTransaction(tx).kind === 'signed')
    if (index >= 0) return { height, index }
  }
  return undefined
}

function asPolicy(policy: unknown): BlockPolicy {
  const { kind, intervalMs } = asObject(policy, 'the policy')
  if (kind === 'auto' || kind === 'manual') return { kind }
  if (kind === 'interval') return { kind, intervalMs: asCount(intervalMs, 'intervalMs', 86_400_000) }
  throw invalid('the policy is none of auto, manual, interval')
}
