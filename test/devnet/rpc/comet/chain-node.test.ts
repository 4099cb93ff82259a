/** Chains of ours as CometBFT's RPC sees them: what waits, what is found after a restart, after catching up, after going back. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { duplicateVoteEvidence } from '../../../../devnet/consensus/evidence.ts'
import { capitalHex } from '../../../../devnet/consensus/genesis-document.ts'
import { evidenceHash, evidenceListHash } from '../../../../devnet/consensus/hash.ts'
import { addressOf, publicKeyOf, signMessage } from '../../../../devnet/consensus/key.ts'
import { voteSignBytes } from '../../../../devnet/consensus/sign-bytes.ts'
import { type Evidence, PREVOTE, type Vote } from '../../../../devnet/consensus/wire.ts'
import { DEFAULT_MNEMONIC } from '../../../../devnet/node/accounts.ts'
import type { Devnet, DevnetOptions } from '../../../../devnet/node/devnet.ts'
import { openStore } from '../../../../devnet/node/store.ts'
import { deriveValidatorKeys } from '../../../../devnet/node/validator-keys.ts'
import { fromBinary } from '../../../../devnet/primitives/bytes.ts'
import { sha256 } from '../../../../devnet/primitives/hash.ts'
import { evidenceJson, type JsonObject } from '../../../../devnet/rpc/comet/block-json.ts'
import { openChainNode } from '../../../../devnet/rpc/comet/chain-node.ts'
import type { CometNode } from '../../../../devnet/rpc/comet/node.ts'
import { answerCall } from '../../../../devnet/rpc/comet/protocol.ts'
import { hasOwnBundle, openTestDevnet, signed, transfer } from '../../node/chain-fixture.ts'
import { ManualClock } from '../../node/manual-clock.ts'

const START_MS = 1_900_000_000_000
let devnet: Devnet
let clock: ManualClock
let node: CometNode
const folders: string[] = []

function open(options: DevnetOptions = {}): void {
  clock = new ManualClock(START_MS)
  devnet = openTestDevnet({ clock, ...options })
  const { chain } = devnet
  node = openChainNode({
    chain,
    clock,
    consensus: chain.consensus!,
    blocks: chain.blocks!,
    rpcHost: () => '127.0.0.1:1',
  })
}

// biome-ignore lint/suspicious/noExplicitAny: an answer of CometBFT's RPC
async function call(method: string, params: JsonObject = {}): Promise<any> {
  const { response } = await answerCall(node, 1, { id: 1, method, params })
  return response['result'] ?? response['error']
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const nextTx = (sequence: bigint): Uint8Array => signed(devnet, transfer(devnet, { sequence }))
const found = async (tx: Uint8Array): Promise<string> => (await call('tx', { hash: base64(sha256(tx)) })).height

async function settle<T>(work: Promise<T>, ms = 1000): Promise<T> {
  await clock.run(ms)
  return work
}

afterEach(async () => {
  await devnet.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

describe.skipIf(!hasOwnBundle)('a chain of ours', () => {
  test('answers before its first block', async () => {
    open()
    expect((await call('status')).sync_info).toMatchObject({ latest_block_height: '0', latest_block_hash: '' })
    expect(await call('block')).toMatchObject({ block: null })
    expect((await call('block', { height: '1' })).data).toContain('must be less than or equal to')
    expect(await call('blockchain')).toMatchObject({ code: -32603 })
    expect((await call('validators')).validators).toHaveLength(1)
    expect((await call('consensus_state')).round_state['height/round/step']).toBe('1/0/1')
    expect((await call('genesis')).genesis).toMatchObject({ chain_id: '31337', initial_height: '1' })
    expect(await call('tx_search', { query: 'tx.height > 0' })).toEqual({ txs: [], total_count: '0' })
  })

  test('finds after a restart what was indexed before it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-comet-rpc-'))
    folders.push(folder)
    open({ store: openStore(folder) })
    const tx = nextTx(0n)
    const { height } = await settle(call('broadcast_tx_commit', { tx: base64(tx) }))
    await devnet.close()
    open({ store: openStore(folder) })
    expect(await found(tx)).toBe(height)
    expect((await call('tx_search', { query: "message.from CONTAINS 't1'" })).total_count).toBe('1')
  })

  test.each(['instant', 'bft'] as const)('forgets what it goes back behind (%s)', async (consensus) => {
    open({ consensus })
    const [kept, dropped] = [nextTx(0n), nextTx(1n)]
    const { height } = await settle(call('broadcast_tx_commit', { tx: base64(kept) }))
    await settle(call('broadcast_tx_commit', { tx: base64(dropped) }))
    await devnet.chain.rewind(Number(height))
    expect((await call('status')).sync_info.latest_block_height).toBe(height)
    expect(await found(kept)).toBe(height)
    expect((await call('tx', { hash: base64(sha256(dropped)) })).data).toContain('not found')
    expect((await call('tx_search', { query: 'message.from EXISTS' })).total_count).toBe('1')
    // It can be in a block again.
    const again = await settle(call('broadcast_tx_commit', { tx: base64(dropped) }))
    expect(Number(again.height)).toBe(Number(height) + 1)
  })

  test('finds what was decided without it, once it has caught up', async () => {
    open({ consensus: 'bft' })
    await settle(devnet.chain.mine(1))
    devnet.bft!.faults.add({ kind: 'partition', groups: [['v0'], ['v1', 'v2', 'v3']] })
    const tx = nextTx(0n)
    devnet.bft!.validators[1]!.submit(tx)
    await clock.run(20_000)
    expect(devnet.bft!.validators[1]!.blocks.height).toBeGreaterThan(1n)
    expect((await call('status')).sync_info.latest_block_height).toBe('1')
    expect((await call('tx', { hash: base64(sha256(tx)) })).data).toContain('not found')
    devnet.bft!.faults.clear()
    await clock.run(20_000)
    expect(await found(tx)).toBe('2')
    expect((await call('tx_search', { query: 'message.to EXISTS AND tx.height = 2' })).total_count).toBe('1')
    expect((await call('status')).sync_info.catching_up).toBe(false)
  })

  test('shows the votes of a round that cannot end', async () => {
    open({ consensus: 'bft' })
    await settle(devnet.chain.mine(1))
    devnet.bft!.faults.add({
      kind: 'partition',
      groups: [
        ['v0', 'v1'],
        ['v2', 'v3'],
      ],
    })
    const mining = devnet.chain.mine(1)
    await clock.run(5_000)
    const { round_state: state } = await call('consensus_state')
    expect(state['height/round/step']).toMatch(/^2\/\d+\/[346]$/)
    const voted = state.height_vote_set.flatMap(({ prevotes }: { prevotes: readonly string[] }) => prevotes)
    expect(voted.filter((vote: string) => vote !== 'nil-Vote').length).toBeGreaterThan(0)
    expect(voted.find((vote: string) => vote !== 'nil-Vote')).toMatch(
      /^Vote\{\d:[0-9A-F]{12} 2\/\d\d\/SIGNED_MSG_TYPE_PREVOTE\(Prevote\) [0-9A-F]{12} [0-9A-F]{12} 0{12} @ \d{4}-.*Z\}$/,
    )
    expect(state.height_vote_set[0].prevotes_bit_array).toMatch(/^BA\{4:[x_]{4}\} \d\/4 = 0\.\d\d$/)
    const dumped = (await call('dump_consensus_state')).round_state
    expect(dumped).toMatchObject({ height: '2', last_validators: { validators: [{}, {}, {}, {}] } })
    expect(dumped.last_commit.votes).toHaveLength(4)
    devnet.bft!.faults.clear()
    await clock.run(20_000)
    await mining
  })

  test('takes evidence that is true, once, and nothing else', async () => {
    open({ consensus: 'bft' })
    devnet.bft!.faults.add({ kind: 'byzantine', nodes: ['v2'] })
    await settle(devnet.chain.mine(6), 20_000)
    const { blocks } = devnet.chain
    let piece: Evidence | null = null
    for (let height = 1n; height <= blocks!.height; height++) {
      piece ??= blocks!.block(height)!.evidence.evidence[0] ?? null
    }
    const committed = await call('broadcast_evidence', { evidence: evidenceJson(piece!) })
    expect(committed).toMatchObject({ code: -32603, data: expect.stringContaining('already-committed') })
    const json = evidenceJson(piece!) as { type: string; value: JsonObject }
    const forged = { ...json, value: { ...json.value, ValidatorPower: '9' } }
    expect((await call('broadcast_evidence', { evidence: forged })).data).toContain('failed to add evidence')
    const malformed = { ...json, value: { ...json.value, vote_a: { height: 5 } } }
    expect(await call('broadcast_evidence', { evidence: malformed })).toMatchObject({ code: -32602 })
    expect((await call('broadcast_evidence')).data).toBe('no evidence was provided')
  })

  /** Two votes of the last validator for the first round of a block. */
  function doubleVote(height: bigint): Evidence {
    const { blocks } = devnet.chain
    const set = blocks!.validators(height)!
    const keys = deriveValidatorKeys(DEFAULT_MNEMONIC, devnet.chainId, 4)
    const key = keys.find((one) => addressOf(publicKeyOf(one)) === set.validators[3]!.address)!
    const { time } = blocks!.meta(height)!.header
    const vote = (hash: string): Vote => {
      const unsigned: Vote = {
        type: PREVOTE,
        height,
        round: 0,
        blockId: { hash: hash.repeat(32), partSetHeader: { total: 1, hash: hash.repeat(32) } },
        timestamp: time,
        validatorAddress: set.validators[3]!.address,
        validatorIndex: 3,
        signature: new Uint8Array(0),
        extension: new Uint8Array(0),
        extensionSignature: new Uint8Array(0),
      }
      return { ...unsigned, signature: signMessage(key, voteSignBytes(String(devnet.chainId), unsigned)) }
    }
    return duplicateVoteEvidence([vote('a'), vote('b')], time, set)!
  }

  test.each(['instant', 'bft'] as const)(
    'carries evidence that a client brings into a block (%s)',
    async (consensus) => {
      open({ consensus, validators: 4 })
      await settle(devnet.chain.mine(2))
      const { blocks } = devnet.chain
      const value = doubleVote(1n)
      const sent = await call('broadcast_evidence', { evidence: evidenceJson(value) })
      expect(sent).toEqual({ hash: base64(fromBinary(evidenceHash(value))) })
      await settle(devnet.chain.mine(4), 5_000)
      const carried = [3n, 4n, 5n, 6n].flatMap((height) => blocks!.block(height)?.evidence.evidence ?? [])
      expect(carried.map((piece) => evidenceHash(piece!))).toEqual([evidenceHash(value)])
      const events = await call('block_search', { query: "misbehavior.kind = 'duplicate-vote'" })
      expect(events.total_count).toBe('1')
      const { header } = events.blocks[0].block
      expect(header.evidence_hash).toBe(capitalHex(evidenceListHash([value])))
      const again = await call('broadcast_evidence', { evidence: evidenceJson(value) })
      expect(again.data).toContain('already-committed')
    },
  )

  test('puts evidence into the next block where one process signs, and forgets it when it goes back behind it', async () => {
    open({ validators: 4 })
    await devnet.chain.mine(3)
    const { blocks } = devnet.chain
    const forged = evidenceJson(doubleVote(2n)) as { value: JsonObject }
    const bad = { ...forged, value: { ...forged.value, TotalVotingPower: '9' } }
    expect((await call('broadcast_evidence', { evidence: bad })).data).toContain('failed to add evidence')
    await call('broadcast_evidence', { evidence: evidenceJson(doubleVote(3n)) })
    await devnet.chain.rewind(2)
    await devnet.chain.mine(1)
    expect(blocks!.block(3n)!.evidence.evidence).toEqual([])
    await call('broadcast_evidence', { evidence: evidenceJson(doubleVote(2n)) })
    await devnet.chain.mine(1)
    expect(blocks!.block(4n)!.evidence.evidence).toHaveLength(1)
    // What went with its block may come again.
    await devnet.chain.rewind(3)
    await call('broadcast_evidence', { evidence: evidenceJson(doubleVote(2n)) })
    await devnet.chain.mine(1)
    expect(blocks!.block(4n)!.evidence.evidence).toHaveLength(1)
  })

  test('gives up waiting after ten seconds, and the transaction goes on', async () => {
    open({ policy: { kind: 'manual' } })
    const tx = nextTx(0n)
    const late = await settle(call('broadcast_tx_commit', { tx: base64(tx) }), 10_001)
    expect(late).toMatchObject({ code: -32603, data: 'timed out waiting for tx to be included in a block' })
    expect((await call('unconfirmed_txs')).txs).toEqual([base64(tx)])
    await devnet.chain.mine(1)
    expect(await found(tx)).toBe('1')
  })

  test('does not take powers from clients', async () => {
    open()
    await devnet.chain.apply([])
    const [power] = devnet.chain.application.history.block(1)!.txs
    const sent = await call('broadcast_tx_sync', { tx: base64(power!) })
    expect(sent).toMatchObject({ code: 53, log: 'devnet powers do not come through the mempool' })
    expect(await call('broadcast_tx_sync', { tx: base64(Uint8Array.of(1, 2, 3)) })).toMatchObject({ code: 51 })
  })
})
