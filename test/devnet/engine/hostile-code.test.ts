/** Code of an ill-meaning author on a chain: it is refused, or its message fails alone, and the next block is made. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import load from 'wabt'
import type { Abi } from '../../../compiler/abi/schema.ts'
import { CborReader } from '../../../devnet/ipld/dag-cbor.ts'
import type { Devnet } from '../../../devnet/node/devnet.ts'
import { completeMessage, signTransaction } from '../../../devnet/node/messages.ts'
import { decodeReturn } from '../../../devnet/rpc/abi-codec.ts'
import { idAddress } from '../../../devnet/state/address.ts'
import type { TokenAmount } from '../../../devnet/state/token.ts'
import { hasOwnBundle, openTestDevnet } from '../node/chain-fixture.ts'

const CALL = 2n
const GAS = 1_000_000_000n

/** An actor whose constructor does nothing and whose every other method runs `body`, which leaves a block id. */
function actorText(body: string, parts = ''): string {
  return `(module
    (import "vm" "message_context" (func $context (param i32) (result i32)))
    (import "vm" "exit" (func $exit (param i32 i32 i32 i32) (result i32)))
    (import "ipld" "block_create" (func $create (param i32 i64 i32 i32) (result i32)))
    (memory (export "memory") 1)
    ${parts}
    (func (export "invoke") (param i32) (result i32)
      (drop (call $context (i32.const 0)))
      (if (result i32) (i64.eq (i64.load (i32.const 32)) (i64.const 1))
        (then (i32.const 0))
        (else ${body}))))`
}

describe.skipIf(!hasOwnBundle)('code that', async () => {
  const wabt = await load()
  const compile = (text: string): Uint8Array => {
    const module = wabt.parseWat('hostile.wat', text, { simd: true, threads: true })
    const { buffer } = module.toBinary({})
    module.destroy()
    return buffer
  }
  let devnet: Devnet

  beforeAll(() => {
    devnet = openTestDevnet({ hasLargestStack: false })
  })
  afterAll(() => devnet.close())

  const deploy = (code: Uint8Array) =>
    devnet.chain.apply([
      {
        power: 'deploy',
        code,
        params: new Uint8Array(0),
        value: 0n as TokenAmount,
        from: devnet.accounts[0]!.address,
      },
    ])

  async function call(body: string, parts?: string) {
    const deployed = await deploy(compile(actorText(body, parts)))
    expect(deployed.result).toMatchObject({ exitCode: 0 })
    const reader = new CborReader(deployed.result.returnData)
    reader.tuple(1)
    reader.tuple(3)
    const { address } = devnet.accounts[0]!
    const message = completeMessage(devnet, {
      from: address,
      to: idAddress(reader.uint()),
      method: CALL,
      gasLimit: GAS,
    })
    return (await devnet.chain.waitFor(devnet.chain.submit(signTransaction(devnet, message)))).result
  }

  const good = compile(actorText('(i32.const 0)'))
  const refused: readonly (readonly [string, () => Uint8Array])[] = [
    ['is empty', () => new Uint8Array(0)],
    ['is no module', () => new TextEncoder().encode('garbage, not a module')],
    ['is cut off', () => good.subarray(0, good.length - 3)],
    ['says that a section is larger than the file', () => Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 0xff, 0xff, 3)],
    ['has more than a module may have', () => compile(`(module (memory (export "memory") 65536))`)],
    ['uses SIMD', () => compile(actorText('(i8x16.extract_lane_s 0 (v128.const i32x4 0 0 0 0))'))],
    ['uses atomics', () => compile(actorText('(i32.atomic.load (i32.const 0))').replace('") 1)', '") 1 1 shared)'))],
    ['imports what no actor has', () => compile('(module (import "env" "print" (func)) (memory (export "memory") 1))')],
    ['has no entry point', () => compile('(module (memory (export "memory") 1))')],
  ]
  test.each(refused)('%s is not installed', async (_, make) => {
    const before = devnet.chain.application.head.height
    const { result } = await deploy(make())
    expect(result.exitCode).not.toBe(0)
    expect(result.note).not.toBe('')
    expect(devnet.chain.application.head.height).toBe(before + 1)
  })

  const failing: readonly (readonly [title: string, code: number, body: string, parts: string])[] = [
    ['traps', 4, '(unreachable)', ''],
    ['divides by zero', 4, '(i32.div_u (i32.const 1) (i32.const 0))', ''],
    ['reads beyond its memory', 4, '(i32.load (i32.const -4))', ''],
    ['loops for ever', 7, '(loop (br 0)) (i32.const 0)', ''],
    ['recurses for ever', 4, '(call $again)', '(func $again (result i32) (i32.add (call $again) (i32.const 1)))'],
    ['answers with a block that it forged', 11, '(i32.const 4711)', ''],
    [
      'exits with a code of the machine',
      9,
      '(drop (call $exit (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 0))) (i32.const 0)',
      '',
    ],
  ]
  test.each(failing)('%s ends with %i', async (_, code, body, parts) => {
    const result = await call(body, parts)
    expect(result).toMatchObject({ exitCode: code, returnData: new Uint8Array(0) })
    expect(result.gasUsed).toBeLessThanOrEqual(GAS)
  })

  test('grows its memory gets as much as an instance may have, and −1 then', async () => {
    // Doubles until it is refused, and answers the pages that it has as one byte of CBOR per 256 pages.
    const body = `(loop (br_if 0 (i32.ne (memory.grow (i32.const 256)) (i32.const -1))))
      (i32.store8 (i32.const 0) (i32.shr_u (memory.size) (i32.const 8)))
      (drop (call $create (i32.const 64) (i64.const 81) (i32.const 0) (i32.const 1)))
      (i32.load (i32.const 64))`
    const { exitCode, returnData } = await call(body)
    expect(exitCode).toBe(0)
    expect(returnData).toHaveLength(1)
    expect(returnData[0]! * 256).toBeLessThanOrEqual(8192)
  })

  test('returns garbage has a receipt, and whoever decodes it an error', async () => {
    const body = `(i32.store (i32.const 0) (i32.const 0x9bffffff))
      (drop (call $create (i32.const 64) (i64.const 81) (i32.const 0) (i32.const 4)))
      (i32.load (i32.const 64))`
    const { exitCode, returnData } = await call(body)
    expect(exitCode).toBe(0)
    expect(returnData).toHaveLength(4)
    const method = { name: 'Get', number: 2, kind: 'view', params: [], returns: 'u64' } as unknown as Abi['methods'][0]
    expect(() => decodeReturn({ types: {}, enums: {} } as unknown as Abi, method, returnData)).toThrow(
      expect.objectContaining({ code: expect.any(String) }),
    )
  })

  test('leaves the chain as it was for everybody else', async () => {
    const height = devnet.chain.application.head.height
    const { exitCode } = await call('(i32.const 0)')
    expect(exitCode).toBe(0)
    expect(devnet.chain.application.head.height).toBe(height + 2)
  })
})
