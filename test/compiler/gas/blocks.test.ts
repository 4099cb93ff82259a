import { describe, expect, it } from 'vitest'
import { createMetering, findBlocks } from '../../../compiler/gas/blocks.ts'
import { createInstructions, decodeCode } from '../../../compiler/wasm/code.ts'
import { faultOf } from '../wasm/modules.ts'

/** Spellings of the worked table; `call` is of an import, `call!` of a function behind the stack limiter. */
const BYTES: Readonly<Record<string, readonly number[]>> = {
  get: [0x20, 0],
  add: [0x6a],
  call: [0x10, 0],
  'call!': [0x10, 1],
  if: [0x04, 0x40],
  else: [0x05],
  end: [0x0b],
  nop: [0x01],
  const: [0x41, 0],
  'const 2': [0x41, 2],
  'const -1': [0x41, 0x7f],
  'const max': [0x41, 0xff, 0xff, 0xff, 0xff, 0x07],
  drop: [0x1a],
  block: [0x02, 0x40],
  loop: [0x03, 0x40],
  'br_if 0': [0x0d, 0],
  'br_if 1': [0x0d, 1],
  'br 0': [0x0c, 0],
  'br 1': [0x0c, 1],
  'br_table 0 default 1': [0x0e, 1, 0, 1],
  return: [0x0f],
  unreachable: [0x00],
  'memory.grow': [0x40, 0],
  'memory.fill': [0xfc, 0x0b, 0],
  'table.grow': [0xfc, 0x0f, 0],
}

function meter(body: string) {
  const bytes = Uint8Array.from(body.split('; ').flatMap((word) => [...BYTES[word]!]))
  const code = createInstructions()
  decodeCode(bytes, { start: 0, end: bytes.length }, code)
  const metering = createMetering()
  findBlocks(code, 1, metering)
  const blocks: string[] = []
  metering.blockAt.forEach((block, at) => {
    if (block === 0) return
    const cost = metering.costs[block - 1]!
    blocks.push(`${at}:${typeof cost === 'number' && cost % 4000 === 0 ? cost / 4000 : `${cost} mg`}`)
  })
  return { blocks: blocks.join(' '), sites: metering.sites, calls: metering.calls, loops: metering.loops }
}

describe('the worked blocks of the specification', () => {
  it.each([
    ['get; get; add; end', '0:3'],
    ['get; if; get; call; else; nop; const; drop; end; get; drop; end', '0:3 2:2 5:1'],
    ['block; get; br_if 0; get; drop; end; get; end', '0:3 3:1'],
    ['block; get; drop; end; get; end', '0:2'],
    ['loop; get; br_if 0; end; get; end', '0:1 1:2'],
    ['block; loop; get; br_if 1; get; br 0; end; end; get; end', '0:1 2:2 4:2'],
    ['block; get; if; return; end; get; end; get; end', '0:2 5:1 7:1'],
    ['block; get; if; get; br 1; end; get; drop; end; get; end', '0:3 3:2 6:1'],
    ['get; unreachable; get; end', '0:2'],
    ['block; block; get; br_table 0 default 1; end; get; drop; end; get; end', '0:4'],
    [`const 2; memory.grow; end`, `0:${8000 + 2 * 26_214_400} mg`],
    ['get; memory.grow; end', '0:2'],
  ])('%s', (body, blocks) => {
    expect(meter(body).blocks).toBe(blocks)
  })

  it('prices a linear instruction by the constant directly before it, else when it runs', () => {
    expect(meter('get; memory.grow; end').sites).toEqual([1])
    expect(meter('const 2; memory.grow; end').sites).toEqual([])
    expect(meter('const 2; nop; memory.grow; end').sites).toEqual([2])
    expect(meter('get; const 2; table.grow; end').blocks).toBe(`0:${12_000 + 6400} mg`)
    expect(meter('get; get; const 2; memory.fill; end').blocks).toBe(`0:${16_000 + 800} mg`)
  })
})

it('pays thirteen instructions for a call behind the stack limiter', () => {
  expect(meter('get; call!; end')).toMatchObject({ blocks: '0:14', calls: true })
  expect(meter('get; call; end')).toMatchObject({ blocks: '0:2', calls: false })
})

it('tells where loop bodies begin', () => {
  expect(meter('loop; get; drop; loop; br 0; end; end; end').loops).toEqual([1, 4])
})

describe('enormous prices', () => {
  const grows = (count: number) => `${new Array(count).fill('const max; memory.grow; drop').join('; ')}; end`
  const each = 8000n + 0x7fff_ffffn * 26_214_400n

  it('stay exact up to 2⁶⁴', () => {
    expect(meter(grows(164)).blocks).toBe(`0:${164n * each} mg`)
    expect(meter(grows(327)).blocks).toBe(`0:${327n * each} mg`)
  })

  it('are refused beyond, and with a negative constant, in dead code too', () => {
    expect(faultOf(() => meter(grows(328)))).toBe('COST_OVERFLOW')
    expect(faultOf(() => meter(`unreachable; ${grows(328)}`))).toBe('COST_OVERFLOW')
    expect(faultOf(() => meter('unreachable; const -1; memory.grow; end'))).toBe('NEGATIVE_LENGTH')
  })
})
