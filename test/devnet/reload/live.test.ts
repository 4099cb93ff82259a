import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { Devnet } from '../../../devnet/node/devnet.ts'
import { GAS_MARKET } from '../../../devnet/node/gas-market.ts'
import { completeMessage, signTransaction, tryMessage } from '../../../devnet/node/messages.ts'
import { type LiveChange, LiveProject } from '../../../devnet/reload/live.ts'
import { insertUpgrade } from '../../../devnet/reload/upgrade-stub.ts'
import { decodeReturn, encodeParams, findMethod } from '../../../devnet/rpc/abi-codec.ts'
import { idAddress } from '../../../devnet/state/address.ts'
import type { TokenAmount } from '../../../devnet/state/token.ts'
import { hasOwnBundle, openTestDevnet } from '../node/chain-fixture.ts'
import { COUNTER, counterSource, makeProject, type TemporaryProject } from './temporary-project.ts'

let devnet: Devnet
let files: TemporaryProject
let live: LiveProject

async function begin(sources: Readonly<Record<string, string>>): Promise<LiveChange[]> {
  devnet = openTestDevnet()
  files = await makeProject(sources)
  live = new LiveProject(files.project, devnet)
  return live.start()
}

async function save(path: string, text: string): Promise<LiveChange[]> {
  files.write(path, text)
  return live.reload([path])
}

/** Sends a message to an actor by its name, and decodes what it returns. */
async function call(actor: string, method: string, ...args: unknown[]): Promise<unknown> {
  const { id, abi } = devnet.actors.byName(actor)!
  const entry = findMethod(abi, method)!
  const message = completeMessage(devnet, {
    from: devnet.accounts[0]!.address,
    to: idAddress(id),
    method: BigInt(entry.number),
    params: encodeParams(abi, entry, args),
  })
  const { result } = await devnet.chain.waitFor(devnet.chain.submit(signTransaction(devnet, message)))
  return decodeReturn(abi, entry, result.returnData)
}

function view(actor: string, method: string): unknown {
  const { id, abi } = devnet.actors.byName(actor)!
  const entry = findMethod(abi, method)!
  const [free, none] = [0n as TokenAmount, new Uint8Array(0)]
  const result = tryMessage(devnet.chain.application.queryMachine(), {
    version: 0n,
    from: devnet.accounts[0]!.address,
    to: idAddress(id),
    sequence: 0n,
    value: free,
    method: BigInt(entry.number),
    params: none,
    gasLimit: GAS_MARKET.blockGasLimit,
    gasFeeCap: free,
    gasPremium: free,
  })
  return decodeReturn(abi, entry, result.returnData)
}

const kinds = (changes: readonly LiveChange[]) => changes.map(({ kind }) => kind)

afterEach(async () => {
  await devnet.close()
  files.dispose()
})

describe.skipIf(!hasOwnBundle)('a project on a devnet', () => {
  test('keeps its state when new code comes, and answers as the new code does', async () => {
    expect(kinds(await begin({ [COUNTER]: counterSource() }))).toEqual(['deployed'])
    expect(await call('Counter', 'increment', 41)).toBe(41n)
    const before = devnet.actors.byName('Counter')!
    expect(await save(COUNTER, counterSource({ step: 'by * 2' }))).toMatchObject([{ kind: 'upgraded', mode: 'keep' }])
    expect(devnet.actors.byName('Counter')).toMatchObject({ id: before.id, address: before.address })
    expect(view('Counter', 'get')).toBe(41n)
    expect(await call('Counter', 'increment', 1)).toBe(43n)
  })

  test('refuses a layout that would be misread, while the old code answers', async () => {
    await begin({ [COUNTER]: counterSource() })
    await call('Counter', 'increment', 41)
    expect(await save(COUNTER, counterSource({ type: 'u32' }))).toMatchObject([
      {
        kind: 'refused',
        actor: 'Counter',
        file: COUNTER,
        live: 41n,
        change: { index: 0, before: 'count: u64', after: 'count: u32' },
      },
    ])
    expect(await call('Counter', 'increment', 1)).toBe(42n)
  })

  test('goes on from an empty state when told to discard', async () => {
    await begin({ [COUNTER]: counterSource() })
    await call('Counter', 'increment', 41)
    await save(COUNTER, counterSource({ type: 'u32' }))
    expect(await live.discard()).toMatchObject([{ kind: 'upgraded', mode: 'discard' }])
    expect(view('Counter', 'get')).toBe(0)
    expect(live.refused).toEqual([])
  })

  test('forgets a refusal when the old layout comes back', async () => {
    await begin({ [COUNTER]: counterSource() })
    await save(COUNTER, counterSource({ type: 'u32' }))
    expect(kinds(await save(COUNTER, counterSource()))).toEqual(['unchanged'])
    expect(live.refused).toEqual([])
    expect(await live.discard()).toEqual([])
  })

  test('migrates by an @upgrade that its author wrote', async () => {
    await begin({ [COUNTER]: counterSource() })
    await call('Counter', 'increment', 41)
    const migrating = counterSource({
      type: 'u32',
      before: `import { upgrade } from 'troupe/actor'\nclass V1 { count: u64 = 0 }`,
      inside: `  @upgrade static migrate(old: V1): Counter { const next = new Counter(); next.count = <u32>old.count + 100; return next }\n`,
    })
    expect(await save(COUNTER, migrating)).toMatchObject([{ kind: 'upgraded', mode: 'migrate' }])
    expect(view('Counter', 'get')).toBe(141)
    expect(await save(COUNTER, migrating.replace('+= by', '+= by + 1'))).toMatchObject([
      { kind: 'upgraded', mode: 'keep' },
    ])
    expect(view('Counter', 'get')).toBe(141)
  })

  test('migrates by the @upgrade that is written for it', async () => {
    await begin({ [COUNTER]: counterSource() })
    await call('Counter', 'increment', 41)
    await save(COUNTER, counterSource({ type: 'u32', inside: `  /** } */\n  @view note(): string { return '}' }\n` }))
    const [waiting] = live.refused
    const written = insertUpgrade(
      readFileSync(join(files.project.root, COUNTER), 'utf8'),
      waiting!.before,
      waiting!.after,
    )
    expect(await save(COUNTER, written!)).toMatchObject([{ kind: 'upgraded', mode: 'migrate' }])
    expect(view('Counter', 'get')).toBe(41)
  })

  test('a migration that fails changes nothing', async () => {
    await begin({ [COUNTER]: counterSource() })
    await call('Counter', 'increment', 300)
    await save(COUNTER, counterSource({ type: 'u8' }))
    const [waiting] = live.refused
    const written = insertUpgrade(counterSource({ type: 'u8' }), waiting!.before, waiting!.after)
    expect(kinds(await save(COUNTER, written!))).toEqual(['failed'])
    expect(view('Counter', 'get')).toBe(300n)
  })

  test('leaves the old code running when the new does not compile, and tries again at the next save', async () => {
    await begin({ [COUNTER]: counterSource() })
    await call('Counter', 'increment', 41)
    expect(kinds(await save(COUNTER, counterSource({ step: 'nothing' })))).toEqual(['broken'])
    expect(await call('Counter', 'increment', 1)).toBe(42n)
    expect(kinds(await live.reload(['lib/other.ts']))).toEqual(['broken'])
    expect(kinds(await save(COUNTER, counterSource({ step: 'by + 1' })))).toEqual(['upgraded'])
  })

  test('two actors that change together change in one block', async () => {
    const step = (value: string) => `export function step(): u64 { return ${value} }\n`
    const source = (actor: string) =>
      counterSource({ actor, before: `import { step } from '../lib/step'`, step: 'by + step()' })
    await begin({ 'lib/step.ts': step('1'), 'actors/a.actor.ts': source('A'), 'actors/b.actor.ts': source('B') })
    const { height } = devnet.chain.application.head
    files.write('lib/step.ts', step('5'))
    const changes = await live.reload(['lib/step.ts'])
    expect(changes).toMatchObject([
      { kind: 'upgraded', height: height + 1 },
      { kind: 'upgraded', height: height + 1 },
    ])
    expect(await call('A', 'increment', 1)).toBe(6n)
    expect(await call('B', 'increment', 1)).toBe(6n)
  })

  test('deploys a file that is new, and tolerates one that goes', async () => {
    await begin({})
    expect(kinds(await save(COUNTER, counterSource()))).toEqual(['deployed'])
    await call('Counter', 'increment', 1)
    files.remove(COUNTER)
    expect(await live.reload([COUNTER])).toEqual([])
    expect(view('Counter', 'get')).toBe(1n)
    expect(kinds(await save('actors/moved.actor.ts', counterSource()))).toEqual(['unchanged'])
  })

  test('refuses a second file with the same actor', async () => {
    await begin({ [COUNTER]: counterSource() })
    expect(kinds(await save('actors/other.actor.ts', counterSource({ step: '2' })))).toEqual(['failed'])
    expect(await call('Counter', 'increment', 7)).toBe(7n)
  })

  test('finds its way when the chain goes back', async () => {
    await begin({ [COUNTER]: counterSource() })
    const { height } = devnet.chain.application.head
    await save(COUNTER, counterSource({ type: 'u32' }))
    await live.discard()
    await devnet.chain.rewind(height)
    expect(await live.reload([COUNTER])).toMatchObject([
      { kind: 'refused', change: { before: 'count: u64', after: 'count: u32' } },
    ])
    await devnet.chain.rewind(0)
    expect(kinds(await live.reload([COUNTER]))).toEqual(['deployed'])
  })

  test('an opened project finds its actors and compiles nothing', async () => {
    await begin({ [COUNTER]: counterSource() })
    await call('Counter', 'increment', 41)
    const again = new LiveProject(files.project, devnet)
    expect(kinds(await again.start())).toEqual(['unchanged'])
    expect(view('Counter', 'get')).toBe(41n)
  })
})
