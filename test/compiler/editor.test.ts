import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const folder = fileURLToPath(new URL('../fixtures/', import.meta.url))
const config = ts.getParsedCommandLineOfConfigFile(`${folder}tsconfig.json`, {}, {
  ...ts.sys,
  onUnRecoverableConfigFileDiagnostic: () => undefined,
} as ts.ParseConfigFileHost)

/** What TypeScript says about the fixtures and, in place of one of them, `text`. */
function check(text?: string): string[] {
  const name = `${folder}actors/scratch.actor.ts`
  const host = ts.createCompilerHost(config!.options)
  const readFile = host.getSourceFile.bind(host)
  host.getSourceFile = (file, language) =>
    file === name && text !== undefined ? ts.createSourceFile(file, text, language) : readFile(file, language)
  const program = ts.createProgram(text === undefined ? config!.fileNames : [name], config!.options, host)
  return ts.getPreEmitDiagnostics(program).map((d) => ts.flattenDiagnosticMessageText(d.messageText, '\n'))
}

describe('the editor', () => {
  it('finds nothing wrong with the samples', () => {
    expect(check()).toEqual([])
  })

  it('accepts narrow integers for wide ones only', () => {
    const source = (from: string, to: string) =>
      `import { actor, method } from 'troupe/actor'\n@actor export class A { @method run(a: ${from}): ${to} { return a } }\n`
    expect(check(source('u8', 'u64'))).toEqual([])
    expect(check(source('u32', 'u32'))).toEqual([])
    expect(check(source('u64', 'u32'))).toHaveLength(1)
    expect(check(source('TokenAmount', 'u64').replace('method }', 'method, TokenAmount }'))).toHaveLength(1)
  })
})
