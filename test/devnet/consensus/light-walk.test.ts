import { beforeAll, describe, expect, test } from 'vitest'
import { ABSENT_SIG } from '../../../devnet/consensus/commit.ts'
import { headerHash } from '../../../devnet/consensus/hash.ts'
import {
  fetchRoot,
  genesisRoot,
  type LightRoot,
  type LightRules,
  walkTo,
} from '../../../devnet/consensus/light-walk.ts'
import { SECOND } from '../../../devnet/consensus/time.ts'
import { setHash, toWireValidatorSet } from '../../../devnet/consensus/validator-set.ts'
import type { LightBlock } from '../../../devnet/consensus/wire.ts'
import { addBlock, openChain, powerTx, type TestChain } from '../node/consensus-fixture.ts'
import { KvApplication } from '../node/kv-application.ts'

const HEIGHT = 40n

let chain: TestChain
let asked: bigint[] = []

/** The first four validators make place for two others and each other, so that no jump spans the whole chain. */
beforeAll(async () => {
  chain = openChain(new KvApplication())
  for (let height = 1n; height <= HEIGHT; height++) {
    const txs = new Map<bigint, string[]>([
      [8n, [powerTx(4, 60)]],
      [16n, [powerTx(0, 0), powerTx(1, 0)]],
      [20n, [powerTx(5, 300), powerTx(2, 0)]],
      [26n, [powerTx(4, 0)]],
    ])
    await addBlock(chain, txs.get(height) ?? [])
  }
})

function lightAt(height: bigint): LightBlock | null {
  const signedHeader = chain.blocks.signedHeader(height)
  const set = chain.blocks.validators(height)
  return signedHeader === undefined || set === undefined
    ? null
    : { signedHeader, validatorSet: toWireValidatorSet(set) }
}

const source = async (height: bigint) => {
  asked.push(height)
  return lightAt(height)
}

const rulesOf = (change: Partial<LightRules> = {}): LightRules => ({
  chainId: '7',
  trustingPeriod: 3600n * SECOND,
  now: () => chain.state.lastTime + SECOND,
  ...change,
})

const genesis = (): LightRoot => genesisRoot(chain.blocks.stateAfter(0n)!)

describe('a walk over headers', () => {
  test('comes from the genesis to any height', async () => {
    for (let height = 1n; height <= HEIGHT; height++) {
      const found = await walkTo(height, genesis(), source, rulesOf())
      expect(found, String(height)).toMatchObject({ header: { height } })
      expect((found as LightRoot).header).toEqual(chain.blocks.meta(height)!.header)
    }
  })

  test('asks for few of them', async () => {
    asked = []
    await walkTo(7n, genesis(), source, rulesOf())
    expect(asked).toEqual([7n])
    asked = []
    await walkTo(HEIGHT, genesis(), source, rulesOf())
    expect(asked.length).toBeGreaterThan(1)
    expect(asked.length).toBeLessThan(20)
  })

  test('begins at a header that somebody vouched for, and goes back from it too', async () => {
    const hash = headerHash(chain.blocks.meta(30n)!.header)!
    const root = (await fetchRoot({ height: 30n, hash }, source, rulesOf())) as LightRoot
    expect(await walkTo(HEIGHT, root, source, rulesOf())).toMatchObject({ header: { height: HEIGHT } })
    expect(await walkTo(30n, root, source, rulesOf())).toEqual(root)
    const back = (await walkTo(11n, root, source, rulesOf())) as LightRoot
    expect(back.header).toEqual(chain.blocks.meta(11n)!.header)
    expect(setHash(back.validators)).toBe(back.header.validatorsHash)
  })
})

describe('a walk is refused', () => {
  type Change = (block: LightBlock, height: bigint) => LightBlock | null
  const header =
    (change: object): Change =>
    (block) => ({
      ...block,
      signedHeader: { ...block.signedHeader!, header: { ...block.signedHeader!.header!, ...change } },
    })
  const lies: readonly [string, Change, string][] = [
    ['that leads to nothing', () => null, 'unknown-height'],
    ['to a header with another application hash', header({ appHash: 'x'.repeat(32) }), 'commit-block-mismatch'],
    ['to a header of another chain', header({ chainId: '8' }), 'wrong-chain'],
    ['to another height', () => lightAt(9n), 'wrong-height'],
    [
      'to a header that nobody signed',
      (block) => {
        const { header: told, commit } = block.signedHeader!
        const signatures = commit!.signatures.map((one) => ({ ...one, signature: new Uint8Array(64).fill(1) }))
        return { ...block, signedHeader: { header: told, commit: { ...commit!, signatures } } }
      },
      'wrong-signature',
    ],
    [
      'to a header that too few signed',
      (block) => {
        const { header: told, commit } = block.signedHeader!
        const signatures = commit!.signatures.map((one, i) => (i === 0 ? one : ABSENT_SIG))
        return { ...block, signedHeader: { header: told, commit: { ...commit!, signatures } } }
      },
      'not-enough-power',
    ],
    [
      'with validators of another height',
      (block) => ({ ...block, validatorSet: lightAt(30n)!.validatorSet }),
      'validators-mismatch',
    ],
    ['without validators', (block) => ({ ...block, validatorSet: null }), 'missing-part'],
  ]
  test.each(lies)('%s', async (_, change, code) => {
    const lying = async (height: bigint) => change(lightAt(height)!, height)
    const found = await walkTo(7n, genesis(), lying, rulesOf())
    const refused = found as { code: string; cause?: { code: string; cause?: { code: string } } }
    expect([refused.code, refused.cause?.code, refused.cause?.cause?.code]).toContain(code)
  })

  test('when the trust is too old, or the header from the future', async () => {
    const late = rulesOf({ now: () => chain.state.lastTime + 7200n * SECOND })
    expect(await walkTo(7n, genesis(), source, late)).toMatchObject({ code: 'expired' })
    const early = rulesOf({ now: () => chain.blocks.stateAfter(0n)!.lastTime - 60n * SECOND })
    expect(await walkTo(7n, genesis(), source, early)).toMatchObject({ cause: { code: 'from-the-future' } })
  })

  test('when a header on the way back is another', async () => {
    const hash = headerHash(chain.blocks.meta(30n)!.header)!
    const root = (await fetchRoot({ height: 30n, hash }, source, rulesOf())) as LightRoot
    const other = async () => lightAt(27n)
    expect(await walkTo(27n, root, other, rulesOf())).toMatchObject({ code: 'wrong-height' })
  })

  test('when the hash that is trusted is that of another header', async () => {
    const hash = headerHash(chain.blocks.meta(29n)!.header)!
    expect(await fetchRoot({ height: 30n, hash }, source, rulesOf())).toMatchObject({ code: 'invalid-header' })
  })
})
