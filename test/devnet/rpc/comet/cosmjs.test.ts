/** A client that others wrote, `@cosmjs/tendermint-rpc`, with the drivers that decide blocks here. */
import { Comet38Client, type comet38, connectComet, fromRfc3339WithNanoseconds } from '@cosmjs/tendermint-rpc'
import { afterEach, describe, expect, test } from 'vitest'
import { ABSENT_SIG } from '../../../../devnet/consensus/commit.ts'
import { isFault } from '../../../../devnet/consensus/fault.ts'
import { headerHash } from '../../../../devnet/consensus/hash.ts'
import { readLightBlock, verifyAdjacent } from '../../../../devnet/consensus/light-client.ts'
import { verifyProof } from '../../../../devnet/consensus/merkle.ts'
import { SECOND } from '../../../../devnet/consensus/time.ts'
import {
  type BlockId,
  type Commit,
  FLAG_ABSENT,
  type Header,
  type LightBlock,
} from '../../../../devnet/consensus/wire.ts'
import type { Devnet } from '../../../../devnet/node/devnet.ts'
import { fromBinary, toBinary, toHex } from '../../../../devnet/primitives/bytes.ts'
import { sha256 } from '../../../../devnet/primitives/hash.ts'
import { serveDevnet } from '../../../../devnet/rpc/serve.ts'
import type { RunningServer } from '../../../../devnet/rpc/server.ts'
import { formatAddress } from '../../../../devnet/state/address.ts'
import { hasOwnBundle, openTestDevnet, signed, transfer } from '../../node/chain-fixture.ts'

let devnet: Devnet
let server: RunningServer
const clients: Comet38Client[] = []

async function open(consensus: 'instant' | 'bft'): Promise<void> {
  devnet = openTestDevnet({ consensus })
  server = await serveDevnet(devnet, { host: '127.0.0.1', port: 0, isStrict: true })
  await devnet.chain.mine(1)
}

async function connect(transport: 'http' | 'ws'): Promise<Comet38Client> {
  const client = await Comet38Client.connect(`${transport}://127.0.0.1:${server.port}/comet`)
  clients.push(client)
  return client
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect()
  await server.close()
  await devnet.close()
})

const nanos = (time: { readonly nanoseconds?: number } & Date): bigint =>
  BigInt(time.getTime()) * 1_000_000n + BigInt(time.nanoseconds ?? 0)

const idOf = ({ hash, parts }: comet38.BlockId): BlockId => ({
  hash: toBinary(hash),
  partSetHeader: { total: parts.total, hash: toBinary(parts.hash) },
})

const NO_ID: BlockId = { hash: '', partSetHeader: { total: 0, hash: '' } }

function headerOf(header: comet38.Header): Header {
  return {
    version: { block: BigInt(header.version.block), app: BigInt(header.version.app) },
    chainId: header.chainId,
    height: BigInt(header.height),
    time: nanos(header.time as never),
    lastBlockId: header.lastBlockId === null ? NO_ID : idOf(header.lastBlockId),
    lastCommitHash: toBinary(header.lastCommitHash),
    dataHash: toBinary(header.dataHash),
    validatorsHash: toBinary(header.validatorsHash),
    nextValidatorsHash: toBinary(header.nextValidatorsHash),
    consensusHash: toBinary(header.consensusHash),
    appHash: toBinary(header.appHash),
    lastResultsHash: toBinary(header.lastResultsHash),
    evidenceHash: toBinary(header.evidenceHash),
    proposerAddress: toBinary(header.proposerAddress),
  }
}

function commitOf({ height, round, blockId, signatures }: comet38.Commit): Commit {
  return {
    height: BigInt(height),
    round,
    blockId: idOf(blockId),
    signatures: signatures.map(({ blockIdFlag, validatorAddress, timestamp, signature }) =>
      blockIdFlag === FLAG_ABSENT
        ? ABSENT_SIG
        : {
            blockIdFlag,
            validatorAddress: toBinary(validatorAddress!),
            timestamp: nanos(timestamp as never),
            signature: signature!,
          },
    ),
  }
}

/** What a light client needs of a height, as cosmjs has read it from our answers. */
async function lightBlockAt(client: Comet38Client, height: number): Promise<LightBlock> {
  const { header, commit } = await client.commit(height)
  const { validators, total, blockHeight } = await client.validatorsAll(height)
  expect({ total, blockHeight }).toEqual({ total: validators.length, blockHeight: height })
  const read = validators.map(({ address, pubkey, votingPower, proposerPriority }) => ({
    address: toBinary(address),
    pubKey: { kind: pubkey!.algorithm, value: pubkey!.data },
    votingPower,
    proposerPriority: BigInt(proposerPriority ?? 0),
  }))
  return {
    signedHeader: { header: headerOf(header), commit: commitOf(commit) },
    validatorSet: { validators: read, proposer: read[0]!, totalVotingPower: 0n },
  }
}

function checked(block: LightBlock) {
  const found = readLightBlock(block, String(devnet.chainId))
  if (isFault(found)) throw new Error(found.code)
  return found
}

function nextTx(sequence: bigint): Uint8Array {
  return signed(devnet, transfer(devnet, { sequence }))
}

/** The first event of a stream, once the subscription stands. */
function first<T>(stream: { subscribe(listener: object): { unsubscribe(): void } }): Promise<T> {
  return new Promise((resolve, reject) => {
    const subscription = stream.subscribe({
      next: (event: T) => {
        queueMicrotask(() => subscription.unsubscribe())
        resolve(event)
      },
      error: reject,
    })
  })
}

describe.skipIf(!hasOwnBundle)('cosmjs', () => {
  test('chooses the dialect of CometBFT 0.38', async () => {
    await open('instant')
    const client = await connectComet(`http://127.0.0.1:${server.port}/comet`)
    expect(client).toBeInstanceOf(Comet38Client)
    client.disconnect()
  })

  test.each(['instant', 'bft'] as const)('follows a chain of %s over HTTP', async (consensus) => {
    await open(consensus)
    const client = await connect('http')
    const status = await client.status()
    expect(status.nodeInfo).toMatchObject({ network: '31337', version: '0.38.25-troupe' })
    expect(status.syncInfo).toMatchObject({ latestBlockHeight: 1, earliestBlockHeight: 1, catchingUp: false })
    expect(status.validatorInfo.votingPower).toBe(1n)
    const genesis = await client.genesis()
    expect(genesis).toMatchObject({ chainId: '31337' })
    expect(genesis.validators).toHaveLength(consensus === 'bft' ? 4 : 1)
    expect((await client.abciInfo()).lastBlockHeight).toBe(1)

    const tx = nextTx(0n)
    const committed = await client.broadcastTxCommit({ tx })
    expect(committed.checkTx.code).toBe(0)
    expect(committed.txResult).toMatchObject({ code: 0, gasWanted: 5_000_000n })
    expect(toHex(committed.hash)).toBe(toHex(sha256(tx)))
    const { height } = committed
    const block = await client.block(height)
    expect(block.block.txs.map(toHex)).toEqual([toHex(tx)])
    expect(toBinary(block.blockId.hash)).toBe(headerHash(headerOf(block.block.header)))
    const results = await client.blockResults(height)
    expect(results.results).toHaveLength(1)
    expect(toHex((await client.abciInfo()).lastBlockAppHash!)).toBe(toHex(devnet.chain.application.head.appHash))

    const found = await client.tx({ hash: committed.hash, prove: true })
    const { proof, ...place } = found
    expect(place).toMatchObject({ height, index: 0 })
    const { total, index, leafHash, aunts } = proof!.proof
    const wire = {
      total: BigInt(total),
      index: BigInt(index),
      leafHash: toBinary(leafHash),
      aunts: aunts.map(toBinary),
    }
    expect(verifyProof(wire, toBinary(block.block.header.dataHash), sha256(tx))).toBeNull()
    expect(toHex(proof!.rootHash)).toBe(toHex(block.block.header.dataHash))

    const refused = await client.broadcastTxSync({ tx })
    expect(refused.code).not.toBe(0)
    expect(refused.log).toContain('sequence 0 is used')
    await expect(client.tx({ hash: new Uint8Array(32) })).rejects.toThrow('not found')
    await expect(client.block(99)).rejects.toThrow('must be less than or equal to')
    const query = await client.abciQuery({ path: '/store', data: fromBinary(devnet.chain.application.head.stateRoot) })
    expect(query.code).toBe(0)
    expect(query.value.length).toBeGreaterThan(0)
  })

  test.each(['instant', 'bft'] as const)('gives a light client of %s what it verifies', async (consensus) => {
    await open(consensus)
    const client = await connect('http')
    for (let sequence = 0n; sequence < 3n; sequence++) await client.broadcastTxCommit({ tx: nextTx(sequence) })
    const { latestBlockHeight } = (await client.status()).syncInfo
    let trusted = checked(await lightBlockAt(client, 1))
    for (let height = 2; height <= latestBlockHeight; height++) {
      const block = await lightBlockAt(client, height)
      const untrusted = checked(block)
      const jump = {
        trusted: trusted.signed,
        trustedValidators: trusted.validators,
        untrusted: block.signedHeader!,
        untrustedValidators: untrusted.validators,
        trustingPeriod: 3600n * SECOND,
        now: untrusted.signed.header.time + SECOND,
        maxClockDrift: 10n * SECOND,
        trustLevel: { numerator: 1n, denominator: 3n },
      }
      expect(verifyAdjacent(jump)).toBeNull()
      // A light client that never refuses would prove nothing.
      const { commit, header } = block.signedHeader!
      const spoilt = commit!.signatures.map((one) => ({
        ...one,
        timestamp: one.blockIdFlag === FLAG_ABSENT ? one.timestamp : one.timestamp + 1n,
      }))
      const forged = { header, commit: { ...commit!, signatures: spoilt } }
      expect(verifyAdjacent({ ...jump, untrusted: forged })?.code).toBe('invalid-header')
      trusted = untrusted
    }
    expect((await client.commit(latestBlockHeight)).canonical).toBe(false)
    expect((await client.commit(latestBlockHeight - 1)).canonical).toBe(true)
  })

  test('searches transactions and blocks', async () => {
    await open('instant')
    const client = await connect('http')
    const heights: number[] = []
    for (let sequence = 0n; sequence < 4n; sequence++) {
      heights.push((await client.broadcastTxCommit({ tx: nextTx(sequence) })).height)
    }
    const [alice, bob] = devnet.accounts
    const from = `message.from='${formatAddress(alice!.address, 't')}'`
    const to = `message.to='${formatAddress(bob!.address, 't')}'`
    const all = await client.txSearchAll({ query: `${from} AND ${to}`, per_page: 3 })
    expect(all.totalCount).toBe(4)
    expect(all.txs.map(({ height }) => height)).toEqual(heights)
    const some = await client.txSearch({ query: `${from} AND tx.height > ${heights[1]}`, order_by: 'desc' })
    expect(some.txs.map(({ height }) => height)).toEqual(heights.slice(2).toReversed())
    expect((await client.txSearch({ query: `message.from='${formatAddress(bob!.address, 't')}'` })).totalCount).toBe(0)
    const blocks = await client.blockSearchAll({ query: `block.height >= ${heights[2]}`, order_by: 'asc' })
    expect(blocks.blocks.map(({ block }) => block.header.height)).toEqual(heights.slice(2))
    const chain = await client.blockchain(1, 2)
    expect(chain.blockMetas.map(({ header }) => header.height)).toEqual([2, 1])
  })

  test('sees what waits', async () => {
    devnet = openTestDevnet({ policy: { kind: 'manual' } })
    server = await serveDevnet(devnet, { host: '127.0.0.1', port: 0, isStrict: true })
    await devnet.chain.mine(1)
    const client = await connect('http')
    const tx = nextTx(0n)
    const { hash } = await client.broadcastTxAsync({ tx })
    expect(toHex(hash)).toBe(toHex(sha256(tx)))
    expect(await client.numUnconfirmedTxs()).toMatchObject({ total: 1, totalBytes: tx.length })
    await expect(client.broadcastTxSync({ tx })).rejects.toThrow('tx already exists in cache')
    await devnet.chain.mine(1)
    expect((await client.numUnconfirmedTxs()).total).toBe(0)
    expect((await client.tx({ hash })).height).toBe(2)
  })

  test.each(['instant', 'bft'] as const)('hears of blocks and transactions of %s over WebSocket', async (consensus) => {
    await open(consensus)
    const client = await connect('ws')
    const blocks = first<comet38.NewBlockEvent>(client.subscribeNewBlock())
    const headers = first<comet38.NewBlockHeaderEvent>(client.subscribeNewBlockHeader())
    const to = formatAddress(devnet.accounts[1]!.address, 't')
    const txs = first<comet38.TxEvent>(client.subscribeTx(`message.to='${to}'`))
    // Requests of one socket are answered in order: the subscriptions stand when this is.
    const { syncInfo } = await client.status()
    const tx = nextTx(0n)
    const { height } = await client.broadcastTxCommit({ tx })
    expect(await txs).toMatchObject({ height, result: { code: 0 } })
    expect(toHex((await txs).hash)).toBe(toHex(sha256(tx)))
    const next = syncInfo.latestBlockHeight + 1
    expect((await blocks).header.height).toBe(next)
    expect((await headers).height).toBe(next)
    const meta = devnet.chain.blocks!.meta(BigInt(next))!
    expect(headerHash(headerOf((await blocks).header))).toBe(meta.blockId.hash)
    expect(nanos((await headers).time as never)).toBe(meta.header.time)
    expect(fromRfc3339WithNanoseconds('1970-01-01T00:00:00Z').getTime()).toBe(0)
  })
})
