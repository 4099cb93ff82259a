/** The devnet on the real CometBFT. Skips where there is none. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { publicKeyOf } from '../../../../devnet/consensus/key.ts'
import { DEFAULT_MNEMONIC } from '../../../../devnet/node/accounts.ts'
import { openCometDevnet } from '../../../../devnet/node/comet-devnet.ts'
import { DEFAULT_CHAIN_ID, type Devnet, type DevnetOptions } from '../../../../devnet/node/devnet.ts'
import { openStore } from '../../../../devnet/node/store.ts'
import { deriveValidatorKeys } from '../../../../devnet/node/validator-keys.ts'
import type { TokenAmount } from '../../../../devnet/state/token.ts'
import { CliProcess, hasBuild, request } from '../../../e2e/cli-process.ts'
import { cometBinary } from '../abci/comet-binary.ts'
import { hasOwnBundle, openTestDevnet, signed, transfer } from '../chain-fixture.ts'

let devnet: Devnet | undefined
const folders: string[] = []

afterEach(async () => {
  await devnet?.close()
  devnet = undefined
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-comet-'))
  folders.push(folder)
  return folder
}

async function open(folder: string, options: DevnetOptions = {}): Promise<Devnet> {
  const store = openStore(join(folder, 'main'))
  devnet = await openCometDevnet({ ...options, store, folder, binary: cometBinary!, openStore })
  return devnet
}

describe.skipIf(cometBinary === undefined || !hasOwnBundle)('a devnet on CometBFT', { timeout: 120_000 }, () => {
  test('takes messages and powers, and goes on after a restart', async () => {
    const folder = newFolder()
    const { chain, accounts } = await open(folder, { validators: 4 })
    const sent = [3n, 1n, 0n, 2n].map((sequence) => chain.submit(signed(devnet!, transfer(devnet!, { sequence }))))
    for (const cid of sent) expect((await chain.waitFor(cid)).result.exitCode).toBe(0)
    const bob = accounts[1]!.address
    await chain.apply([{ power: 'set-balance', address: bob, balance: 77n as TokenAmount }])
    expect(chain.application.door.senderOf(bob)!.balance).toBe(77n)
    const { height } = chain.application.head
    expect(await chain.mine(2)).toBeGreaterThanOrEqual(height + 2)
    const { head } = chain.application
    await devnet!.close()

    const again = await open(folder, { validators: 4 })
    expect(again.chain.application.head.height).toBeGreaterThanOrEqual(head.height)
    expect(again.chain.application.history.header(head.height)).toEqual(head)
    const cid = again.chain.submit(signed(again, transfer(again, { sequence: 4n })))
    expect((await again.chain.waitFor(cid)).result.exitCode).toBe(0)
  })

  test('has the validators that a power makes', async () => {
    const { chain } = await open(newFolder())
    const [, second] = deriveValidatorKeys(DEFAULT_MNEMONIC, DEFAULT_CHAIN_ID, 2)
    // A quarter of the power: the one node that runs decides without it.
    const [first] = [...chain.application.settings.validators.values()]
    await chain.apply([
      {
        power: 'set-validators',
        validators: [
          { pubKey: first!.pubKey, power: 3n },
          { pubKey: publicKeyOf(second!), power: 1n },
        ],
      },
    ])
    const height = await chain.mine(4)
    expect(height).toBeGreaterThan(4)
    expect(chain.application.settings.validators.size).toBe(2)
  })

  test('does not begin over an application that has blocks of its own', async () => {
    const folder = newFolder()
    const instant = openTestDevnet({ store: openStore(join(folder, 'main')) })
    await instant.chain.mine(2)
    await instant.close()
    await expect(open(folder)).rejects.toMatchObject({
      code: 'COMET_ENDS',
      message: expect.stringContaining('does not match AppHash'),
    })
  })

  test('says what only another driver can do', async () => {
    const { chain } = await open(newFolder())
    expect(() => chain.warp({ byMs: 1 })).toThrowError(expect.objectContaining({ code: 'TRP-8213' }))
    await expect(chain.rewind(0)).rejects.toMatchObject({ code: 'TRP-8213' })
    expect(() => {
      chain.policy = { kind: 'manual' }
    }).toThrowError(expect.objectContaining({ code: 'TRP-8213' }))
    chain.policy = { kind: 'auto' }
    expect(() => chain.submit(signed(devnet!, transfer(devnet!, { gasLimit: 0n })))).toThrowError(
      expect.objectContaining({ code: 53 }),
    )
  })
})

describe.skipIf(cometBinary === undefined || !hasBuild)('troupe node on CometBFT', { timeout: 120_000 }, () => {
  test('makes blocks of messages, with four validators and no state on disk', async () => {
    const node = new CliProcess(
      ['node', '--json', '--port', '0', '--no-persist', '--consensus', 'cometbft', '--validators', '4'],
      { cwd: newFolder(), env: { COMETBFT_BIN: cometBinary! } },
    )
    const { url } = await node.ready()
    expect(await request(url, 'troupe_validators')).toHaveLength(4)
    await request(url, 'troupe_mine', 2)
    await expect(request(url, 'evm_increaseTime', 5)).rejects.toThrow('--consensus instant')
    expect(await node.kill()).toBe(0)
  })

  test('is an error with its cause when there is no CometBFT', async () => {
    const node = new CliProcess(['node', '--json', '--port', '0', '--no-persist', '--consensus', 'cometbft'], {
      cwd: newFolder(),
      env: { COMETBFT_BIN: join(newFolder(), 'cometbft') },
    })
    expect(await node.ended).toBe(3)
    expect(node.lines.at(-1)).toMatchObject({ ok: false, error: { code: 'TRP-8215' } })
  })
})
