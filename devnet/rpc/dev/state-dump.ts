/** A chain's state as one JSON document, and back: every actor with the blocks below its state, and the names of the registry. */
import type { Abi } from '../../../compiler/abi/schema.ts'
import { type Cid, formatCid, parseCid } from '../../ipld/cid.ts'
import { linksOf } from '../../ipld/dag-cbor.ts'
import type { Devnet } from '../../node/devnet.ts'
import type { Power } from '../../node/transaction.ts'
import type { ActorId } from '../../state/actor.ts'
import { formatAddress, parseAddress } from '../../state/address.ts'
import type { TokenAmount } from '../../state/token.ts'
import { asBytes, asCount, asInteger, asObject, asText, hex, invalid } from '../convert.ts'
import { RpcError } from '../errors.ts'

const DUMP_VERSION = 1
/** Bytes of blocks in one transaction; the largest transaction is 4 MB. */
const BATCH_BYTES = 2 << 20
const DAG_CBOR_CODE = 0x71

export function dumpState(devnet: Devnet): unknown {
  const { chain, networkName, bundle } = devnet
  const { state, store } = chain.application.queryMachine().context
  const builtin = new Set<Cid>(bundle.manifest.map(({ code }) => code))
  const codes = new Map<Cid, Uint8Array>()
  const seen = new Set<Cid>()
  const ids: ActorId[] = []
  state.forEach((id) => {
    ids.push(id)
  })
  const actors = ids
    .sort((a, b) => (a < b ? -1 : 1))
    .map((id) => {
      const { code, state: root, sequence, balance, delegated } = state.getActor(id)!
      const bytes = builtin.has(code) ? undefined : store.get(code)
      if (bytes !== undefined) codes.set(code, bytes)
      const blocks = blocksBelow((cid) => store.get(cid), root, seen)
      return {
        id: id.toString(),
        code: formatCid(code),
        state: formatCid(root),
        sequence: sequence.toString(),
        balance: balance.toString(),
        delegated: delegated === null ? null : formatAddress(delegated, 't'),
        blocks: blocks.map(hex),
      }
    })
  return {
    troupe: DUMP_VERSION,
    networkName,
    bundle: formatCid(bundle.root),
    height: chain.application.head.height,
    codes: [...codes.values()].map(hex),
    actors,
    names: devnet.actors.all().map((actor) => ({ ...actor, id: actor.id.toString(), code: formatCid(actor.code) })),
  }
}

/** Each block once, with the first actor that has it: the order in which they are put back. */
function blocksBelow(get: (cid: Cid) => Uint8Array | undefined, root: Cid, seen: Set<Cid>): Uint8Array[] {
  const blocks: Uint8Array[] = []
  const waiting = [root]
  for (let cid = waiting.pop(); cid !== undefined; cid = waiting.pop()) {
    if (seen.has(cid) || cid.charCodeAt(1) !== DAG_CBOR_CODE) continue
    seen.add(cid)
    const block = get(cid)
    if (block === undefined) continue
    blocks.push(block)
    waiting.push(...linksOf(block))
  }
  return blocks
}

/** Applied through blocks like any power, in parts that fit one; the first that is refused ends it. */
export async function loadState(devnet: Devnet, dump: Record<string, unknown>): Promise<unknown> {
  if (dump['troupe'] !== DUMP_VERSION)
    throw invalid(`the dump has version ${String(dump['troupe'])}, not ${DUMP_VERSION}`)
  for (const [key, own] of [
    ['networkName', devnet.networkName],
    ['bundle', formatCid(devnet.bundle.root)],
  ] as const) {
    if (dump[key] !== own)
      throw invalid(`the dump is of another network: its ${key} is ${String(dump[key])}, ours ${own}`)
  }
  const codes = asList(dump['codes'], 'codes').map((code, index) => asBytes(code, `codes[${index}]`))
  const actors = asList(dump['actors'], 'actors').map((one, index) => readActor(asObject(one, `actors[${index}]`)))
  const names = asList(dump['names'], 'names').map((one, index) => asObject(one, `names[${index}]`))
  await applyInParts(
    devnet,
    codes.map((code) => ({ power: 'install', code }) as const),
    ({ code }) => code.length,
  )
  await applyInParts(devnet, actors, ({ blocks }) => blocks.reduce((sum, block) => sum + block.length, 256))
  for (const { id } of devnet.actors.all()) devnet.actors.remove(id)
  for (const { name, id, address, code, abi } of names) {
    devnet.actors.put({
      name: asText(name, 'the name'),
      id: asInteger(id, 'the id') as ActorId,
      address: asText(address, 'the address'),
      code: parseCid(asText(code, 'the code')),
      abi: asObject(abi, 'the ABI') as unknown as Abi,
    })
  }
  await devnet.chain.application.store.commit()
  return { actors: actors.length, height: devnet.chain.application.head.height }
}

function readActor(one: Record<string, unknown>): Extract<Power, { power: 'set-actor' }> {
  const { id, code, state, sequence, balance, delegated, blocks } = one
  return {
    power: 'set-actor',
    actor: BigInt(asCount(id, 'the id', Number.MAX_SAFE_INTEGER)) as ActorId,
    code: parseCid(asText(code, 'the code')),
    root: parseCid(asText(state, 'the state')),
    sequence: asInteger(sequence, 'the sequence'),
    balance: asInteger(balance, 'the balance') as TokenAmount,
    delegated: delegated === null ? null : parseAddress(asText(delegated, 'the address')),
    blocks: asList(blocks, 'blocks').map((block, index) => asBytes(block, `blocks[${index}]`)),
  }
}

function asList(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw invalid(`${what} is no list`)
  return value
}

async function applyInParts<P extends Power>(
  { chain }: Devnet,
  powers: readonly P[],
  sizeOf: (power: P) => number,
): Promise<void> {
  let part: P[] = []
  let size = 0
  const apply = async (): Promise<void> => {
    if (part.length === 0) return
    const { result } = await chain.apply(part)
    if (result.exitCode !== 0) throw new RpcError(1, result.note, { exitCode: result.exitCode })
    part = []
    size = 0
  }
  for (const power of powers) {
    if (size + sizeOf(power) > BATCH_BYTES) await apply()
    part.push(power)
    size += sizeOf(power)
  }
  await apply()
}
