import { describe, expect, test } from 'vitest'
import { MemoryBlockstore } from '../../../devnet/ipld/blockstore.ts'
import { type Cid, cidOf, DAG_CBOR, EMPTY_ARRAY_CID, matchesCid, RAW } from '../../../devnet/ipld/cid.ts'
import { type CborValue, decodeCbor, linksOf } from '../../../devnet/ipld/dag-cbor.ts'
import { fromBinary } from '../../../devnet/primitives/bytes.ts'
import type { ActorId } from '../../../devnet/state/actor.ts'
import {
  blsAddress,
  delegatedAddress,
  ethAddressToDelegated,
  idAddress,
  secpAddress,
} from '../../../devnet/state/address.ts'
import { createGenesis, type GenesisSpec, putManifest } from '../../../devnet/state/genesis.ts'
import { StateTree } from '../../../devnet/state/state-tree.ts'
import { parseFil, ZERO_TOKENS } from '../../../devnet/state/token.ts'

const NAMES = [
  'system',
  'init',
  'cron',
  'account',
  'storagepower',
  'storageminer',
  'storagemarket',
  'paymentchannel',
  'multisig',
  'reward',
  'verifiedregistry',
  'datacap',
  'placeholder',
  'evm',
  'eam',
  'ethaccount',
]
const codeOf = (name: string) => cidOf(RAW, new TextEncoder().encode(name))
const MANIFEST = NAMES.map((name) => ({ name, code: codeOf(name) }))
const KEY = secpAddress(new Uint8Array(65))
const BLS = blsAddress(new Uint8Array(48))
const ETH = ethAddressToDelegated(new Uint8Array(20).fill(7))

const SPEC: GenesisSpec = {
  networkName: 'r31337',
  manifest: MANIFEST,
  accounts: [
    { address: KEY, balance: parseFil('1') },
    { address: ETH, balance: parseFil('2'), id: 100n },
    { address: BLS, balance: ZERO_TOKENS },
  ],
}

function build(spec: GenesisSpec) {
  const store = new MemoryBlockstore()
  const root = createGenesis(store, spec)
  const tree = StateTree.load(store, root)
  const actor = (id: number | bigint) => tree.getActor(BigInt(id) as ActorId)
  const state = (id: number | bigint): CborValue => decodeCbor(store.get(actor(id)!.state)!)
  return { store, root, tree, actor, state }
}

test('the system actor links to the manifest’s data, in order', () => {
  const { store, state } = build(SPEC)
  const [data] = state(0) as [{ link: Cid }]
  expect(decodeCbor(store.get(data.link)!)).toEqual(MANIFEST.map(({ name, code }) => [name, { link: code }]))
  const manifest = putManifest(store, MANIFEST)
  expect(manifest.data).toBe(data.link)
  expect(decodeCbor(store.get(manifest.root)!)).toEqual([1n, data])
})

test('the init actor knows every account, and goes on behind them', () => {
  const { tree, state, actor } = build(SPEC)
  expect(actor(1)?.code).toBe(codeOf('init'))
  expect(state(1)).toMatchObject([{}, 103n, 'r31337'])
  expect([KEY, ETH, BLS].map((address) => tree.resolve(address))).toEqual([101n, 100n, 102n])
})

test('accounts are what their addresses say', () => {
  const { actor, state } = build(SPEC)
  expect(actor(101)).toMatchObject({ code: codeOf('account'), balance: parseFil('1'), sequence: 0n, delegated: null })
  expect(state(101)).toEqual([fromBinary(KEY)])
  expect(state(102)).toEqual([fromBinary(BLS)])
  expect(actor(100)).toMatchObject({
    code: codeOf('ethaccount'),
    balance: parseFil('2'),
    delegated: ETH,
    state: EMPTY_ARRAY_CID,
  })
})

test('singletons are there when the manifest has their code', () => {
  const { actor, state } = build(SPEC)
  const singletons = new Map([
    [2, 'reward'],
    [3, 'cron'],
    [4, 'storagepower'],
    [5, 'storagemarket'],
    [6, 'verifiedregistry'],
    [7, 'datacap'],
    [10, 'eam'],
  ])
  for (const [id, name] of singletons) {
    expect(actor(id)?.code).toBe(codeOf(name))
    expect(state(id)).toEqual(id === 3 ? [[]] : [])
  }
  const small = build({
    ...SPEC,
    manifest: MANIFEST.filter(({ name }) => ['system', 'init', 'account', 'ethaccount'].includes(name)),
  })
  for (const id of singletons.keys()) expect(small.actor(id)).toBeUndefined()
})

test('actor 99 is an account of its own id', () => {
  const { actor, state } = build({ ...SPEC, burntFunds: parseFil('3') })
  expect(actor(99)).toMatchObject({ code: codeOf('account'), balance: parseFil('3') })
  expect(state(99)).toEqual([fromBinary(idAddress(99n))])
})

test('other actors join, take a singleton’s place, and have their addresses registered', () => {
  const delegated = delegatedAddress(10n, new Uint8Array(20).fill(9))
  const extra = { code: codeOf('evm'), state: EMPTY_ARRAY_CID, balance: parseFil('4') }
  const { actor, tree, state } = build({
    ...SPEC,
    actors: [
      { id: 2n, ...extra },
      { id: 101n, ...extra, delegated },
      { id: 5000n, ...extra },
    ],
  })
  expect(actor(2)).toMatchObject({ code: codeOf('evm'), balance: parseFil('4') })
  expect(tree.resolve(delegated)).toBe(101n)
  expect([tree.resolve(KEY), tree.resolve(BLS)]).toEqual([102n, 103n])
  expect(state(1)).toMatchObject([{}, 5001n, 'r31337'])
})

test('every block but code is in the store, under its own CID', () => {
  const { store, root } = build(SPEC)
  const seen = new Set<Cid>()
  const visit = (cid: Cid): void => {
    if (cid.charCodeAt(1) !== DAG_CBOR || seen.has(cid)) return
    seen.add(cid)
    expect(matchesCid(cid, store.get(cid)!)).toBe(true)
    for (const link of linksOf(store.get(cid)!)) visit(link)
  }
  visit(root)
  expect(seen.size).toBeGreaterThan(10)
})

test('the same spec has the same root', () => {
  expect(build(SPEC).root).toBe(build(SPEC).root)
  expect(build({ ...SPEC, networkName: 'other' }).root).not.toBe(build(SPEC).root)
})

describe('refuses', () => {
  const account = { address: KEY, balance: ZERO_TOKENS }
  const extra = { code: EMPTY_ARRAY_CID, state: EMPTY_ARRAY_CID, balance: ZERO_TOKENS }
  test.each<[string, Partial<GenesisSpec>, string]>([
    ['a manifest without init', { manifest: MANIFEST.filter(({ name }) => name !== 'init') }, 'CODE_MISSING'],
    ['an Ethereum account without its code', { manifest: MANIFEST.slice(0, 15) }, 'CODE_MISSING'],
    ['an address twice', { accounts: [account, account] }, 'ADDRESS_TWICE'],
    ['an ID address', { accounts: [{ ...account, address: idAddress(7n) }] }, 'ADDRESS_UNSUPPORTED'],
    [
      'another namespace',
      { accounts: [{ ...account, address: delegatedAddress(11n, new Uint8Array(20)) }] },
      'ADDRESS_UNSUPPORTED',
    ],
    ['an account below 100', { accounts: [{ ...account, id: 50n }] }, 'ID_RESERVED'],
    ['an id twice', { accounts: [{ ...account, id: 100n }], actors: [{ id: 100n, ...extra }] }, 'ID_TWICE'],
    ['another init actor', { actors: [{ id: 1n, ...extra }] }, 'ID_RESERVED'],
  ])('%s', (_, change, code) => {
    expect(() => createGenesis(new MemoryBlockstore(), { ...SPEC, ...change })).toThrow(
      expect.objectContaining({ code }),
    )
  })
})
