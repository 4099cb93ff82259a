import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CATALOGUE } from '../../compiler/catalogue.ts'
import { type CompileOptions, compileActor } from '../../compiler/compile.ts'
import { type Diagnostic, formatDiagnostic, LineMap, sortDiagnostics } from '../../compiler/diagnostic.ts'

const folder = new URL('../golden/diagnostics/', import.meta.url)
const samples = readdirSync(folder).filter((name) => name.endsWith('.actor.ts'))

/** Entries that wait for `@evm`, `@ipc` and `@onResult`. */
const LATER = [5020, 5021, 5022]

function readOptions(text: string): Partial<CompileOptions> {
  const [kind, ...rest] = (/^\/\/ options: (.*)$/m.exec(text)?.[1] ?? '').split(' ')
  if (kind === 'strict') return { strict: true }
  if (kind === 'sizeLimit') return { sizeLimit: Number(rest[0]) }
  if (kind !== 'against') return {}
  const state = rest.join(' ').slice(1, -1).split('; ')
  return { against: { name: 'old.abi.json', abi: { state, types: {}, enums: {} } as never } }
}

/** `//! code line:column "span"`, as the samples end with. */
function mark(diagnostic: Diagnostic, text: string): string {
  const { code, line, column, length } = diagnostic
  const start =
    text
      .split('\n')
      .slice(0, line - 1)
      .join('\n').length +
    (line > 1 ? 1 : 0) +
    column -
    1
  return `//! ${code} ${line}:${column} ${JSON.stringify(text.slice(start, start + length))}`
}

describe('every diagnostic', () => {
  it.each(samples)('has its place: %s', async (name) => {
    const text = readFileSync(new URL(name, folder), 'utf8')
    const result = await compileActor({
      entry: name,
      readFile: (path) => (path === name ? text : undefined),
      mode: 'release',
      ...readOptions(text),
    })
    const diagnostics = result.ok ? result.artifact.diagnostics : result.diagnostics
    expect(diagnostics.map((d) => mark(d, text))).toEqual(text.split('\n').filter((line) => line.startsWith('//!')))
    expect(new Set(diagnostics.map((d) => d.code))).toEqual(new Set([`TRP-${name.slice(0, 4)}`]))
    expect(result.ok).toBe(!diagnostics.some((d) => d.severity === 'error'))
  })

  it('has a sample', () => {
    const codes = new Set(samples.map((name) => Number(name.slice(0, 4))))
    const missing = Object.keys(CATALOGUE)
      .map(Number)
      .filter((code) => !codes.has(code))
    expect(missing).toEqual(LATER)
  })
})

describe('what AssemblyScript says', () => {
  async function diagnose(body: string): Promise<string[]> {
    const source = `import { actor, method, view, ActorId, Address, TokenAmount } from "troupe/actor";
@actor export class Sample {
  amount: TokenAmount = TokenAmount.zero;
  ${body}
}
`
    const result = await compileActor({
      entry: 'sample.actor.ts',
      readFile: (path) => (path === 'sample.actor.ts' ? source : undefined),
      mode: 'release',
    })
    const diagnostics = result.ok ? result.artifact.diagnostics : result.diagnostics
    return diagnostics.map((d) => `${d.code} ${d.line} ${d.fix ?? ''}`)
  }

  it.each([
    ['try', '@method run(): void { try { this.run(); } catch (e) {} }', /there is no `try`/],
    ['undefined', '@view get(): bool { return this.amount == undefined; }', /`undefined` does not exist/],
    ['number', '@view get(a: number): u64 { return 1; }', /TRP-2031 .*use an integer/],
    ['a literal for an amount', '@method run(): void { this.amount = 5; }', /TokenAmount\.from/],
    ['comparing an amount with a literal', '@view get(): bool { return this.amount > 5; }', /TokenAmount\.from/],
    ['a number for a string', '@view get(): string { const n: u64 = 5; return n; }', /toString/],
    ['narrowing', '@view get(a: u64): u32 { return a; }', /<u32>value/],
    [
      'a closure',
      '@view get(a: u64): u64 { return new Array<u64>(1).map<u64>((x: u64): u64 => x + a)[0]; }',
      /closures do not exist/,
    ],
  ])('comes with a fix: %s', async (_, body, fix) => {
    expect((await diagnose(body)).join('\n')).toMatch(fix)
  })

  it('points at the user’s field when generated code does not compile', async () => {
    const [first] = await diagnose('other: Missing = new Missing();')
    expect(first).toMatch(/^TS2304 4/)
  })

  it('reports files that do not exist', async () => {
    const result = await compileActor({ entry: 'none.actor.ts', readFile: () => undefined, mode: 'release' })
    expect(result.ok).toBe(false)
  })
})

describe('diagnostics as text', () => {
  const diagnostic: Diagnostic = {
    severity: 'error',
    code: 'TRP-1003',
    message: 'Actor class `Sample` must be exported.',
    file: 'a.actor.ts',
    line: 2,
    column: 7,
    length: 6,
    endLine: 2,
    endColumn: 13,
    fix: 'add `export`',
  }

  it('shows the place', () => {
    expect(formatDiagnostic(diagnostic, '@actor\nclass Sample {}\n')).toBe(
      [
        'error TRP-1003: Actor class `Sample` must be exported.',
        '  a.actor.ts:2:7',
        '  2 | class Sample {}',
        '    |       ^^^^^^',
        '  fix: add `export`',
      ].join('\n'),
    )
  })

  it('counts lines and columns', () => {
    const map = new LineMap('a\nbc\n\nd')
    expect([0, 1, 2, 4, 5, 6].map((at) => Object.values(map.position(at)).join(':'))).toEqual([
      '1:1',
      '1:2',
      '2:1',
      '2:3',
      '3:1',
      '4:1',
    ])
  })

  it('sorts by place and drops what is said twice', () => {
    const other = { ...diagnostic, line: 1 }
    expect(sortDiagnostics([diagnostic, other, diagnostic])).toEqual([other, diagnostic])
  })
})
