/**
 * Random messages over the system actors, applied in this thread: what `determinism.mjs` compares between processes. Answers a line
 * a block: its root and its receipts.
 */
import { createHash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { VECTOR_EXTERNS } from '../../devnet/conformance/run.ts'
import { MessageRefused } from '../../devnet/engine/executor.ts'
import { Linker } from '../../devnet/engine/linker.ts'
import { createMachine, type Machine } from '../../devnet/engine/machine.ts'
import { ModuleCache } from '../../devnet/engine/module-cache.ts'
import { PROFILES } from '../../devnet/engine/profile.ts'
import { MemoryBlockstore } from '../../devnet/ipld/blockstore.ts'
import { type Cid, cidOf, formatCid, RAW } from '../../devnet/ipld/cid.ts'
import { type CborInput, encodeCbor } from '../../devnet/ipld/dag-cbor.ts'
import { EMPTY_BYTES, fromBinary } from '../../devnet/primitives/bytes.ts'
import { type Address, blsAddress, ethAddressToDelegated, idAddress, secpAddress } from '../../devnet/state/address.ts'
import type { Message } from '../../devnet/state/message.ts'
import type { TokenAmount } from '../../devnet/state/token.ts'
import { GENESIS_ACCOUNTS, genesisOf } from '../../devnet/testing/genesis.ts'
import { Choices, Random } from './random.ts'
import { makeActor } from './targets/actors.ts'
import { describeReceipt } from './world.ts'

export interface DeterminismInput {
  readonly seed: number
  readonly messages: number
  /** Messages of another chain that this thread applies before; 0 starts cold. */
  readonly warmUp: number
}

const BLOCK = 100
const CODES = 40
const FIRST_ID = 100
const INIT = 1n
const MULTISIG_TYPE = 9

/** Applies `count` messages that follow from `seed`, a root every hundred. A disturbed run traces, and makes garbage. */
function applyRandomMessages(seed: number, count: number, warm: Warmth, isDisturbed: boolean): string[] {
  const random = new Random(seed)
  const { store: base, root: first, manifest } = genesisOf('determinism', 10n ** 24n)
  const store = new MemoryBlockstore()
  for (const [cid, bytes] of base.blocks) store.put(cid, bytes)
  const codes = Array.from({ length: CODES }, () => {
    const bytes = makeActor(new Choices(random.bytes(400)))
    const code = cidOf(RAW, bytes)
    store.put(code, bytes)
    return code
  })
  // A process that was there before meets the code in another order.
  if (isDisturbed) for (const code of [...codes].reverse()) warm.modules.load(code, store.get(code)!)
  const lines: string[] = []
  let root = first
  for (let done = 0; done < count; done += BLOCK) {
    const machine = openMachine(store, root, done / BLOCK, warm)
    const receipts = createHash('sha256')
    for (let i = 0; i < Math.min(BLOCK, count - done); i++) {
      const message = randomMessage(random, machine, [...codes, manifest.codes[MULTISIG_TYPE - 1]!])
      receipts.update(apply(machine, message, isDisturbed && i % 7 === 0))
      if (isDisturbed && i % 50 === 0) makeGarbage()
    }
    root = machine.flush()
    lines.push(`${formatCid(root)} ${receipts.digest('hex').slice(0, 16)}`)
  }
  return lines
}

interface Warmth {
  readonly modules: ModuleCache
  readonly linker: Linker
}

function openMachine(blockstore: MemoryBlockstore, stateRoot: Cid, height: number, warm: Warmth): Machine {
  return createMachine({
    ...warm,
    blockstore,
    stateRoot,
    profile: PROFILES.ipc,
    epoch: BigInt(1000 + height),
    timestamp: BigInt(1_700_000_000 + height),
    baseFee: 100n,
    circulatingSupply: 10n ** 27n,
    chainId: 31337n,
    externs: VECTOR_EXTERNS,
    hasLargestStack: true,
  })
}

function apply(machine: Machine, message: Message, trace: boolean): string {
  try {
    return describeReceipt(machine.applyMessage(message, 'explicit', { trace }))
  } catch (error) {
    if (error instanceof MessageRefused) return `refused: ${error.message}`
    throw error
  }
}

function makeGarbage(): void {
  const kept: unknown[] = []
  for (let i = 0; i < 20_000; i++) kept.push({ i, text: `${i}` })
  ;(globalThis as { gc?: () => void }).gc?.()
}

function randomMessage(random: Random, machine: Machine, codes: readonly Cid[]): Message {
  const account = random.pick(GENESIS_ACCOUNTS)
  const from = random.pick([account.address, account.ethAddress])
  const sender = machine.context.state.getActor(machine.context.state.resolve(from)!)
  const params = (value: CborInput) => encodeCbor(value)
  const message = {
    version: 0n,
    from,
    sequence: (sender?.sequence ?? 0n) + (random.below(40) === 0 ? 1n : 0n),
    value: BigInt(random.below(3) === 0 ? random.below(1000) : 0) as TokenAmount,
    gasLimit: BigInt(random.pick([50_000_000, 200_000_000, 10_000_000, 2_000_000])),
    gasFeeCap: BigInt(random.pick([100, 200, 50])) as TokenAmount,
    gasPremium: BigInt(random.below(30)) as TokenAmount,
    to: idAddress(BigInt(FIRST_ID + random.below(200))),
    method: BigInt(random.below(5)),
    params: random.below(2) === 0 ? EMPTY_BYTES : random.bytes(random.below(60)),
  }
  switch (random.below(8)) {
    case 0:
      return { ...message, to: randomReceiver(random), method: 0n, params: EMPTY_BYTES, value: 5n as TokenAmount }
    case 1:
    case 2: {
      const signers = GENESIS_ACCOUNTS.slice(0, 3).map(({ address }) => fromBinary(address))
      const made = random.below(3) === 0 ? random.bytes(4) : params([signers, 1, 0, 0])
      return {
        ...message,
        to: idAddress(INIT),
        method: 2n,
        params: params([{ link: random.pick(codes) }, made]),
      }
    }
    case 3:
      // What a multisig may be asked: to send something.
      return {
        ...message,
        method: 2n,
        params: params([fromBinary(randomReceiver(random)), EMPTY_BYTES, random.below(3), random.bytes(8)]),
      }
    default:
      return message
  }
}

/** Somebody known, or somebody new. */
function randomReceiver(random: Random): Address {
  const key = random.below(30)
  switch (random.below(4)) {
    case 0:
      return secpAddress(new Uint8Array(65).fill(key))
    case 1:
      return blsAddress(new Uint8Array(48).fill(key))
    case 2:
      return ethAddressToDelegated(new Uint8Array(20).fill(key))
    default:
      return random.pick(GENESIS_ACCOUNTS).address
  }
}

const { seed, messages, warmUp } = workerData as DeterminismInput
const warm: Warmth = { modules: new ModuleCache(), linker: new Linker() }
if (warmUp > 0) applyRandomMessages(seed + 1, warmUp, warm, true)
parentPort!.postMessage(applyRandomMessages(seed, messages, warm, warmUp > 0))
