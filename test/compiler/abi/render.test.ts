import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { renderIpld } from '../../../compiler/abi/render-ipld.ts'
import { renderRemote } from '../../../compiler/abi/render-remote.ts'
import { renderRust } from '../../../compiler/abi/render-rust.ts'
import { renderSolidity } from '../../../compiler/abi/render-solidity.ts'
import { renderTypeScript } from '../../../compiler/abi/render-ts.ts'
import { compile } from '../world.ts'

describe('an ABI in other languages', async () => {
  const token = await compile('actors/token.actor.ts')
  const shapes = await compile('actors/shapes.actor.ts')
  const pong = await compile('actors/pong.actor.ts')

  it.each([
    ['remote.ts', renderRemote],
    ['ipldsch', renderIpld],
    ['rs', renderRust],
    ['sol', renderSolidity],
    ['client.ts', renderTypeScript],
  ] as const)('is as ever: %s', async (extension, render) => {
    await expect(render(token.abi)).toMatchFileSnapshot(`../../golden/token.${extension}`)
    await expect(render(shapes.abi)).toMatchFileSnapshot(`../../golden/shapes.${extension}`)
  })

  it.each([
    [token, 'at<Token>(who).balance(who)', 'TokenAmount'],
    [pong, 'at<PongActor>(who).ping("x")', 'TokenAmount'],
    [shapes, 'at<Shapes>(who).getNamed().x', 'i32'],
  ])('can be called as a remote', async (artifact, call, type) => {
    const { abi } = artifact
    const caller = await compile('caller.actor.ts', {
      'callee.remote.ts': renderRemote(abi),
      'caller.actor.ts': `import { actor, method, at, Address, TokenAmount } from 'troupe/actor'
import { ${abi.actor} } from './callee.remote'
@actor export class Sample { @method run(who: Address): ${type} { return ${call} } }
`,
    })
    expect(caller.abi.build.imports).toContain('send.send')
  })

  it('is valid TypeScript', () => {
    for (const { abi } of [token, shapes, pong]) {
      const { diagnostics = [] } = ts.transpileModule(renderTypeScript(abi), { reportDiagnostics: true })
      expect(diagnostics.map((d) => ts.flattenDiagnosticMessageText(d.messageText, '\n'))).toEqual([])
    }
  })
})
