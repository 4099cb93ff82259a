import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { headerHash } from '../../../devnet/consensus/hash.ts'
import { addressOf, publicKeyOf, verifyMessage } from '../../../devnet/consensus/key.ts'
import { SECOND } from '../../../devnet/consensus/time.ts'
import type { LightBlock } from '../../../devnet/consensus/wire.ts'
import { ModuleCache } from '../../../devnet/engine/module-cache.ts'
import { BlockStore } from '../../../devnet/node/block-store.ts'
import { type Devnet, type DevnetOptions, genesisOf, openBase } from '../../../devnet/node/devnet.ts'
import { introduce } from '../../../devnet/node/handshake.ts'
import { LinkFaults } from '../../../devnet/node/link-faults.ts'
import { LocalNetwork } from '../../../devnet/node/local-network.ts'
import { MemoryChainStore } from '../../../devnet/node/memory-store.ts'
import { openMemoryHome } from '../../../devnet/node/node-home.ts'
import type { PeerLinks } from '../../../devnet/node/peer-links.ts'
import { StateSync } from '../../../devnet/node/state-sync.ts'
import { answerSync } from '../../../devnet/node/sync-answers.ts'
import { isSyncMessage, type SyncMessage } from '../../../devnet/node/sync-message.ts'
import { DEFAULT_STATE_SYNC, type StateSyncSettings } from '../../../devnet/node/sync-settings.ts'
import type { TokenAmount } from '../../../devnet/state/token.ts'
import { hasOwnBundle, openTestDevnet } from './chain-fixture.ts'
import { ManualClock } from './manual-clock.ts'

const START_MS = 1_900_000_000_000
const HEIGHTS = 12
const modules = new ModuleCache()

let devnet: Devnet
let clock: ManualClock

async function mine(count: number): Promise<void> {
  const mining = devnet.chain.mine(count)
  await clock.run(200 * count)
  await mining
}

/** Changes what a peer answers; null is silence. */
type Vice = (answer: SyncMessage, question: SyncMessage) => SyncMessage | null

const honest: Vice = (answer) => answer

interface Joined {
  readonly height: number
  readonly base: bigint
  readonly isRestored: boolean
  readonly alarms: readonly string[]
  /** Questions that each peer was asked, by kind. */
  readonly asked: ReadonlyMap<string, readonly string[]>
}

interface Peers {
  /** By place; the validators of the chain are 0 to 3. */
  readonly vices?: Readonly<Record<number, Vice>>
  /** Places of the peers that are there. */
  readonly there?: readonly number[]
  /** Peers that have proved no key. */
  readonly strangers?: readonly number[]
  readonly settings?: Partial<StateSyncSettings>
  readonly laterMs?: number
}

/** An empty node, the fourth validator, beside peers that have the chain. */
async function join({ vices = {}, there = [0, 1, 2], strangers = [], settings, laterMs = 0 }: Peers): Promise<Joined> {
  const own = new ManualClock(clock.now() + laterMs)
  const network = new LocalNetwork(new LinkFaults(1), own)
  const asked = new Map<string, string[]>()
  for (const place of there) {
    const { application, blocks, address } = devnet.bft!.validators[place]!
    const name = `v${place}`
    let links: PeerLinks | null = null
    links = network.join(name, strangers.includes(place) ? undefined : address, {
      joined: () => {},
      left: () => {},
      receive(peer, question) {
        if (!isSyncMessage(question)) return
        asked.set(name, [...(asked.get(name) ?? []), question.kind])
        const answer = answerSync({ application, blocks }, question)
        const told = answer === undefined ? null : (vices[place] ?? honest)(answer, question)
        if (told !== null) links?.send(peer, told)
      },
    })
  }
  const store = new MemoryChainStore()
  const { application, keys } = openBase({ modules, clock: new ManualClock(START_MS), validators: 4 }, store)
  const blocks = new BlockStore(store)
  const { state: genesis } = introduce(
    { ...genesisOf(application, keys), time: devnet.chain.blocks!.stateAfter(0n)!.lastTime },
    application,
    blocks,
  )
  const alarms: string[] = []
  const sync = new StateSync({
    name: 'v3',
    address: addressOf(publicKeyOf(keys[3]!)),
    network,
    application,
    blocks,
    genesis,
    settings: { ...DEFAULT_STATE_SYNC, isEnabled: true, ...settings },
    verify: verifyMessage,
    now: () => BigInt(own.now()) * 1_000_000n,
    after: (ms, run) => own.after(ms, run),
    alarm: (reason) => alarms.push(reason),
  })
  const done = { isIt: false }
  const running = sync.run().finally(() => {
    done.isIt = true
  })
  while (!done.isIt) await own.run(1000)
  const state = await running
  expect(blocks.state).toEqual(state ?? genesis)
  expect(application.head.height).toBe(Number((state ?? genesis).lastHeight))
  return { height: application.head.height, base: blocks.base, isRestored: state !== null, alarms, asked }
}

describe.skipIf(!hasOwnBundle)('a node that has nothing', () => {
  beforeAll(async () => {
    clock = new ManualClock(START_MS)
    devnet = openTestDevnet({ modules, consensus: 'bft', clock, snapshots: { interval: 5, keep: 2 } })
    const { accounts, chain } = devnet
    const balance = 5n as TokenAmount
    const applied = chain.apply([{ power: 'set-balance', address: accounts[0]!.address, balance }])
    await clock.run(1000)
    await applied
    await mine(HEIGHTS - 1)
    await Promise.all(devnet.bft!.validators.map(({ application }) => application.snapshots.settled))
    return () => devnet.close()
  })

  const restored = { height: 10, base: 10n, isRestored: true }
  const nothing = { height: 0, base: 0n, isRestored: false }

  test('takes the newest state that it can, from all who have it', async () => {
    const { asked, ...joined } = await join({})
    expect(joined).toEqual({ ...restored, alarms: [] })
    expect([...asked.keys()]).toEqual(['v0', 'v1', 'v2'])
  })

  test('waits for nobody when those who have answered are enough, and for a while when they are not', async () => {
    const quick = await join({ settings: { discoveryMs: Number.MAX_SAFE_INTEGER } })
    expect(quick).toMatchObject(restored)
    expect(await join({ there: [0, 1] })).toMatchObject(restored)
  })

  test('goes by blocks where there is nobody, or nobody who is honest for sure', async () => {
    expect(await join({ there: [] })).toMatchObject(nothing)
    const one = await join({ there: [0] })
    expect(one).toMatchObject(nothing)
    expect(one.alarms.join()).toContain('only 1 of 4 of the power offer it')
    expect(await join({ strangers: [0, 1, 2] })).toMatchObject(nothing)
    expect(await join({ strangers: [0] })).toMatchObject(restored)
  })

  test('begins at a header that is trusted, below the state or above', async () => {
    for (const height of [2n, 11n, 12n]) {
      const hash = headerHash(devnet.chain.blocks!.meta(height)!.header)!
      expect(await join({ settings: { trusted: { height, hash } } })).toMatchObject(restored)
    }
    const wrong = await join({ settings: { trusted: { height: 2n, hash: 'x'.repeat(32) } } })
    expect(wrong).toMatchObject(nothing)
    expect(wrong.alarms).toHaveLength(5)
  })

  test('trusts nobody for longer than it may', async () => {
    const joined = await join({ settings: { trustingPeriod: 60n * SECOND }, laterMs: 120_000 })
    expect(joined).toMatchObject(nothing)
    expect(joined.alarms.join()).toContain('expired')
  })

  const on =
    <Kind extends SyncMessage['kind']>(
      kind: Kind,
      change: (value: Extract<SyncMessage, { kind: Kind }>['value']) => object | null,
    ): Vice =>
    (answer) => {
      if (answer.kind !== kind) return answer
      const value = change(answer.value as never)
      return value === null ? null : ({ kind, value } as SyncMessage)
    }
  const header = (change: object): Vice =>
    on('light', ({ height, block }) => {
      const { signedHeader } = block as LightBlock
      const told = { ...signedHeader!.header!, ...change }
      return { height, block: { ...block, signedHeader: { ...signedHeader, header: told } } }
    })
  const flip = (bytes: Uint8Array) => bytes.map((byte, i) => (i === bytes.length >> 1 ? byte ^ 1 : byte))
  const vices: readonly [string, Vice, string][] = [
    ['forges headers', header({ appHash: 'x'.repeat(32) }), 'commit-block-mismatch'],
    ['shows headers of another chain', header({ chainId: '8' }), 'wrong-chain'],
    ['answers with another height', on('light', ({ height }) => ({ height, block: null })), ''],
    [
      'sends wrong chunks',
      on('chunk', (value) => ({ ...value, chunk: flip(value.chunk) })),
      'is not the one that was offered',
    ],
    [
      'sends chunks cut off',
      on('chunk', (value) => ({ ...value, chunk: value.chunk.slice(1) })),
      'is not the one that was offered',
    ],
    ['sends no chunks', on('chunk', (value) => ({ ...value, chunk: new Uint8Array(0) })), ''],
    ['never answers for chunks', on('chunk', () => null), ''],
    ['never answers for headers', on('light', () => null), ''],
    ['never answers for the state', on('state', () => null), ''],
    ['says nothing', () => null, ''],
    ['sends another state', on('state', (value) => ({ ...value, state: flip(value.state) })), 'not the one it offered'],
    [
      'sends another block',
      on('state', ({ decided, ...rest }) => ({ ...rest, decided: { ...decided!, block: flip(decided!.block) } })),
      'not that of the header',
    ],
    [
      'sends a commit without signatures',
      on('state', ({ decided, ...rest }) => ({
        ...rest,
        decided: { ...decided!, commit: { ...decided!.commit, extendedSignatures: [] } },
      })),
      'not that of the header',
    ],
    [
      'offers what does not exist',
      on('snapshots', ({ base, offers }) => ({
        base,
        offers: offers.map((offer) => ({ ...offer, snapshot: { ...offer.snapshot, height: 1000n } })),
      })),
      'nobody shows a header',
    ],
    [
      'offers a state of its own',
      on('snapshots', ({ base, offers }) => ({
        base,
        offers: offers.map((offer) => ({ ...offer, stateHash: 'y'.repeat(32) })),
      })),
      '',
    ],
    [
      'offers chunks of its own',
      on('snapshots', ({ base, offers }) => ({
        base,
        offers: offers.map((offer) => ({ ...offer, snapshot: { ...offer.snapshot, hash: 'z'.repeat(32) } })),
      })),
      '',
    ],
  ]
  test.each(vices)('does without a peer that %s', async (_, vice, alarm) => {
    for (const liar of [0, 2]) {
      const joined = await join({ vices: { [liar]: vice } })
      expect(joined).toMatchObject(restored)
    }
    const { alarms } = await join({ vices: { 0: vice } })
    expect(alarms.join()).toContain(alarm)
  })

  test('takes no state that all lie about', async () => {
    const wrong = on('chunk', (value) => ({ ...value, chunk: flip(value.chunk) }))
    expect(await join({ vices: { 0: wrong, 1: wrong, 2: wrong } })).toMatchObject(nothing)
    const none = on('snapshots', ({ base }) => ({ base, offers: [] }))
    expect(await join({ vices: { 0: none, 1: none, 2: none } })).toMatchObject({ ...nothing, alarms: [] })
  })
})

describe.skipIf(!hasOwnBundle)('a validator that comes late', () => {
  const stores: MemoryChainStore[] = []

  afterEach(() => devnet.close())

  function open(options: DevnetOptions = {}): void {
    devnet = openTestDevnet({
      modules,
      consensus: 'bft',
      clock,
      snapshots: { interval: 5, keep: 2 },
      homes: (index) => openMemoryHome((stores[index] ??= new MemoryChainStore())),
      ...options,
    })
  }

  async function loseState(options: DevnetOptions): Promise<void> {
    clock = new ManualClock(START_MS)
    stores.length = 0
    open()
    await mine(HEIGHTS)
    await devnet.close()
    stores[3] = new MemoryChainStore()
    open(options)
    await clock.run(5000)
  }

  test('takes the state of the others, fetches the rest, and votes', async () => {
    await loseState({ stateSync: { ...DEFAULT_STATE_SYNC, isEnabled: true } })
    const late = devnet.bft!.validators[3]!
    expect(late.blocks.base).toBe(10n)
    expect(late.blocks.height).toBe(12n)
    // Three of four are needed, so that the late one must vote.
    devnet.bft!.faults.add({ kind: 'stop', nodes: ['v1'] })
    await mine(3)
    expect(late.blocks.height).toBe(15n)
    for (let height = 10n; height <= 15n; height++) {
      expect(late.blocks.meta(height)).toEqual(devnet.bft!.blocks.meta(height))
    }
    expect(late.application.head).toEqual(devnet.chain.application.head)
    const { signatures } = devnet.bft!.blocks.commit(15n)!
    expect(signatures.map(({ validatorAddress }) => validatorAddress)).toContain(late.address)
  })

  test('fetches blocks where nobody asked for a state', async () => {
    await loseState({})
    expect(devnet.bft!.validators[3]!.blocks.base).toBe(1n)
    expect(devnet.bft!.validators[3]!.blocks.height).toBe(12n)
  })

  test('takes a state unasked when the first blocks are kept by nobody', async () => {
    await loseState({ stateSync: { ...DEFAULT_STATE_SYNC, isEnabled: true } })
    await devnet.close()
    // All others lose their blocks in turn and come back by state sync: nobody has the first ones.
    for (const lost of [2, 1, 0]) {
      stores[lost] = new MemoryChainStore()
      open({ stateSync: { ...DEFAULT_STATE_SYNC, isEnabled: true } })
      await clock.run(5000)
      expect(devnet.bft!.validators[lost]!.blocks.base).toBe(10n)
      await devnet.close()
    }
    stores[3] = new MemoryChainStore()
    open()
    await clock.run(20_000)
    expect(devnet.bft!.validators[3]!.blocks.base).toBe(10n)
    await mine(2)
    expect(devnet.bft!.validators.map(({ blocks }) => blocks.height)).toEqual([14n, 14n, 14n, 14n])
  })

  test('may be stopped while it asks, and asks again', async () => {
    const stateSync = { ...DEFAULT_STATE_SYNC, isEnabled: true }
    await loseState({ stateSync })
    await devnet.close()
    stores[2] = new MemoryChainStore()
    open({ stateSync })
    await devnet.close()
    open({ stateSync })
    await clock.run(5000)
    expect(devnet.bft!.validators[2]!.blocks.height).toBe(12n)
  })

  test('is the one whose users must wait, and goes on where the others are', async () => {
    clock = new ManualClock(START_MS)
    stores.length = 0
    open()
    await mine(HEIGHTS)
    await devnet.close()
    stores[0] = new MemoryChainStore()
    open({ stateSync: { ...DEFAULT_STATE_SYNC, isEnabled: true } })
    expect(devnet.chain.consensus!.isCatchingUp()).toBe(true)
    expect(devnet.bft!.view()[0]).toMatchObject({ step: 'fetching the state' })
    await expect(devnet.chain.apply([])).rejects.toMatchObject({ code: 'CATCHING_UP' })
    await clock.run(5000)
    expect(devnet.chain.consensus!.isCatchingUp()).toBe(false)
    const applied = devnet.chain.apply([])
    await clock.run(2000)
    expect((await applied).height).toBe(13)
    await expect(devnet.chain.rewind(4)).rejects.toThrow(RangeError)
    await mine(1)
  })
})
