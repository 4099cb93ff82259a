/**
 * Four promises that machines keep: no new arrow between folders, a test beside every source file that has one to have,
 * no surprise in what the package exports, and examples in docs that name real commands.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../devnet/cli/commands.ts'
import { findPackageRoot } from '../devnet/node/package-root.ts'

const root = findPackageRoot()

function sourcesOf(folder: string): string[] {
  return readdirSync(join(root, folder))
    .flatMap((name) => {
      const path = join(folder, name)
      return statSync(join(root, path)).isDirectory() ? sourcesOf(path) : [path]
    })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
}

/** What each folder may import besides itself and packages. The longest matching prefix decides. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  compiler: [],
  'devnet/primitives': [],
  'devnet/ipld': ['devnet/primitives'],
  'devnet/state': ['devnet/primitives', 'devnet/ipld'],
  'devnet/engine': ['devnet/primitives', 'devnet/ipld', 'devnet/state', 'compiler/wasm', 'compiler/gas'],
  'devnet/consensus': ['devnet/primitives'],
  'devnet/conformance': ['devnet/primitives', 'devnet/ipld', 'devnet/state', 'devnet/engine', 'devnet/consensus'],
  'devnet/node': [
    'devnet/primitives',
    'devnet/ipld',
    'devnet/state',
    'devnet/engine',
    'devnet/consensus',
    'devnet/conformance',
    'compiler',
  ],
  'devnet/rpc': [
    'devnet/primitives',
    'devnet/ipld',
    'devnet/state',
    'devnet/engine',
    'devnet/consensus',
    'devnet/conformance',
    'devnet/node',
    'compiler/abi',
  ],
  'devnet/reload': [
    'devnet/primitives',
    'devnet/ipld',
    'devnet/state',
    'devnet/engine',
    'devnet/node',
    'devnet/rpc',
    'compiler',
  ],
  'devnet/testing': [
    'devnet/primitives',
    'devnet/ipld',
    'devnet/state',
    'devnet/engine',
    'devnet/consensus',
    'devnet/conformance',
    'devnet/node',
    'devnet/rpc',
    'devnet/reload',
    'compiler',
  ],
  'devnet/cli': ['devnet', 'compiler'],
}

/** Import and export lines at the start of a line, and dynamic imports; not what stands in template text. */
const IMPORT = /^(?:import\b[^`'\n]*|export\b[^`'\n]*from |\} from|.*await import\()\s*'(\.[^']+)'/gm

describe('imports', () => {
  const files = [...sourcesOf('compiler'), ...sourcesOf('devnet')]

  test.each(Object.keys(ARROWS))('%s imports only what it may', (folder) => {
    const wrong: string[] = []
    for (const file of files.filter((path) => path.startsWith(`${folder}/`))) {
      for (const [, target] of readFileSync(join(root, file), 'utf8').matchAll(IMPORT)) {
        const to = relative(root, resolve(root, dirname(file), target!))
        // The options of AssemblyScript are the package's, not a folder's.
        if (folder === 'compiler' && to === 'asconfig.json') continue
        const allowed = [folder, ...ARROWS[folder]!]
        if (!allowed.some((prefix) => to.startsWith(`${prefix}/`))) wrong.push(`${file} → ${to}`)
      }
    }
    expect(wrong).toEqual([])
  })

  test('name the file, with its ending', () => {
    const wrong = files.filter((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(IMPORT)].some(
        ([, target]) => !/\.(ts|js|json)$/.test(target!),
      ),
    )
    expect(wrong).toEqual([])
  })
})

/** Tests of something larger than one file, and what that is. */
const SUITES: Readonly<Record<string, string>> = {
  'compiler/gas/watch.test.ts': 'compiler/gas',
  'devnet/engine/hostile-code.test.ts': 'devnet/engine',
  'devnet/node/bundle-parity.test.ts': 'actors',
  'devnet/node/crash.test.ts': 'devnet/node',
  'devnet/node/abci/state-sync.test.ts': 'devnet/node/abci',
  'compiler/language.test.ts': 'compiler/transform',
  'compiler/composition.test.ts': 'compiler/transform',
  'compiler/collections.test.ts': 'actors/sdk',
  'compiler/numbers.test.ts': 'actors/sdk',
  'compiler/editor.test.ts': 'actors/sdk',
  'compiler/abi/render.test.ts': 'compiler/abi',
  'devnet/cli/network-commands.test.ts': 'devnet/cli/commands',
  'devnet/cli/project-commands.test.ts': 'devnet/cli/commands',
  'devnet/ipld/vectors.test.ts': 'devnet/ipld',
  'devnet/node/drivers/equality.test.ts': 'devnet/node/drivers',
  'devnet/node/instant.test.ts': 'devnet/node/drivers',
  'devnet/rpc/comet/cosmjs.test.ts': 'devnet/rpc/comet',
  'devnet/rpc/rpc.test.ts': 'devnet/rpc',
}

function testsOf(folder: string): string[] {
  return readdirSync(join(root, 'test', folder)).flatMap((name) => {
    const path = `${folder}/${name}`
    return statSync(join(root, 'test', path)).isDirectory() ? testsOf(path) : path.endsWith('.test.ts') ? [path] : []
  })
}

describe('tests', () => {
  test('lie at the path of what they test', () => {
    const lost = [...testsOf('compiler'), ...testsOf('devnet')].filter(
      (path) => SUITES[path] === undefined && !existsSync(join(root, path.replace(/\.test\.ts$/, '.ts'))),
    )
    expect(lost).toEqual([])
  })

  test('of suites name a folder that exists', () => {
    expect(Object.values(SUITES).filter((folder) => !existsSync(join(root, folder)))).toEqual([])
  })
})

describe('the package', () => {
  test('exports what it exported', () => {
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      exports: Record<string, unknown>
    }
    expect(Object.keys(exports)).toEqual([
      '.',
      './actor',
      './actor/frc46',
      './test',
      './vitest',
      './fvm',
      './client',
      './tsconfig',
      './package.json',
    ])
  })

  test('has a file behind every source entry', () => {
    for (const file of [
      'devnet/index.ts',
      'devnet/fvm.ts',
      'devnet/testing/test.ts',
      'devnet/testing/vitest.ts',
      'devnet/rpc/client.ts',
      'actors/sdk/env.d.ts',
      'actors/sdk/frc46.d.ts',
      'tsconfig.user.json',
    ]) {
      expect(existsSync(join(root, file)), file).toBe(true)
    }
  })
})

describe('the documents', () => {
  test.each(['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md'])('%s names commands that exist', (file) => {
    const text = readFileSync(join(root, file), 'utf8')
    const named = [...text.matchAll(/(?:npx )?troupe ([a-z]+)/g)].map(([, name]) => name!)
    const known = new Set(Object.keys(COMMANDS))
    expect(named.filter((name) => !known.has(name) && !['is', 'on', 'and', 'the'].includes(name))).toEqual([])
  })

  test('ARCHITECTURE.md has a row for every folder', () => {
    const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
    const folders = ['compiler', 'devnet', 'actors'].flatMap((top) =>
      readdirSync(join(root, top))
        .filter((name) => statSync(join(root, top, name)).isDirectory())
        .map((name) => `${top}/${name}`),
    )
    const missing = folders.filter(
      (folder) => folder.startsWith('devnet/') && readdirSync(join(root, folder)).length > 0 && !text.includes(folder),
    )
    expect(missing).toEqual([])
  })
})
