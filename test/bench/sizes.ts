/**
 * The table of module sizes and gas of the SDK's specification (§13), a line a row: ours, and the figure to hold. Nothing here
 * depends on the machine. The Solidity envelope comes with `@evm`; compile times and the starter's suite are `compile` and `starter`.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Artifact } from '../../compiler/artifact.ts'
import { compileActor } from '../../compiler/compile.ts'
import { encodeCbor } from '../../devnet/ipld/dag-cbor.ts'
import { findPackageRoot } from '../../devnet/node/package-root.ts'
import type { ActorId } from '../../devnet/state/actor.ts'
import { ALICE, type Outcome, World, wireAddress, wireAmount } from '../compiler/world.ts'

const MODULES = [
  ['counter', 1600],
  ['nested', 4500],
  ['balances', 7500],
  ['gold', 9800],
  ['caller', 2700],
] as const
const INIT = 1n as ActorId
const HOLDERS = 102
const SUPPLY = 10n ** 24n

export async function benchSizes(): Promise<void> {
  const modules = new Map<string, Artifact>()
  for (const [name, most] of MODULES) {
    const artifact = await compileFixture(name)
    modules.set(name, artifact)
    row(`module of ${name}`, artifact.wasm.length, 'bytes', most)
  }
  await measureCounter(modules.get('counter')!)
  await measureTransfer(modules.get('balances')!)
}

async function measureCounter(counter: Artifact): Promise<void> {
  const world = await World.create()
  const id = world.install(counter.wasm)
  row(
    'counter, syscalls of the constructor',
    world.send(id, 1n, Uint8Array.of(0x81, 5), { from: INIT }).syscalls,
    '',
    5,
  )
  const increment = done(world.call(id, 'Increment', [3n]))
  row('counter, syscalls of a method', increment.syscalls, '', 9)
  row('counter, syscalls of a view', done(world.call(id, 'Get')).syscalls, '', 5)
  row('counter, gas of increment inside the invocation', increment.gasInside, 'gas', 858_025)
  row('counter, code in the gas of increment', (increment.codeGas / increment.gasInside) * 100, '%', 1)
}

/** As the reference's vector `as-token-102-holders` has it: actor 100 and the ids from 1000. */
async function measureTransfer(token: Artifact): Promise<void> {
  const world = await World.create()
  const id = world.install(token.wasm)
  const transfer = (from: ActorId, to: bigint, amount: bigint) =>
    done(world.call(id, 'Transfer', [wireAddress(to), wireAmount(amount), new Uint8Array()], { from }))
  done(world.send(id, 1n, encodeCbor(['Troupe', 'TRP', wireAmount(SUPPLY)]), { from: INIT }))
  transfer(INIT, ALICE, SUPPLY)
  for (let holder = 1; holder < HOLDERS; holder++) transfer(ALICE, 999n + BigInt(holder), 10n ** 18n)
  const { gasInside, syscalls, codeGas } = transfer(ALICE, 1050n, 5n)
  row(`transfer among ${HOLDERS} holders, gas inside the invocation`, gasInside, 'gas', 7_200_000)
  row(`transfer among ${HOLDERS} holders, syscalls`, syscalls, '', 22)
  row(`transfer among ${HOLDERS} holders, code in its gas`, (codeGas / gasInside) * 100, '%', 4)
}

function done(outcome: Outcome): Outcome {
  if (outcome.exit !== 0) throw new Error(`exit ${outcome.exit}: ${outcome.note}`)
  return outcome
}

async function compileFixture(name: string): Promise<Artifact> {
  const root = join(findPackageRoot(), 'test', 'fixtures')
  const readFile = (path: string) => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined)
  const result = await compileActor({ entry: `actors/${name}.actor.ts`, mode: 'release', readFile })
  if (!result.ok) throw new Error(`${name} does not compile`)
  return result.artifact
}

function row(name: string, value: number, unit: string, most: number): void {
  const line = { name, value: Number(value.toPrecision(7)), unit, most, held: value <= most }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
