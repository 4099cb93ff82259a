/** `troupe inspect <Actor|file> <what>`: an actor from outside and inside, and client code for it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type Abi, formatAbi, interfaceId } from '../../../compiler/abi/schema.ts'
import { lowerFirst } from '../../../compiler/abi/words.ts'
import { type Command, type Input, nearest, needWord, textFlag } from '../command.ts'
import { signatureOf } from '../invocation.ts'
import { loadProject } from '../load-project.ts'
import { type Answer, CliError, Exit, table } from '../output.ts'
import { grouped } from '../receipts.ts'
import { compileOne, pickActor, warningsOf } from '../sources.ts'
import { needVerb } from '../verbs.ts'

export const inspect: Command = {
  name: 'inspect',
  usage: 'inspect <Actor|file> [abi|methods|state|imports|wat|size] [--as ts|solidity|remote|rust|ipld] [-o file]',
  about:
    'Shows an actor of the project, or a file: *.actor.ts, *.abi.json (abi, methods, state) or *.wasm (imports, wat, size). ' +
    '--as writes client code from the ABI: TypeScript, a Solidity library, an AssemblyScript @remote class, Rust types, an IPLD schema.',
  example: 'troupe inspect Counter methods\ntroupe inspect Counter abi --as ts -o counter.ts',
  flags: {
    as: { type: 'string', value: 'form', about: 'client code: ts, solidity, remote, rust, ipld' },
    out: { type: 'string', short: 'o', value: 'file', about: 'write there instead of printing' },
  },
  run,
}

const ASPECTS = ['abi', 'methods', 'state', 'imports', 'wat', 'size'] as const

interface Subject {
  readonly name: string
  readonly abi: Abi | null
  readonly wasm: Uint8Array | null
  readonly warnings: readonly string[]
}

async function run(input: Input): Promise<Answer> {
  const word = needWord(input, 0, 'the actor, or a file', inspect)
  const aspect = needVerb(input.words[1] ?? 'abi', ASPECTS, inspect)
  const form = textFlag(input, 'as')
  if (form !== undefined && aspect !== 'abi') {
    throw new CliError('TRP-7008', Exit.Usage, '--as goes with abi', { fix: `troupe inspect ${word} abi --as ${form}` })
  }
  const subject = await readSubject(input, word)
  const { data, text } =
    form === undefined ? await describe(subject, aspect) : await renderAs(needAbi(subject, word), form)
  const out = textFlag(input, 'out')
  if (out === undefined) return { data, text, warnings: subject.warnings }
  try {
    writeFileSync(resolve(input.cwd, out), text.endsWith('\n') ? text : `${text}\n`)
  } catch (error) {
    throw new CliError('TRP-7304', Exit.Usage, `cannot write ${out}: ${(error as NodeJS.ErrnoException).code}`)
  }
  return { data: { out }, text: `wrote ${out}`, warnings: subject.warnings }
}

async function readSubject(input: Input, word: string): Promise<Subject> {
  if (word.endsWith('.wasm')) return { name: word, abi: null, wasm: readBytes(input, word), warnings: [] }
  if (word.endsWith('.json')) {
    try {
      const abi = JSON.parse(new TextDecoder().decode(readBytes(input, word))) as Abi
      if (abi.abi === 1 && Array.isArray(abi.methods)) return { name: abi.actor, abi, wasm: null, warnings: [] }
    } catch (error) {
      if (error instanceof CliError) throw error
    }
    throw new CliError('TRP-7107', Exit.Usage, `${word} is no readable ABI file`, {
      fix: '`troupe build` writes them into .troupe/build',
    })
  }
  const project = await loadProject(input)
  const artifact = await compileOne(input, project, pickActor(project, input.cwd, word))
  return { name: artifact.actor, abi: artifact.abi, wasm: artifact.wasm, warnings: warningsOf(artifact) }
}

function readBytes(input: Input, path: string): Uint8Array {
  try {
    return readFileSync(resolve(input.cwd, path))
  } catch (error) {
    throw new CliError('TRP-7303', Exit.Usage, `cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`)
  }
}

function needAbi({ abi }: Subject, word: string): Abi {
  if (abi !== null) return abi
  throw new CliError('TRP-7108', Exit.Usage, `${word} says nothing of its interface`, {
    fix: 'give the actor, or its *.abi.json',
  })
}

function needWasm({ wasm }: Subject, word: string): Uint8Array {
  if (wasm !== null) return wasm
  throw new CliError('TRP-7108', Exit.Usage, `${word} has no code`, { fix: 'give the actor, or its *.wasm' })
}

type Shown = Pick<Answer, 'data' | 'text'>

async function describe(subject: Subject, aspect: (typeof ASPECTS)[number]): Promise<Shown> {
  const { name } = subject
  switch (aspect) {
    case 'abi': {
      const abi = needAbi(subject, name)
      return { data: { interface: interfaceId(abi), abi }, text: formatAbi(abi) }
    }
    case 'methods':
      return describeMethods(needAbi(subject, name))
    case 'state': {
      const { state, types, enums } = needAbi(subject, name)
      const extra = [
        ...Object.entries(types).map(([type, fields]) => `  ${type} { ${fields.join(', ')} }`),
        ...Object.entries(enums).map(([type, members]) => `  ${type} = ${Object.keys(members).join(' | ')}`),
      ]
      const fields = state.map((field, index) => `${index}  ${field}`)
      return {
        data: { state, types, enums },
        text: [...fields, ...(extra.length === 0 ? [] : ['', ...extra])].join('\n'),
      }
    }
    case 'imports': {
      const imports = importsOf(needWasm(subject, name))
      return { data: { imports }, text: imports.join('\n') }
    }
    case 'wat': {
      const text = await disassemble(needWasm(subject, name), name)
      return { data: { wat: text }, text }
    }
    case 'size':
      return describeSize(needWasm(subject, name))
  }
}

function describeMethods(abi: Abi): Shown {
  const rows = abi.methods.map((method) => [
    String(method.number),
    method.kind === 'view' ? 'view' : method.payable === true ? 'payable' : method.kind,
    `${method.kind === 'constructor' ? 'constructor' : lowerFirst(method.name)}${signatureOf(method)}`,
    method.only === undefined ? '' : `only ${method.only}`,
  ])
  return { data: { methods: abi.methods, standards: abi.standards }, text: table(rows) }
}

function importsOf(wasm: Uint8Array): string[] {
  return WebAssembly.Module.imports(compiled(wasm))
    .map(({ module, name }) => `${module}.${name}`)
    .sort()
}

function compiled(wasm: Uint8Array): WebAssembly.Module {
  try {
    return new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>)
  } catch (error) {
    throw new CliError('TRP-6003', Exit.Compile, `not a WebAssembly module: ${(error as Error).message}`)
  }
}

async function disassemble(wasm: Uint8Array, name: string): Promise<string> {
  compiled(wasm)
  const { default: load } = await import('wabt')
  const wabt = await load()
  const module = wabt.readWasm(wasm, { readDebugNames: true })
  try {
    module.generateNames()
    module.applyNames()
    return module.toText({ foldExprs: false, inlineExport: false })
  } catch (error) {
    throw new CliError('TRP-6003', Exit.Compile, `${name} cannot be disassembled: ${(error as Error).message}`)
  } finally {
    module.destroy()
  }
}

/** The largest this many are listed. */
const LARGEST = 10

async function describeSize(wasm: Uint8Array): Promise<Shown> {
  compiled(wasm)
  const { readModule } = await import('../../../compiler/wasm/reader.ts')
  const { imports, bodies, exports, data } = readModule(wasm)
  const imported = imports.filter(({ extern }) => extern.kind === 'function').length
  const nameOf = (index: number) =>
    exports.find((one) => one.kind === 'function' && one.index === index)?.name ?? `function ${index}`
  const functions = (bodies ?? [])
    .map(({ code }, index) => ({ name: nameOf(index + imported), bytes: code.end - code.start }))
    .sort((a, b) => b.bytes - a.bytes)
  const code = functions.reduce((sum, { bytes }) => sum + bytes, 0)
  const constants = data.reduce((sum, { bytes }) => sum + bytes.end - bytes.start, 0)
  const gzip = gzipSync(wasm, { level: 9 }).length
  const sizes = {
    bytes: wasm.length,
    gzip,
    code,
    data: constants,
    other: wasm.length - code - constants,
    functions: functions.length,
  }
  const rows = [
    ['module', grouped(wasm.length)],
    ['  compressed', grouped(gzip)],
    ['  instructions', grouped(code)],
    ['  data', grouped(constants)],
    ['  everything else', grouped(sizes.other)],
    [`largest of ${functions.length} functions`, ''],
    ...functions.slice(0, LARGEST).map(({ name, bytes }) => [`  ${name}`, grouped(bytes)]),
  ]
  return { data: { ...sizes, largest: functions.slice(0, LARGEST) }, text: table(rows) }
}

// --- client code -------------------------------------------------------------------------------------------------

const FORMS: Readonly<Record<string, (abi: Abi) => Promise<string>>> = {
  ts: async (abi) => (await import('../../../compiler/abi/render-ts.ts')).renderTypeScript(abi),
  solidity: async (abi) => (await import('../../../compiler/abi/render-solidity.ts')).renderSolidity(abi),
  remote: async (abi) => (await import('../../../compiler/abi/render-remote.ts')).renderRemote(abi),
  rust: async (abi) => (await import('../../../compiler/abi/render-rust.ts')).renderRust(abi),
  ipld: async (abi) => (await import('../../../compiler/abi/render-ipld.ts')).renderIpld(abi),
}

async function renderAs(abi: Abi, form: string): Promise<Shown> {
  const render = Object.hasOwn(FORMS, form) ? FORMS[form] : undefined
  if (render === undefined) {
    const near = nearest(form, Object.keys(FORMS))
    throw new CliError('TRP-7008', Exit.Usage, `there is no form ${JSON.stringify(form)}`, {
      fix: near === undefined ? `one of ${Object.keys(FORMS).join(', ')}` : `did you mean ${near}?`,
    })
  }
  const text = await render(abi)
  return { data: { form, text }, text }
}
