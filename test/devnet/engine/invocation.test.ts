/** How a call ends, for each way in which code can end it; where the reference itself dies of a module, the call is fatal. */
import { describe, expect, test } from 'vitest'
import type { ApplyResult } from '../../../devnet/engine/executor.ts'
import { cidOf, DAG_CBOR } from '../../../devnet/ipld/cid.ts'
import type { ActorId } from '../../../devnet/state/actor.ts'
import { sections, wat } from '../../compiler/wasm/modules.ts'
import { coldStart, FIRST_ACTOR, messageOf, openWorld } from '../../fuzz/world.ts'

const LIMIT = 50_000_000n
const EXIT = '(import "vm" "exit" (func $exit (param i32 i32 i32 i32) (result i32)))'
const LOG = '(import "debug" "log" (func $log (param i32 i32) (result i32)))'
const CREATE = '(import "ipld" "block_create" (func $create (param i32 i64 i32 i32) (result i32)))'
const MEMORY = '(memory (export "memory") 1)'

interface Circumstances {
  readonly networkVersion?: number
  readonly gasLimit?: bigint
  readonly params?: Uint8Array
  /** Before the message. */
  readonly prepare?: (world: ReturnType<typeof openWorld>) => void
}

function invoke(code: Uint8Array | string, { networkVersion = 21, ...rest }: Circumstances = {}): ApplyResult {
  const bytes = typeof code === 'string' ? wat(`(module ${code})`) : code
  const world = openWorld({ networkVersion, debugging: false, codes: [bytes] }, coldStart(networkVersion))
  rest.prepare?.(world)
  const { gasLimit = LIMIT, params = new Uint8Array() } = rest
  return world.applyMessage(messageOf({ to: FIRST_ACTOR, method: 2n, params, value: 0n, gasLimit }, 0), 'explicit')
}

/** Exit code, and whether all gas was taken, as a fatal end does. */
function endOf(result: ApplyResult): string {
  return result.exitCode === 10 && result.gasUsed === LIMIT ? 'fatal' : `exit ${result.exitCode}`
}

const body = (instructions: string) => `(func (export "invoke") (param i32) (result i32) ${instructions})`

describe('code that runs', () => {
  test.each([
    ['returns no block', `${MEMORY} ${body('(i32.const 0)')}`, 'exit 0'],
    ['returns a block it does not have', `${MEMORY} ${body('(i32.const 7)')}`, 'exit 11'],
    [
      'exits with a code of its own',
      `${EXIT} ${MEMORY} ${body('(call $exit (i32.const 17) (i32.const 0) (i32.const 0) (i32.const 0))')}`,
      'exit 17',
    ],
    [
      'exits with 0',
      `${EXIT} ${MEMORY} ${body('(call $exit (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))')}`,
      'exit 0',
    ],
    [
      'exits with a code of the machine',
      `${EXIT} ${MEMORY} ${body('(call $exit (i32.const 6) (i32.const 0) (i32.const 0) (i32.const 0))')}`,
      'exit 9',
    ],
    [
      'exits with a block it does not have',
      `${EXIT} ${MEMORY} ${body('(call $exit (i32.const 17) (i32.const 3) (i32.const 0) (i32.const 0))')}`,
      'fatal',
    ],
    ['traps', `${MEMORY} ${body('unreachable')}`, 'exit 4'],
    ['calls itself without end', `${MEMORY} (func $f (call $f)) ${body('(call $f) (i32.const 0)')}`, 'exit 4'],
    ['runs without end', `${MEMORY} ${body('(loop (br 0)) unreachable')}`, 'exit 7'],
  ])('%s', (_, code, end) => expect(endOf(invoke(code))).toBe(end))

  test('traps in a block that it cannot pay', () => {
    const code = `${MEMORY} ${body('(drop (i32.const 1)) unreachable')}`
    const { exitCode, gasUsed } = invoke(code)
    expect(exitCode).toBe(4)
    expect(invoke(code, { gasLimit: gasUsed - 1n })).toMatchObject({ exitCode: 7, gasUsed: gasUsed - 1n })
  })

  test('returns a block it made', () => {
    const code = `${CREATE} ${MEMORY} (data (i32.const 8) "\\82\\01\\02")
      ${body('(drop (call $create (i32.const 0) (i64.const 0x71) (i32.const 8) (i32.const 3))) (i32.load (i32.const 0))')}`
    const { exitCode, returnData, returnCodec } = invoke(code)
    expect({ exitCode, returnData, returnCodec }).toEqual({
      exitCode: 0,
      returnData: Uint8Array.of(0x82, 1, 2),
      returnCodec: DAG_CBOR,
    })
  })

  test('opens a state that is not there', () => {
    const code = `(import "self" "root" (func $root (param i32 i32 i32) (result i32)))
      (import "ipld" "block_open" (func $open (param i32 i32) (result i32))) ${MEMORY}
      ${body('(drop (call $root (i32.const 0) (i32.const 64) (i32.const 100))) (drop (call $open (i32.const 0) (i32.const 64))) (i32.const 0)')}`
    const lose = ({ context: { state } }: ReturnType<typeof openWorld>) => {
      const id = FIRST_ACTOR as ActorId
      state.setActor(id, { ...state.getActor(id)!, state: cidOf(DAG_CBOR, Uint8Array.of(1)) })
    }
    expect(endOf(invoke(code))).toBe('exit 0')
    expect(endOf(invoke(code, { prepare: lose }))).toBe('fatal')
  })
})

describe('code that does not run', () => {
  const forget = ({ context: { state } }: ReturnType<typeof openWorld>) => {
    const id = FIRST_ACTOR as ActorId
    state.setActor(id, { ...state.getActor(id)!, code: cidOf(0x55, Uint8Array.of(1, 2, 3)) })
  }

  test.each<[string, Uint8Array | string, string]>([
    ['is no module', Uint8Array.of(1, 2, 3), 'fatal'],
    [
      'has no function section',
      sections([5, [1, 0, 1]], [7, [1, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0]]),
      'fatal',
    ],
    [
      'has an empty one',
      sections([3, [0]], [5, [1, 0, 1]], [7, [1, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0]]),
      'exit 5',
    ],
    ['has no memory', body('(i32.const 0)'), 'fatal'],
    ['has its memory under another name', `(memory (export "heap") 1) ${body('(i32.const 0)')}`, 'fatal'],
    ['has a function of that name', `(memory 1) (func (export "memory")) ${body('(i32.const 0)')}`, 'fatal'],
    ['imports what nobody has', `(import "a" "b" (func)) ${MEMORY} ${body('(i32.const 0)')}`, 'fatal'],
    ['has no invoke', `${MEMORY} (func)`, 'exit 5'],
    ['has an invoke that is a global', `${MEMORY} (func) (global (export "invoke") i32 (i32.const 0))`, 'exit 5'],
    ['has an invoke without parameter', `${MEMORY} (func (export "invoke") (result i32) (i32.const 0))`, 'fatal'],
    ['has an invoke of i64', `${MEMORY} (func (export "invoke") (param i64) (result i32) (i32.const 0))`, 'fatal'],
    ['has an invoke without result', `${MEMORY} (func (export "invoke") (param i32))`, 'fatal'],
    ['has data outside of its memory', `${MEMORY} (data (i32.const 65536) "x") ${body('(i32.const 0)')}`, 'exit 4'],
    ['has a start that traps', `${MEMORY} (func $s unreachable) (start $s) ${body('(i32.const 0)')}`, 'exit 4'],
  ])('%s', (_, code, end) => expect(endOf(invoke(code))).toBe(end))

  test('is not in the store', () => {
    expect(endOf(invoke(`${MEMORY} ${body('(i32.const 0)')}`, { prepare: forget }))).toBe('fatal')
  })

  test('and has no invoke is fatal before network version 21', () => {
    expect(endOf(invoke(`${MEMORY} (func)`, { networkVersion: 18 }))).toBe('fatal')
  })
})

describe('where the reference itself dies', () => {
  test.each([
    ['i64', '(i64.const 0)'],
    ['f32', '(f32.const 0)'],
    ['f64', '(f64.const 0)'],
    ['funcref', '(table.get (i32.const 0))'],
  ])('an invoke that answers %s is fatal', (type, value) => {
    const code = `${MEMORY} (table 1 funcref) (func (export "invoke") (param i32) (result ${type}) ${value})`
    expect(endOf(invoke(code))).toBe('fatal')
  })

  const starts = `${LOG} ${MEMORY} (func $s (drop (call $log (i32.const 0) (i32.const 0)))) (start $s) ${body('(i32.const 0)')}`

  test('a start function that calls the system is fatal', () => expect(endOf(invoke(starts))).toBe('fatal'))

  test('unless the gas is gone before that', () => {
    const reached = invoke(`${MEMORY} (func $s unreachable) (start $s) ${body('(i32.const 0)')}`).gasUsed
    expect(invoke(starts, { gasLimit: reached + 10n }).exitCode).toBe(7)
  })
})

test('an invoke that is an import runs, and its error number is the block it returns', () => {
  const code = (name: string) =>
    `(import "debug" "${name}" (func $f (param i32) (result i32))) ${MEMORY} (func) (export "invoke" (func $f))`
  expect(endOf(invoke(code('enabled')))).toBe('exit 0')
  const unopened = `(import "self" "set_root" (func $f (param i32) (result i32))) ${MEMORY} (func) (export "invoke" (func $f))`
  // No CID lies at the place that the number of parameters names: error number 1, which is the block of the parameters.
  expect(endOf(invoke(unopened))).toBe('exit 11')
  const { exitCode, returnData } = invoke(unopened, { params: Uint8Array.of(9) })
  expect({ exitCode, returnData }).toEqual({ exitCode: 0, returnData: Uint8Array.of(9) })
})
