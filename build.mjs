/**
 * Builds the package: JavaScript for Node and the system actors' bundle into dist/. Runs on `npm ci` (prepare), so it needs
 * nothing but installed dependencies; type declarations are made when packing. A build that fails leaves the last one.
 */

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { build } from 'esbuild'

const NEXT = 'dist-next'
const ENTRIES = {
  'devnet/index': 'devnet/index.ts',
  'devnet/fvm': 'devnet/fvm.ts',
  'devnet/cli/main': 'devnet/cli/main.ts',
  'devnet/cli/worker': 'devnet/cli/worker.ts',
  'devnet/rpc/client': 'devnet/rpc/client.ts',
  'devnet/testing/test': 'devnet/testing/test.ts',
  'devnet/testing/vitest': 'devnet/testing/vitest.ts',
  'devnet/testing/build-thread': 'devnet/testing/build-thread.ts',
  'devnet/testing/large-stack-thread': 'devnet/testing/large-stack-thread.ts',
  'devnet/testing/matchers': 'devnet/testing/matchers.ts',
  'devnet/testing/coverage-provider': 'devnet/testing/coverage-provider.ts',
  'build-actors': 'devnet/node/build-actors.ts',
}

const { version, dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
/** What is not a dependency of the package becomes part of it: the compiler, which loads four times faster as it is written here. */
const external = Object.keys(dependencies).flatMap((name) => [name, `${name}/*`])

rmSync(NEXT, { recursive: true, force: true })
mkdirSync(NEXT)
const { metafile } = await build({
  entryPoints: ENTRIES,
  outdir: NEXT,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  external,
  metafile: true,
  plugins: [binaryenApart(), withoutFetch()],
  chunkNames: 'chunks/[name]-[hash]',
  define: { 'process.env.TROUPE_VERSION': JSON.stringify(version) },
  logLevel: 'warning',
})
copyLicences(metafile)
// Node is sooner ready for CommonJS than for modules; what is in here is in no chunk.
await build({
  entryPoints: { 'devnet/cli/launch': 'devnet/cli/launch.ts' },
  outdir: NEXT,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20.19',
  define: { 'process.env.TROUPE_VERSION': JSON.stringify(version) },
  logLevel: 'warning',
})
run(process.execPath, [`${NEXT}/build-actors.js`, `${NEXT}/actors.car`])
if (process.argv.includes('--types')) run('npx', ['tsc', '-p', 'tsconfig.types.json', '--outDir', `${NEXT}/types`])
rmSync('dist', { recursive: true, force: true })
renameSync(NEXT, 'dist')

/** AssemblyScript fetches a WebAssembly function of its own from a URL that holds it: Node loads an HTTP client for that. */
function withoutFetch() {
  return {
    name: 'without-fetch',
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]assemblyscript[\\/]dist[\\/]assemblyscript\.js$/ }, ({ path }) => {
        const source = readFileSync(path, 'utf8')
        const contents = source.replace(
          /WebAssembly\.instantiateStreaming\(fetch\((\w+)\)\)/,
          (_, url) => `WebAssembly.instantiate(Buffer.from(${url}.slice(${url}.indexOf(',') + 1), 'base64'))`,
        )
        if (contents === source) throw new Error('this AssemblyScript does not fetch what it has')
        return { contents, loader: 'js' }
      })
    },
  }
}

/**
 * Binaryen's JavaScript has its nine megabytes of WebAssembly in a string, and a JavaScript engine reads all of it as
 * source before anything runs. It becomes a file of its own.
 */
function binaryenApart() {
  return {
    name: 'binaryen-apart',
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]binaryen[\\/]index\.js$/ }, ({ path }) => {
        const source = readFileSync(path, 'utf8')
        const call = /\w+\(`\\0asm/.exec(source)
        if (call === null) throw new Error('this Binaryen does not hold its WebAssembly in a template literal')
        const from = source.indexOf('`', call.index)
        let to = from + 1
        while (source[to] !== '`') to += source[to] === '\\' ? 2 : 1
        // A character above 255 stands for 0, as Binaryen's own decoder has it.
        const text = runInNewContext(source.slice(from, to + 1))
        const wasm = Uint8Array.from(text, (char) => (char.charCodeAt(0) < 256 ? char.charCodeAt(0) : 0))
        if (!WebAssembly.validate(wasm)) throw new Error("Binaryen's WebAssembly was not read as it is")
        writeFileSync(`${NEXT}/binaryen.wasm`, wasm)
        const read = `readBinaryen(new URL('../binaryen.wasm', import.meta.url))`
        const contents = source.slice(0, call.index) + read + source.slice(source.indexOf(')', to) + 1)
        return { contents: `import { readFileSync as readBinaryen } from 'node:fs'\n${contents}`, loader: 'js' }
      })
    },
  }
}

/** The licences of what was bundled, beside it. */
function copyLicences({ inputs }) {
  const folders = Object.keys(inputs).map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0])
  mkdirSync(`${NEXT}/licences`)
  for (const folder of new Set(folders.filter((path) => path !== undefined))) {
    const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length).replace('/', '-')
    for (const file of readdirSync(folder).filter((file) => /^(LICEN[CS]E|NOTICE)/i.test(file))) {
      cpSync(`${folder}/${file}`, `${NEXT}/licences/${name}-${file}`)
    }
  }
}

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  if (status === 0) return
  rmSync(NEXT, { recursive: true, force: true })
  process.exit(status ?? 70)
}
