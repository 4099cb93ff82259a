import * as asc from 'assemblyscript'
import { libraryFiles } from 'assemblyscript/asc'
import { describe, expect, it } from 'vitest'
import { forgetLibrary, parseLibrary, sharedSources } from '../../../compiler/transform/library-syntax.ts'
import { compile, fixture } from '../world.ts'

/** What a compilation may write, and leaves as it was. */
const MARKS = new Set(['debugInfoIndex', 'currentlyResolving', 'lineCache', 'lineColumn'])

/** Makes everything below `value` read-only, but for the marks: writing to it throws. */
function freeze(value: unknown, seen: Set<object>): void {
  if (value === null || typeof value !== 'object' || seen.has(value)) return
  seen.add(value)
  for (const [key, member] of Object.entries(value)) {
    freeze(member, seen)
    if (!MARKS.has(key)) Object.defineProperty(value, key, { writable: false, configurable: false })
  }
  if (!Object.keys(value).some((key) => MARKS.has(key))) Object.freeze(value)
}

/** Every node below `value`: its kind, where it stands and what it says. */
function treeText(value: unknown, seen: Set<object>): string {
  if (value === null || typeof value !== 'object') return String(value)
  if (value instanceof asc.Range) return `${value.start}-${value.end}`
  if (seen.has(value) || (value instanceof asc.Source && seen.size > 0)) return '^'
  seen.add(value)
  const members = Object.entries(value).filter(([key]) => key !== 'text' && !MARKS.has(key))
  return `${value.constructor.name}(${members.map(([key, member]) => `${key}:${treeText(member, seen)}`).join(' ')})`
}

const ENTRIES = ['counter', 'gold', 'caller'].map((name) => `actors/${name}.actor.ts`)
const MODES = ['release', 'debug'] as const

describe('the trees that all compilations share', () => {
  it('are written to by none', async () => {
    const seen = new Set<object>()
    const compileAll = async (): Promise<string[]> => {
      const made: string[] = []
      for (const entry of ENTRIES) {
        for (const mode of MODES) {
          const { wasm, sourceMap } = await compile(entry, {}, { mode })
          made.push(`${entry} ${mode} ${Buffer.from(wasm).toString('base64')} ${sourceMap}`)
          for (const source of sharedSources()) freeze(source, seen)
        }
      }
      return made
    }
    const first = await compileAll()
    expect(await compileAll()).toEqual(first)
    expect(seen.size).toBeGreaterThan(100_000)
  })

  it('are those that the parser makes of whole files', () => {
    const lines = (sources: readonly asc.Source[]): string[] =>
      sources.map((source) => `${source.normalizedPath}\n${treeText(source, new Set())}`)
    const texts = Object.entries(libraryFiles).filter(([path]) => !path.startsWith('bindings'))
    const lazy = asc.newProgram(asc.newOptions())
    const whole = asc.newProgram(asc.newOptions())
    forgetLibrary()
    for (const [path, text] of texts) {
      parseLibrary(lazy, text, `~lib/${path}.ts`)
      asc.parse(whole, text, `~lib/${path}.ts`, false)
    }
    forgetLibrary()
    expect(lines(lazy.parser.sources)).toEqual(lines(whole.parser.sources))
    expect(lazy.parser.backlog).toEqual(whole.parser.backlog)
    expect(lazy.parser.diagnostics).toEqual([])
  })

  it('serve a program that could not be compiled and the one after it', async () => {
    const broken = `${fixture('actors/counter.actor.ts')}\nfunction bad(): u32 { return 'text' }\nexport const x = bad()\n`
    const whole = await compile('actors/counter.actor.ts')
    await expect(compile('actors/counter.actor.ts', { 'actors/counter.actor.ts': broken })).rejects.toThrow()
    expect(Buffer.from((await compile('actors/counter.actor.ts')).wasm).equals(whole.wasm)).toBe(true)
  })
})
