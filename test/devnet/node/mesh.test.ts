import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { addressOf, type PrivateKey, publicKeyOf } from '../../../devnet/consensus/key.ts'
import { LinkFaults } from '../../../devnet/node/link-faults.ts'
import { Mesh, MeshError } from '../../../devnet/node/mesh.ts'
import {
  decodeNodeMessage,
  encodeNodeMessage,
  type NodeMessage,
  type PeerListener,
} from '../../../devnet/node/peer-links.ts'
import { SYSTEM_CLOCK } from '../../../devnet/node/ports.ts'

const opened: Mesh[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((mesh) => mesh.close()))
})

const keyOf = (name: string): PrivateKey => ({ kind: 'secp256k1', secret: new Uint8Array(32).fill(name.charCodeAt(1)) })

async function listen(name: string, genesis = 1, key: PrivateKey | null = keyOf(name)): Promise<Mesh> {
  const mesh = await Mesh.listen({
    name,
    key,
    genesisHash: new Uint8Array(32).fill(genesis),
    host: '127.0.0.1',
    port: 0,
    faults: new LinkFaults(1),
    clock: SYSTEM_CLOCK,
  })
  opened.push(mesh)
  return mesh
}

/** Hears what a node hears, and lets a test wait for it. */
class Ear implements PeerListener {
  readonly heard: { peer: string; message: NodeMessage }[] = []
  readonly peers = new Set<string>()
  joins = 0
  #waiting: (() => void)[] = []

  receive(peer: string, message: NodeMessage): void {
    this.heard.push({ peer, message })
    this.#wake()
  }

  joined(peer: string): void {
    this.peers.add(peer)
    this.joins++
    this.#wake()
  }

  left(peer: string): void {
    this.peers.delete(peer)
    this.#wake()
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}

function connect(meshes: Readonly<Record<string, Mesh>>): void {
  const peers = Object.entries(meshes).map(([name, mesh]) => ({ name, url: `ws://127.0.0.1:${mesh.port}` }))
  for (const mesh of Object.values(meshes)) mesh.connect(peers)
}

const WANT: NodeMessage = { kind: 'want', value: { height: 5n } }

test('three nodes hear each other, and know which validator each is', async () => {
  const [v0, v1, v2] = [await listen('v0'), await listen('v1'), await listen('v2')]
  const ears = [new Ear(), new Ear(), new Ear()] as const
  const links = [v0, v1, v2].map((mesh, i) => mesh!.join(`v${i}`, undefined, ears[i]!))
  connect({ v0, v1, v2 })
  await Promise.all(ears.map((ear) => ear.until(() => ear.peers.size === 2)))
  links[0]!.broadcast(WANT)
  await Promise.all([ears[1], ears[2]].map((ear) => ear.until(() => ear.heard.length === 1)))
  expect(ears[1].heard).toEqual([{ peer: 'v0', message: WANT }])
  expect(links[2]!.validatorOf('v1')).toBe(addressOf(publicKeyOf(keyOf('v1'))))
  expect(ears[0].heard).toEqual([])
})

test('a node that comes again is heard again', async () => {
  const v0 = await listen('v0')
  const first = await listen('v1')
  const ear = new Ear()
  v0.join('v0', undefined, ear)
  connect({ v0, v1: first })
  await ear.until(() => ear.peers.has('v1'))
  const { port } = first
  await first.close()
  await ear.until(() => !ear.peers.has('v1'))
  // Away, and known all the same: a fault may name it.
  expect(v0.names()).toEqual(['v0', 'v1'])
  const again = await Mesh.listen({
    name: 'v1',
    key: keyOf('v1'),
    genesisHash: new Uint8Array(32).fill(1),
    host: '127.0.0.1',
    port,
    faults: new LinkFaults(1),
    clock: SYSTEM_CLOCK,
  })
  opened.push(again)
  again.connect([{ name: 'v0', url: `ws://127.0.0.1:${v0.port}` }])
  await ear.until(() => ear.peers.has('v1'))
})

test('a node of another chain, with another name, or that sends what is no greeting is cut off', async () => {
  const v0 = await listen('v0')
  const other = await listen('v1', 2)
  const stranger = await listen('v9')
  const ear = new Ear()
  v0.join('v0', undefined, ear)
  v0.connect([
    { name: 'v1', url: `ws://127.0.0.1:${other.port}` },
    { name: 'v5', url: `ws://127.0.0.1:${stranger.port}` },
  ])
  for (const data of [Buffer.from('garbage'), Buffer.from([0, 255, 255]), Buffer.from([2]), Buffer.alloc(70_000, 7)]) {
    const socket = new WebSocket(`ws://127.0.0.1:${v0.port}`)
    await once(socket, 'open')
    socket.send(data)
    await once(socket, 'close')
  }
  expect(ear.peers.size).toBe(0)
})

test('a node with the name of a validator and another key, or none, is cut off and does not take its place', async () => {
  const v1 = await listen('v1')
  const v0 = await listen('v0')
  const ear = new Ear()
  const links = v1.join('v1', undefined, ear)
  const key = publicKeyOf(keyOf('v0'))
  v1.connect([{ name: 'v0', url: `ws://127.0.0.1:${v0.port}`, key }])
  v0.connect([{ name: 'v1', url: `ws://127.0.0.1:${v1.port}`, key: publicKeyOf(keyOf('v1')) }])
  await ear.until(() => ear.peers.has('v0'))
  for (const wrong of [keyOf('v9'), null]) {
    // Between the intruder and v1, to see how it ends.
    const door = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    await once(door, 'listening')
    const intruder = await listen('v0', 1, wrong)
    intruder.connect([{ name: 'v1', url: `ws://127.0.0.1:${(door.address() as { port: number }).port}` }])
    const [outside] = (await once(door, 'connection')) as [WebSocket]
    const inside = new WebSocket(`ws://127.0.0.1:${v1.port}`)
    inside.on('open', () => outside.on('message', (data: Buffer) => inside.send(data)))
    inside.on('message', (data: Buffer) => outside.send(data))
    outside.pause()
    inside.once('open', () => outside.resume())
    await once(inside, 'close')
    await intruder.close()
    await new Promise((resolve) => door.close(resolve))
  }
  expect(links.validatorOf('v0')).toBe(addressOf(key))
  expect(links.peers()).toEqual(['v0'])
  expect(ear.joins).toBe(1)
})

test('a node that ends lets go of connections that have not proved anything yet', async () => {
  const silent = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(silent, 'listening')
  const v0 = await listen('v0')
  v0.connect([{ name: 'v1', url: `ws://127.0.0.1:${(silent.address() as { port: number }).port}` }])
  const [socket] = (await once(silent, 'connection')) as [WebSocket]
  const gone = once(socket, 'close')
  await v0.close()
  await gone
  await new Promise((resolve) => silent.close(resolve))
})

test('a port that is taken is said to be', async () => {
  const { port } = await listen('v0')
  const again = { name: 'v1', key: null, genesisHash: new Uint8Array(32), host: '127.0.0.1', port }
  await expect(Mesh.listen({ ...again, faults: new LinkFaults(1), clock: SYSTEM_CLOCK })).rejects.toThrow(MeshError)
})

test('messages of nodes come back as they were, and damaged ones are nothing', () => {
  const said: NodeMessage[] = [
    WANT,
    { kind: 'txs', value: { txs: [new Uint8Array([1]), new Uint8Array(0)] } },
    { kind: 'clock', value: { offsetMs: -5n, nextTimeMs: 0n } },
    { kind: 'blocksRequest', value: { from: 3n, count: 10 } },
  ]
  for (const message of said) {
    const bytes = encodeNodeMessage(message)
    expect(decodeNodeMessage(bytes)).toEqual(message)
    for (let size = 0; size < bytes.length; size++) expect(() => decodeNodeMessage(bytes.slice(0, size))).not.toThrow()
  }
  expect(decodeNodeMessage(encodeNodeMessage({ kind: 'blocksRequest', value: { from: 0n, count: 1 } }))).toBeUndefined()
})
