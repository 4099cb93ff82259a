/** A devnet inside another program: in a process, whose stack does not reach to 1,024 nested calls. */
import { expect, test } from 'vitest'
import { compileActor } from '../../../compiler/compile.ts'
import { CborReader } from '../../../devnet/ipld/dag-cbor.ts'
import { completeMessage, signTransaction } from '../../../devnet/node/messages.ts'
import { decodeReturn, encodeParams } from '../../../devnet/rpc/abi-codec.ts'
import { idAddress } from '../../../devnet/state/address.ts'
import type { TokenAmount } from '../../../devnet/state/token.ts'
import { hasOwnBundle, openTestDevnet } from './chain-fixture.ts'

const SOURCE = `import { actor, at, method, msg } from 'troupe/actor'

@actor
export class Deep {
  count: u64 = 0

  @method
  dig(depth: u32): u64 {
    this.count += 1
    return depth == 0 ? this.count : at<Deep>(msg.receiver).dig(depth - 1)
  }
}
`

test.skipIf(!hasOwnBundle)('a message that exhausts the native stack fails alone, and says of what', async () => {
  const compiled = await compileActor({ entry: 'deep.actor.ts', mode: 'release', readFile: () => SOURCE })
  if (!compiled.ok) throw new Error('the actor does not compile')
  const { abi, wasm } = compiled.artifact
  const devnet = openTestDevnet()
  const [alice] = devnet.accounts
  const deployed = await devnet.chain.apply([
    { power: 'deploy', code: wasm, params: new Uint8Array(0), value: 0n as TokenAmount, from: alice!.address },
  ])
  expect(deployed.result.exitCode).toBe(0)
  const reader = new CborReader(deployed.result.returnData)
  reader.tuple(1)
  reader.tuple(3)
  const deep = reader.uint()
  const dig = abi.methods.find(({ name }) => name === 'Dig')!
  const call = async (depth: number) => {
    const message = completeMessage(devnet, {
      from: alice!.address,
      to: idAddress(deep),
      method: BigInt(dig.number),
      params: encodeParams(abi, dig, [depth]),
      gasLimit: 10_000_000_000n,
    })
    const cid = devnet.chain.submit(signTransaction(devnet, message))
    return (await devnet.chain.waitFor(cid)).result
  }
  const count = async () => decodeReturn(abi, dig, (await call(0)).returnData)

  expect(await count()).toBe(1n)
  expect(await call(1000)).toMatchObject({ exitCode: 10, note: expect.stringContaining('out of stack') })
  // Nothing of it stayed, and the next block is made of a whole state.
  expect(await count()).toBe(2n)
  expect(await call(20)).toMatchObject({ exitCode: 0 })
  expect(await count()).toBe(24n)
  await devnet.close()
})
