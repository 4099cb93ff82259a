import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CALLER, COUNTER, makeProject, run, runJson, startDevnet, type TestProject } from './cli-fixture.ts'

let project: TestProject
let devnet: Awaited<ReturnType<typeof startDevnet>>
const json = (...words: string[]) => runJson(project.root, ...words)

beforeAll(async () => {
  project = makeProject({ 'actors/counter.actor.ts': COUNTER, 'actors/caller.actor.ts': CALLER })
  devnet = await startDevnet(project)
})
afterAll(async () => {
  await devnet.close()
  project.remove()
})

describe('deploy', () => {
  test('compiles the actor and answers where it is', async () => {
    const { status, ok, data } = await json('deploy', 'Counter', '0')
    expect([status, ok]).toEqual([0, true])
    expect(data).toMatchObject({
      actor: 'Counter',
      id: expect.stringMatching(/^\d+$/),
      address: expect.stringMatching(/^t2/),
      code: expect.stringMatching(/^bafk/),
    })
    expect(existsSync(join(project.root, '.troupe/build/Counter.abi.json'))).toBe(true)
  })

  test.each([
    [['deploy', 'Conter'], 2, 'TRP-7104', 'did you mean Counter?'],
    [['deploy', 'Counter'], 2, 'TRP-8301', 'the constructor of Counter takes (start: u64)'],
    [['deploy', 'Counter', 'x'], 2, 'TRP-8301', 'the constructor of Counter takes (start: u64)'],
  ])('%j is refused', async (words, status, code, fix) => {
    expect(await json(...words)).toMatchObject({ status, ok: false, error: { code, fix } })
  })

  test('without a name deploys all, in the order and with the arguments of the config', async () => {
    const other = makeProject({
      'actors/counter.actor.ts': COUNTER,
      'actors/caller.actor.ts': CALLER,
      'troupe.config.ts': `export default { networks: { here: { url: '${devnet.url}' } }, deploy: { Counter: [7], Caller: [] } }`,
    })
    const { data } = await runJson(other.root, 'deploy', '-n', 'here')
    expect(data.actors.map(({ actor }: { actor: string }) => actor)).toEqual(['Counter', 'Caller'])
    expect(await runJson(other.root, 'view', 'Counter.get', '-n', 'here')).toMatchObject({ data: { value: '7' } })
    other.remove()
    await json('deploy', 'Counter', '0')
  })
})

describe('call', () => {
  test('prints one document with value, exit code, gas, height, CID and events', async () => {
    const answer = await json('call', 'Counter.increment', '41')
    expect(answer.status).toBe(0)
    expect(Object.keys(answer.data)).toEqual(['value', 'exitCode', 'gasUsed', 'height', 'cid', 'events'])
    expect(answer).toMatchObject({
      ok: true,
      command: 'call',
      warnings: [],
      data: {
        value: '41',
        exitCode: 0,
        gasUsed: expect.stringMatching(/^\d+$/),
        height: expect.any(Number),
        cid: expect.stringMatching(/^bafy/),
      },
    })
    expect(answer.data.events).toEqual([{ emitter: 'Counter', name: 'moved', fields: { by: '41', to: '41' } }])
  })

  test('gives people the value on stdout and the rest on stderr', async () => {
    const { stdout, stderr } = await run(project.root, 'call', 'counter.increment', '1')
    expect(stdout).toBe('42\n')
    expect(stderr).toMatch(/gas [\d,]+, height \d+, bafy/)
    expect((await run(project.root, 'call', 'Counter.increment', '0', '-q')).stderr).toBe('')
  })

  test('takes ids and addresses in place of names, and who sends', async () => {
    const { id, address } = (await json('deploy', 'Counter', '1')).data
    for (const who of [id, `t0${id}`, address]) expect((await json('view', `${who}.get`)).data.value).toBe('1')
    expect((await json('call', `${id}.increment`, '1', '--from', 'bob')).data.value).toBe('2')
    await json('deploy', 'Counter', '42')
  })

  test('names the code that an actor left with, and ends with 1', async () => {
    const { status, error } = await json('call', 'Counter.increment', '100000')
    expect(status).toBe(1)
    expect(error).toMatchObject({
      code: 'TRP-8303',
      message: expect.stringContaining('Counter.increment: exit 33 (TooFar): beyond the end'),
      data: { exitCode: 33, exitName: 'TooFar', gasUsed: expect.stringMatching(/^\d+$/) },
    })
  })

  test('puts a message that will fail on the chain when it is given its gas', async () => {
    const { status, error } = await json('call', 'Counter.increment', '100000', '--gas', '9000000')
    expect(status).toBe(1)
    expect(error.data).toMatchObject({
      exitCode: 33,
      exitName: 'TooFar',
      height: expect.any(Number),
      cid: expect.stringMatching(/^bafy/),
    })
  })

  test('names the code of an actor further in', async () => {
    await json('deploy', 'Caller')
    const { error } = await json('call', 'Caller.twice', 'Counter', '100000')
    expect(error.data).toMatchObject({
      exitCode: 33,
      exitName: 'TooFar',
      failures: [
        { actor: 'Counter', method: 'increment' },
        { actor: 'Caller', method: 'twice' },
      ],
    })
  })

  test.each([
    [['call'], 'TRP-7003'],
    [['call', 'Counter'], 'TRP-7003'],
    [['call', 'Countr.get'], 'TRP-8305'],
    [['call', 'Counter.incremnt', '1'], 'TRP-8306'],
    [['call', 'Counter.increment'], 'TRP-8301'],
    [['call', 'Counter.increment', '-1'], 'TRP-8301'],
    [['call', 'Counter.increment', '1', '--gas', 'x'], 'TRP-7002'],
    [['call', 'Counter.increment', '1', '--value', 'much'], 'TRP-7009'],
    [['call', 't099.5', 'abc'], 'TRP-8305'],
    [['call', 'Counter.get', '-n', 'nowhere'], 'TRP-7006'],
    [['call', 'Counter.get', '--form', 'bob'], 'TRP-7001'],
    [['node', '--no-persist', '--port', '0', '--mnemonic', 'two words'], 'TRP-7002'],
  ])('%j is wrong usage', async (words, code) => {
    expect(await json(...words)).toMatchObject({ status: 2, ok: false, error: { code } })
  })

  test('suggests the nearest method, actor and flag', async () => {
    expect((await json('call', 'Counter.incremnt', '1')).error.fix).toBe('did you mean Counter.increment?')
    expect((await json('call', 'Countr.get')).error.fix).toBe('did you mean Counter?')
    expect((await json('call', 'Counter.get', '--form', 'bob')).error.fix).toBe('did you mean --from?')
  })

  test('without a network ends with 5 and says how to start one', async () => {
    expect(await json('call', 'Counter.get', '-n', 'http://127.0.0.1:9')).toMatchObject({
      status: 5,
      error: { code: 'TRP-8402', fix: 'start one with `troupe dev`' },
    })
  })

  test('reaches actors without an interface by number and bytes', async () => {
    expect(await json('view', 't01.1000', '0x')).toMatchObject({ status: 1, error: { code: 'TRP-8303' } })
  })
})

describe('view', () => {
  test('answers and keeps nothing', async () => {
    const before = (await json('view', 'Counter.get')).data
    expect(Object.keys(before)).toEqual(['value', 'exitCode', 'gasUsed', 'events'])
    const { data, warnings } = await json('view', 'Counter.increment', '5')
    expect(BigInt(data.value)).toBe(BigInt(before.value) + 5n)
    expect(warnings).toEqual(['Counter.increment is no view: what it changed was not kept'])
    expect((await json('view', 'Counter.get')).data.value).toBe(before.value)
  })
})

describe('money', () => {
  test('is sent, made and counted', async () => {
    const before = BigInt((await json('balance', 'bob')).data.balance)
    expect(await json('send', 'bob', '1.5')).toMatchObject({
      status: 0,
      data: { amount: '1500000000000000000', exitCode: 0 },
    })
    expect(await json('fund', 'bob', '10attofil')).toMatchObject({ data: { added: '10' } })
    const after = (await json('balance', 'bob')).data
    expect(BigInt(after.balance) - before).toBe(1_500_000_000_000_000_010n)
    expect(after).toMatchObject({
      who: 'bob',
      address: expect.stringMatching(/^t1/),
      fil: expect.stringMatching(/^10001\.\d+$/),
    })
  })

  test('of an address that nobody used is nothing, until it is funded', async () => {
    const eth = '0x00000000000000000000000000000000000000aa'
    expect((await json('balance', eth)).data).toMatchObject({ id: null, balance: '0', fil: '0' })
    expect((await json('fund', eth, '2fil')).data).toMatchObject({ id: expect.stringMatching(/^\d+$/), fil: '2' })
  })

  test('beyond what one has is not sent', async () => {
    expect(await json('send', 'bob', '1000000')).toMatchObject({
      status: 1,
      ok: false,
      error: { code: expect.stringMatching(/^TRP-830[34]$/) },
    })
  })

  test('needs a receiver and an amount', async () => {
    expect((await json('send', 'bob')).error.code).toBe('TRP-7003')
    expect((await json('send', 'nobody', '1')).error.code).toBe('TRP-8302')
  })

  test('of all accounts has both faces', async () => {
    const { data } = await json('accounts')
    expect(data.accounts).toHaveLength(10)
    expect(data.accounts[0]).toMatchObject({
      name: 'alice',
      address: expect.stringMatching(/^t1/),
      eth: expect.stringMatching(/^0x/),
    })
    expect((await run(project.root, 'accounts')).stdout).toMatch(/^account +filecoin/)
  })
})

describe('trace', () => {
  test('is the tree of calls with gas per syscall and per charge', async () => {
    await json('deploy', 'Counter', '0')
    await json('deploy', 'Caller')
    const { cid } = (await json('call', 'Caller.twice', 'Counter', '2')).data
    const { data } = await json('trace', cid)
    expect(data).toMatchObject({ exitCode: 0, gasUsed: expect.stringMatching(/^\d+$/) })
    const [top] = data.tree
    expect(top).toMatchObject({ call: 'Caller.twice', from: 'alice', returned: '4', exitCode: 0 })
    expect(top.calls.map(({ call, args, returned }: Record<string, unknown>) => [call, args, returned])).toEqual([
      ['Counter.increment', ['2'], '2'],
      ['Counter.increment', ['2'], '4'],
    ])
    const names = data.syscalls.map(({ name }: { name: string }) => name)
    expect(names).toEqual(expect.arrayContaining(['ipld.block_link', 'send.send', 'event.emit_event', 'wasm_exec']))
    const sum = data.charges.reduce((total: number, { gas }: { gas: string }) => total + Number(gas), 0)
    expect(Math.ceil(sum - 1e-6)).toBe(Number(data.gasUsed))
  })

  test('shows more with every -v', async () => {
    const texts = []
    for (const flags of [[], ['-v'], ['-vv'], ['-vvv'], ['-vvvv'], ['-vvvvv']])
      texts.push((await run(project.root, 'trace', 'last', ...flags)).stdout)
    expect(texts[0]).toContain('alice → Caller.twice(')
    expect(texts[0]).toContain('├─ Counter.increment(2) → 2')
    const first = [
      'gas per syscall',
      'gas per charge',
      '├─ ipld.block_link 1×',
      '├─ ipld.block_link ',
      'OnSyscall 14000',
      'put bafy',
    ]
    for (const [index, mark] of first.entries())
      expect(
        texts.findIndex((text) => text.includes(mark)),
        mark,
      ).toBe(index === 3 ? 2 : index)
  })

  test('is written as a picture and as a profile', async () => {
    const { data } = await json('trace', '--flamegraph', 'gas.svg', '--speedscope', 'gas.json')
    expect(data).toMatchObject({ flamegraph: 'gas.svg', speedscope: 'gas.json' })
    expect(readFileSync(join(project.root, 'gas.svg'), 'utf8')).toMatch(/^<svg .*Caller\.twice: [\d,]+ gas/s)
    const profile = JSON.parse(readFileSync(join(project.root, 'gas.json'), 'utf8'))
    expect(profile.shared.frames).toContainEqual({ name: 'Counter.increment' })
    expect(profile.profiles[0].samples).toHaveLength(profile.profiles[0].weights.length)
  })

  test('of a message that is not there is refused', async () => {
    expect(await json('trace', 'bafy2bzacecnamqgqmifpluoeldx7zzglxcljo6oja4vrmtj7432rphldpdmm2')).toMatchObject({
      status: 2,
      error: { code: 'TRP-8302' },
    })
    expect((await json('trace', '--flamegraph', 'no/such/folder.svg')).error.code).toBe('TRP-7304')
  })
})

describe('snapshot', () => {
  test('is saved, listed and restored, more than once', async () => {
    await json('deploy', 'Counter', '5')
    const { height } = (await json('snapshot', 'save', 'five')).data
    for (const by of ['1', '2']) {
      await json('call', 'Counter.increment', by)
      expect(await json('snapshot', 'restore', 'five')).toMatchObject({ status: 0, data: { height, from: height + 1 } })
      expect((await json('view', 'Counter.get')).data.value).toBe('5')
    }
    expect((await json('snapshot', 'list')).data.snapshots).toEqual([
      expect.objectContaining({ name: 'five', height, isThere: true }),
    ])
  })

  test('forgets actors that were deployed later', async () => {
    await json('snapshot', 'save', 'before')
    const { id } = (await json('deploy', 'Counter', '6')).data
    await json('snapshot', 'restore', 'before')
    expect((await json('view', `${id}.get`)).status).not.toBe(0)
    expect((await json('view', 'Counter.get')).data.value).toBe('5')
  })

  test('of a block that is gone cannot be restored', async () => {
    await json('call', 'Counter.increment', '1')
    await json('snapshot', 'save', 'later')
    await json('snapshot', 'restore', 'five')
    expect(await json('snapshot', 'restore', 'later')).toMatchObject({ status: 1, error: { code: 'TRP-8502' } })
    expect(await json('snapshot', 'restore', 'fiv')).toMatchObject({
      status: 2,
      error: { code: 'TRP-8501', fix: 'did you mean five?' },
    })
    expect((await json('snapshot', 'sav')).error).toMatchObject({ code: 'TRP-7008', fix: 'did you mean save?' })
  })
})

describe('state', () => {
  test('is read whole and by field', async () => {
    expect((await json('state', 'get', 'Counter')).data).toEqual({ actor: 'Counter', state: { count: '5', note: '' } })
    expect((await json('state', 'get', 'Counter.count')).data).toEqual({ actor: 'Counter', field: 'count', value: '5' })
    expect((await run(project.root, 'state', 'get', 'Counter', 'count')).stdout).toBe('5\n')
  })

  test('is changed past the actor', async () => {
    expect((await json('state', 'set', 'Counter.count', '99')).data).toMatchObject({ field: 'count', value: '99' })
    expect((await json('view', 'Counter.get')).data.value).toBe('99')
    expect(await json('state', 'set', 'Counter.count', 'x')).toMatchObject({ status: 2, error: { code: 'TRP-8301' } })
    expect(await json('state', 'set', 'Counter.cont', '1')).toMatchObject({
      status: 2,
      error: { code: 'TRP-8504', fix: 'did you mean count?' },
    })
  })

  test('of everything is dumped, and loaded on another devnet', async () => {
    expect((await json('state', 'dump', '-o', 'dump.json')).data).toMatchObject({
      out: 'dump.json',
      actors: expect.any(Number),
    })
    const other = makeProject({ 'dump.json': readFileSync(join(project.root, 'dump.json'), 'utf8'), 'bad.json': '{}' })
    const second = await startDevnet(other)
    expect(await runJson(other.root, 'state', 'load', 'dump.json')).toMatchObject({ status: 0 })
    expect((await runJson(other.root, 'view', 'Counter.get')).data.value).toBe('99')
    expect((await runJson(other.root, 'balance', 'bob')).data.balance).toBe((await json('balance', 'bob')).data.balance)
    expect((await runJson(other.root, 'call', 'Counter.increment', '1')).data.value).toBe('100')
    expect(await runJson(other.root, 'state', 'load', 'bad.json')).toMatchObject({
      status: 2,
      error: { code: 'TRP-8503' },
    })
    await second.close()
    other.remove()
  })
})

test('a port of something else is no devnet', async () => {
  const { createServer } = await import('node:http')
  const server = createServer((_, response) =>
    response.end('{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}'),
  )
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as { port: number }
  expect(await json('accounts', '-n', `http://127.0.0.1:${port}`)).toMatchObject({
    status: 5,
    error: { code: 'TRP-8405' },
  })
  server.closeAllConnections()
  server.close()
})
