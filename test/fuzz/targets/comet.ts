/**
 * What clients send to CometBFT's RPC: requests of JSON-RPC, URIs, queries. The first byte of an input says which; the rest is its text.
 * The node that is asked is one of ours with a few blocks, and nothing that is asked may change what the next is answered.
 */
import { duplicateVoteEvidence } from '../../../devnet/consensus/evidence.ts'
import { addressOf, publicKeyOf, signMessage } from '../../../devnet/consensus/key.ts'
import { voteSignBytes } from '../../../devnet/consensus/sign-bytes.ts'
import { PREVOTE, type Vote } from '../../../devnet/consensus/wire.ts'
import { DEFAULT_MNEMONIC } from '../../../devnet/node/accounts.ts'
import type { Devnet } from '../../../devnet/node/devnet.ts'
import { type EventQuery, parseQuery, QueryError } from '../../../devnet/node/event-query.ts'
import { MemoryChainStore } from '../../../devnet/node/memory-store.ts'
import { deriveValidatorKeys } from '../../../devnet/node/validator-keys.ts'
import { encodeUtf8 } from '../../../devnet/primitives/utf8.ts'
import type { JsonObject } from '../../../devnet/rpc/comet/block-json.ts'
import { openChainNode } from '../../../devnet/rpc/comet/chain-node.ts'
import { CometFault } from '../../../devnet/rpc/comet/fault.ts'
import { COMET_METHODS } from '../../../devnet/rpc/comet/methods.ts'
import type { CometNode } from '../../../devnet/rpc/comet/node.ts'
import { answerRequest, type CometAnswer, PROTOCOL_LIMITS } from '../../../devnet/rpc/comet/protocol.ts'
import { Subscriptions } from '../../../devnet/rpc/comet/subscriptions.ts'
import { RpcCode } from '../../../devnet/rpc/errors.ts'
import { openTestDevnet, signed, transfer } from '../../devnet/node/chain-fixture.ts'
import { ManualClock } from '../../devnet/node/manual-clock.ts'
import type { Random } from '../random.ts'
import { attempt, demand, type Target } from '../target.ts'

export const comet: Target = {
  name: 'comet',
  generate: (random) => encodeUtf8(random.pick([randomPost, randomPost, randomUri, randomQueryInput])(random)),
  async run(input) {
    const asked = await open()
    const text = Buffer.from(input.subarray(1)).toString('utf8')
    switch ((input[0] ?? 0) % 3) {
      case 0:
        return runQuery(text)
      case 1:
        return checkAnswer(asked, { method: 'POST', path: '/', query: new URLSearchParams(), body: text })
      default: {
        const [path = '', query = ''] = text.split('?', 2)
        return checkAnswer(asked, { method: 'GET', path: `/${path}`, query: new URLSearchParams(query), body: '' })
      }
    }
  },
}

// --- the node -------------------------------------------------------------------------------------------------------

interface Asked {
  readonly node: CometNode
  /** Counts what the node reads of its store. */
  readonly store: CountingStore
}

class CountingStore extends MemoryChainStore {
  reads = 0

  override getRecord(key: string): Uint8Array | undefined {
    this.reads++
    return super.getRecord(key)
  }

  override recordKeys(from: string, to: string, max?: number): Iterable<string> {
    this.reads++
    return super.recordKeys(from, to, max)
  }
}

const HEIGHTS = 6
/** Of a batch with ten searches that find everything, several times over. */
const READS_MAX = 100_000

let opened: Promise<Asked> | undefined

function open(): Promise<Asked> {
  opened ??= openNode()
  return opened
}

async function openNode(): Promise<Asked> {
  const store = new CountingStore()
  const clock = new ManualClock(1_900_000_000_000)
  const devnet = openTestDevnet({ store, clock, validators: 4, policy: { kind: 'manual' } })
  const { chain } = devnet
  const consensus = chain.consensus!
  for (let sequence = 0n; sequence < HEIGHTS; sequence++) {
    chain.submit(signed(devnet, transfer(devnet, { sequence })))
    if (sequence === 3n) consensus.addEvidence(doubleVote(devnet))
    await chain.mine(1)
  }
  const node = openChainNode({ chain, consensus, blocks: chain.blocks!, clock, rpcHost: () => '127.0.0.1:1' })
  return { node, store }
}

/** Of the first validator, for the first block. */
function doubleVote({ chain, chainId }: Devnet) {
  const set = chain.blocks!.validators(1n)!
  const { time } = chain.blocks!.meta(1n)!.header
  const [first] = set.validators
  const keys = deriveValidatorKeys(DEFAULT_MNEMONIC, chainId, 4)
  const key = keys.find((one) => addressOf(publicKeyOf(one)) === first!.address)!
  const vote = (hash: string): Vote => {
    const none = new Uint8Array(0)
    const blockId = { hash: hash.repeat(32), partSetHeader: { total: 1, hash: hash.repeat(32) } }
    const place = { type: PREVOTE, height: 1n, round: 0, validatorIndex: 0, validatorAddress: first!.address }
    const bare = { ...place, blockId, timestamp: time, signature: none, extension: none, extensionSignature: none }
    return { ...bare, signature: signMessage(key, voteSignBytes(String(chainId), bare)) }
  }
  return duplicateVoteEvidence([vote('a'), vote('b')], time, set)!
}

// --- promises -------------------------------------------------------------------------------------------------------

const STATUSES = [200, 400, 404, 500]
const CODES: readonly unknown[] = [
  RpcCode.ParseError,
  RpcCode.InvalidRequest,
  RpcCode.MethodNotFound,
  RpcCode.InvalidParams,
  RpcCode.InternalError,
]

/** An answer, or a coded error that is the caller's; never a failure of ours, and never for more work than is allowed. */
async function checkAnswer({ node, store }: Asked, request: Parameters<typeof answerRequest>[1]): Promise<string> {
  const before = store.reads
  const answer = await answerRequest(node, { ...request, body: limited(request.body) })
  demand(store.reads - before <= READS_MAX, `a request reads ${store.reads - before} records`)
  demand(STATUSES.includes(answer.status), `status ${answer.status}`)
  checkBody(answer)
  return `${answer.status} ${answer.cacheControl} ${answer.body}`
}

function limited(body: string | undefined): string | undefined {
  return body !== undefined && Buffer.byteLength(body) <= PROTOCOL_LIMITS.bodyBytes ? body : undefined
}

function checkBody({ contentType, body, cacheControl }: CometAnswer): void {
  if (contentType !== 'application/json') return
  const parsed: unknown = JSON.parse(body)
  for (const one of Array.isArray(parsed) ? parsed : [parsed]) {
    const { jsonrpc, result, error } = one as JsonObject & { error?: JsonObject }
    demand(jsonrpc === '2.0', 'no answer of JSON-RPC')
    demand((result === undefined) !== (error === undefined), 'neither a result nor an error, or both')
    if (error === undefined) continue
    demand(CODES.includes(error['code']), `an error with code ${String(error['code'])}: ${String(error['data'])}`)
    demand(typeof error['message'] === 'string' && error['message'] !== '', 'an error without a message')
    demand(cacheControl === '', 'an error that may be kept')
  }
}

const EVENTS = new Map([
  ['tm.event', ['Tx']],
  ['tx.height', ['5']],
  ['message.from', ['t1abc', 't01']],
  ['app.number', ['007', '3.50', '18446744073709551616', 'x']],
  ['app.time', ['2026-01-01T00:00:00.5Z', '2026-13-01']],
  ['a.b.c', ['', 'ü']],
])

/** A query is refused with its place, or says the same when it is written out and read again; and a client can leave it. */
function runQuery(text: string): string {
  const read = attempt(() => parseQuery(text), QueryError)
  const subscriptions = new Subscriptions()
  const client = { send: () => {} }
  const added = attempt(() => subscriptions.add(client, 1, text), CometFault)
  demand('error' in read === 'error' in added, 'a subscription takes what is no query, or refuses one')
  if ('error' in read) return String(read.error)
  const query: EventQuery = read.value
  const matches = query.matches(EVENTS)
  const again = parseQuery(query.text)
  demand(again.text === query.text, 'a query is not what it was')
  demand(JSON.stringify(again.conditions) === JSON.stringify(query.conditions), 'conditions are not what they were')
  demand(again.matches(EVENTS) === matches, 'a query that was written out finds something else')
  subscriptions.remove(client, query.text)
  demand(subscriptions.clientCount === 0, 'a client cannot leave')
  return `${matches} ${query.text}`
}

// --- from nothing ---------------------------------------------------------------------------------------------------

const METHODS = [...COMET_METHODS.keys(), 'subscribe', 'unsubscribe_all', 'troupe_mine', '__proto__', 'constructor', '']

function randomPost(random: Random): string {
  const count = random.below(8) === 0 ? random.below(14) : 1
  const calls = Array.from({ length: count }, () => randomCall(random))
  return `\u0001${JSON.stringify(count === 1 ? calls[0] : calls)}`
}

function randomCall(random: Random): unknown {
  const method = random.pick(METHODS)
  const kinds = Object.entries(COMET_METHODS.get(method)?.arguments ?? { query: 'text' })
  const values = kinds.map(([name, kind]) => [name, randomArgument(kind, random)] as const)
  const params = random.pick([
    Object.fromEntries(values),
    values.map(([, value]) => value),
    null,
    randomJson(random, 3),
  ])
  return { jsonrpc: '2.0', id: random.pick<unknown>([1, 2, 'a', 'b', 7, null, -1.5, 1e300, {}]), method, params }
}

function randomUri(random: Random): string {
  const method = random.pick(METHODS)
  const kinds = Object.entries(COMET_METHODS.get(method)?.arguments ?? { query: 'text' })
  const words = kinds.map(([name, kind]) => {
    const value = randomArgument(kind, random)
    const text = random.pick([String(value), JSON.stringify(value), `0x${'ab'.repeat(random.below(40))}`, '"'])
    return `${name}=${random.below(2) === 0 ? text : encodeURIComponent(Buffer.from(text ?? '').toString())}`
  })
  return `\u0002${method}?${words.join('&')}`
}

const NUMBERS = ['0', '1', '3', '6', '7', '-1', '99999999999999999999', '9223372036854775807', '1.5', '', '007', 'x']

function randomArgument(kind: string, random: Random): unknown {
  if (random.below(12) === 0) return randomJson(random, 2)
  if (kind === 'optional integer' && random.below(3) > 0) return null
  switch (kind) {
    case 'flag':
      return random.pick([true, false, 'true'])
    case 'text':
      return random.pick([randomQuery(random), randomQuery(random), 'asc', 'desc', '', ''])
    case 'bytes':
    case 'hex':
      return Buffer.from(random.bytes(random.pick([0, 1, 20, 32, 33, 200]))).toString(random.pick(['base64', 'hex']))
    case 'evidence':
      return randomEvidence(random)
    default:
      return random.pick<unknown>([...NUMBERS, 3])
  }
}

function randomEvidence(random: Random): unknown {
  const id = () => ({ hash: 'AB'.repeat(random.below(40)), parts: { total: random.below(3), hash: 'CD'.repeat(32) } })
  const vote = () => ({
    type: random.below(4),
    height: random.pick(NUMBERS),
    round: random.pick<unknown>([0, -1, 2 ** 31, '1']),
    block_id: id(),
    timestamp: random.pick(['2030-03-17T17:46:40Z', '2030-03-17T17:46:40.123456789Z', '0001-01-01T00:00:00Z', 'x']),
    validator_address: 'EF'.repeat(20),
    validator_index: random.below(5),
    signature: Buffer.from(random.bytes(64)).toString('base64'),
  })
  const value = {
    vote_a: vote(),
    vote_b: vote(),
    TotalVotingPower: '4',
    ValidatorPower: '1',
    Timestamp: vote().timestamp,
  }
  const type = random.pick(['tendermint/DuplicateVoteEvidence', 'tendermint/LightClientAttackEvidence', 'x'])
  return { type, value }
}

function randomJson(random: Random, depth: number): unknown {
  switch (random.below(depth > 0 ? 8 : 6)) {
    case 0:
      return null
    case 1:
      return random.pick<unknown>([0, -0, 1, 1e21, -1e-9, true, false])
    case 2:
    case 3:
      return random.pick([...NUMBERS, '\u0000', '\ud800', 'é'.repeat(50)])
    case 4:
      return []
    case 5:
      return {}
    case 6:
      return Array.from({ length: random.below(4) }, () => randomJson(random, depth - 1))
    default:
      return { [random.pick(['height', 'tx', 'hash', 'query', '__proto__', 'type'])]: randomJson(random, depth - 1) }
  }
}

const randomQueryInput = (random: Random): string => `\u0000${randomQuery(random)}`

const TAGS = [
  'tm.event',
  'tx.height',
  'tx.hash',
  'block.height',
  'message.from',
  'app.number',
  'app.time',
  'a.b.c',
  'ü.x',
]
const OPERANDS = [
  "'Tx'",
  "''",
  "'it is'",
  '5',
  '3.5',
  '3.',
  '0000000000000000000000000005',
  'TIME 2026-01-01T00:00:00Z',
  'TIME 2026-01-01T00:00:00.000000001+14:00',
  'DATE 2026-02-30',
  'DATE 1899-12-31',
  '-1',
  "'",
]
const OPERATORS = ['=', '<', '<=', '>', '>=', ' CONTAINS ', ' EXISTS', '!=', '']

/** Half of them say something that can be asked. */
function randomQuery(random: Random): string {
  const isGood = random.below(2) === 0
  const count = random.below(10) === 0 ? 30 : 1 + random.below(3)
  const conditions = Array.from({ length: count }, () => (isGood ? goodCondition(random) : anyCondition(random)))
  return conditions.join(isGood ? ' AND ' : random.pick([' AND ', ' and ', 'AND', ' OR ']))
}

function goodCondition(random: Random): string {
  const tag = random.pick(TAGS)
  const number = String(random.below(8))
  return random.pick([
    `${tag} EXISTS`,
    `${tag} CONTAINS 't'`,
    `${tag} = '${number}'`,
    `${tag} ${random.pick(['=', '<', '<=', '>', '>='])} ${random.pick([number, ...OPERANDS.slice(3, 9)])}`,
    `tx.height ${random.pick(['>', '<='])} ${number}`,
  ])
}

function anyCondition(random: Random): string {
  const operator = random.pick(OPERATORS)
  const space = random.pick(['', ' ', '\t'])
  return `${random.pick(TAGS)}${space}${operator}${space}${operator === ' EXISTS' ? '' : random.pick(OPERANDS)}`
}
