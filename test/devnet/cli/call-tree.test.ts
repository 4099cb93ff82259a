import { expect, test } from 'vitest'
import {
  buildTree,
  callsIn,
  type Frame,
  ownOf,
  sampleStacks,
  sumCharges,
  sumSyscalls,
  type TraceJson,
  totalOf,
} from '../../../devnet/cli/call-tree.ts'
import { renderFlamegraph } from '../../../devnet/cli/flamegraph.ts'
import { renderSpeedscope } from '../../../devnet/cli/speedscope.ts'

const call = (from: string, to: string): TraceJson => ({
  kind: 'call',
  from,
  to,
  method: '2',
  value: '0',
  gas: '100',
  readOnly: false,
  params: null,
})
const gas = (name: string, milligas: number): TraceJson => ({ kind: 'gas', name, milligas: String(milligas) })
const end = (exitCode: number): TraceJson => ({ kind: 'return', exitCode, codec: null, data: '0x' })

/** Inclusion, then 1 calls 2, which opens a block, sends to 3 and fails to send to 4. */
const TRACE: readonly TraceJson[] = [
  gas('OnChainMessage', 1000),
  call('1', 't02'),
  { kind: 'invoke', id: '2', code: 'c' },
  gas('wasm_exec', 100),
  { kind: 'enter', name: 'ipld.block_open' },
  gas('OnSyscall', 10),
  gas('OnBlockOpen', 5),
  gas('wasm_exec', 200),
  { kind: 'enter', name: 'send.send' },
  gas('OnSyscall', 10),
  call('2', 't03'),
  { kind: 'invoke', id: '3', code: 'c' },
  gas('wasm_exec', 50),
  { kind: 'log', text: 'hello' },
  end(16),
  gas('wasm_exec', 1),
  { kind: 'enter', name: 'send.send' },
  gas('OnSyscall', 10),
  call('2', 't04'),
  { kind: 'error', errno: 6 },
  { kind: 'syscall', name: 'send.send', errno: 6 },
  gas('wasm_exec', 2),
  end(0),
]

const tree = buildTree(TRACE)
const nameOf = (frame: Frame) => `actor ${frame.to}`

test('a trace becomes calls within calls', () => {
  const [top] = callsIn(tree)
  expect(top).toMatchObject({ id: '2', exitCode: 0 })
  expect(callsIn(top!.steps).map(({ to, id, exitCode, errno }) => ({ to, id, exitCode, errno }))).toEqual([
    { to: 't03', id: '3', exitCode: 16, errno: null },
    { to: 't04', id: null, exitCode: null, errno: 6 },
  ])
  const failed = top!.steps.findLast((step) => step.kind === 'syscall')
  expect(failed).toMatchObject({ name: 'send.send', errno: 6 })
})

test('gas adds up, with and without the calls below', () => {
  expect(totalOf(tree)).toBe(1388n)
  expect(ownOf(callsIn(tree)[0]!.steps)).toBe(338n)
})

test('gas is summed by charge and by syscall', () => {
  expect(sumCharges(tree)[0]).toEqual({ name: 'OnChainMessage', count: 1, milligas: 1000n })
  expect(sumSyscalls(tree)).toEqual([
    { name: 'OnChainMessage', count: 1, milligas: 1000n },
    { name: 'wasm_exec', count: 5, milligas: 353n },
    { name: 'send.send', count: 2, milligas: 20n },
    { name: 'ipld.block_open', count: 1, milligas: 15n },
  ])
})

test('a call that never ended is there all the same', () => {
  expect(callsIn(buildTree(TRACE.slice(0, 5)))).toMatchObject([{ exitCode: null, errno: null }])
})

test('stacks have every charge under the calls that led to it', () => {
  const samples = sampleStacks(tree, nameOf)
  expect(samples.reduce((sum, { milligas }) => sum + milligas, 0n)).toBe(totalOf(tree))
  expect(samples).toContainEqual({ stack: ['actor t02', 'send.send', 'actor t03', 'wasm_exec'], milligas: 50n })
})

test('a flamegraph is as wide as its gas, and safe to open', () => {
  const svg = renderFlamegraph('<b> & "co"', sampleStacks(tree, nameOf))
  expect(svg).toContain('&lt;b&gt; &amp; &quot;co&quot;')
  expect(svg).not.toContain('<b>')
  const widths = [...svg.matchAll(/<title>(actor t02|OnChainMessage): .*?width="([\d.]+)"/g)].map(([, name, width]) => [
    name,
    Number(width),
  ])
  expect(Object.fromEntries(widths)).toEqual({
    OnChainMessage: expect.closeTo((1180 * 1000) / 1388, 1),
    'actor t02': expect.closeTo((1180 * 388) / 1388, 1),
  })
})

test('an empty trace has an empty picture', () => {
  expect(renderFlamegraph('nothing', [])).toMatch(/^<svg[\s\S]*<\/svg>\n$/)
})

test('a speedscope file has a weight for every stack', () => {
  const { shared, profiles } = JSON.parse(renderSpeedscope('x', sampleStacks(tree, nameOf)))
  const [profile] = profiles
  expect(profile).toMatchObject({ type: 'sampled', unit: 'none', startValue: 0, endValue: 1.388 })
  expect(profile.samples).toHaveLength(profile.weights.length)
  expect(Math.max(...profile.samples.flat())).toBe(shared.frames.length - 1)
})
