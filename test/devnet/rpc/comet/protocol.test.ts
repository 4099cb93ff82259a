/** Whatever comes, an answer goes back, and nothing that comes is our failure. What is asked rightly: `recorded.test.ts`. */
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { ArgumentKind } from '../../../../devnet/rpc/comet/arguments.ts'
import { COMET_METHODS } from '../../../../devnet/rpc/comet/methods.ts'
import type { CometNode } from '../../../../devnet/rpc/comet/node.ts'
import { answerRequest } from '../../../../devnet/rpc/comet/protocol.ts'
import { addBlock, openChain } from '../../node/consensus-fixture.ts'
import { KvApplication } from '../../node/kv-application.ts'
import { quietNode } from './quiet-node.ts'

let node: CometNode

beforeAll(async () => {
  const chain = openChain(new KvApplication())
  for (let i = 0; i < 3; i++) await addBlock(chain, [`a=${i}`])
  node = quietNode(chain)
})

const post = (body: string) => answerRequest(node, { method: 'POST', path: '/', query: new URLSearchParams(), body })
const get = (path: string, query: string) =>
  answerRequest(node, { method: 'GET', path, query: new URLSearchParams(query), body: '' })

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '1',
    '0',
    '-1',
    '9223372036854775807',
    '9223372036854775808',
    '1e3',
    '""',
    '"',
    '0x',
    '0xzz',
    'null',
    '[]',
    'AAAA',
    '=',
  ),
)
const json = fc.oneof(fc.jsonValue({ maxDepth: 3 }), text)
const names = [...COMET_METHODS.keys(), 'subscribe', 'nope', '__proto__']

describe('the protocol', () => {
  test('answers any request by POST, and never with a failure of its own', async () => {
    const argument = fc.constantFrom(
      'height',
      'hash',
      'query',
      'page',
      'per_page',
      'tx',
      'evidence',
      'chunk',
      'data',
      'prove',
    )
    const params = fc.oneof(fc.dictionary(argument, json, { maxKeys: 4 }), fc.array(json, { maxLength: 5 }), json)
    const call = fc.record({ id: fc.oneof(fc.integer(), fc.string()), method: fc.constantFrom(...names), params })
    await fc.assert(
      fc.asyncProperty(call, async (request) => {
        const { status, body } = await post(JSON.stringify(request))
        expect(status).toBe(200)
        const { error } = JSON.parse(body)
        if (error !== undefined) expect([-32601, -32602, -32603]).toContain(error.code)
      }),
      { numRuns: 3000 },
    )
  })

  test('answers any request by URI, and never with a failure of its own', async () => {
    const query = fc.dictionary(fc.constantFrom('height', 'hash', 'query', 'page', 'tx', 'data', 'evidence'), text, {
      maxKeys: 3,
    })
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), query, async (name, values) => {
        const { status, body } = await get(`/${name}`, new URLSearchParams(values).toString())
        expect([200, 404, 500]).toContain(status)
        if (status === 500) expect([-32602, -32603]).toContain(JSON.parse(body).error.code)
      }),
      { numRuns: 3000 },
    )
  })

  test('answers any text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(text, fc.json({ maxDepth: 3 })), async (body) => {
        expect([200, 500]).toContain((await post(body)).status)
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    ['deep params', `{"id":1,"method":"health","params":${'['.repeat(5000)}${']'.repeat(5000)}}`, 500, -32700],
    ['a deep batch', `${'['.repeat(5000)}${']'.repeat(5000)}`, 500, -32700],
    ['a method that is no text', '{"id":1,"method":5}', 500, -32700],
    ['null', 'null', 500, -32700],
    ['a batch with a number', '[{"id":1,"method":"health"},5]', 500, -32700],
  ])('refuses %s', async (_, body, status, code) => {
    const answer = await post(body)
    expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([status, code])
  })

  test('says that a failure is ours when it is', async () => {
    const broken: CometNode = {
      ...node,
      waitingTxs() {
        throw new TypeError('broken')
      },
    }
    const request = { method: 'POST', path: '/', query: new URLSearchParams() }
    const answer = await answerRequest(broken, { ...request, body: '{"id":1,"method":"num_unconfirmed_txs"}' })
    expect(answer.status).toBe(500)
    expect(JSON.parse(answer.body).error).toEqual({ code: -32000, message: 'Server error', data: 'broken' })
  })

  test('has a kind for each argument', () => {
    const kinds: readonly ArgumentKind[] = [
      'integer',
      'optional integer',
      'count',
      'flag',
      'text',
      'bytes',
      'hex',
      'evidence',
    ]
    const used = [...COMET_METHODS.values()].flatMap(({ arguments: own }) => Object.values(own))
    expect(new Set(used)).toEqual(new Set(kinds))
  })
})
