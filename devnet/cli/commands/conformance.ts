/** `troupe conformance <dir|file>…`: reference vectors through the engine, and CometBFT's through the consensus. */

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isatty } from 'node:tty'
import { hasExchanges, readCometVector } from '../../conformance/comet.ts'
import type { Difference, VectorResult } from '../../conformance/run.ts'
import { readVectorText, type SkippedVector, Suite } from '../../conformance/suite.ts'
import { VectorError } from '../../conformance/vector.ts'
import { exportBlocks } from '../../node/block-export.ts'
import { type Bundle, BundleError, readBundleFile } from '../../node/bundle.ts'
import { openDevnet } from '../../node/devnet.ts'
import type { Command, Input } from '../command.ts'
import { textFlag } from '../command.ts'
import { openChainStore } from '../devnet-command.ts'
import { loadProject } from '../load-project.ts'
import { type Answer, CliError, Exit, talk } from '../output.ts'
import { runProjectTests } from './test.ts'

export const conformance: Command = {
  name: 'conformance',
  usage: 'conformance <dir|file>… [--bundle car] [--filter text] [--trace] | --export dir [--state dir]',
  about:
    "Applies vectors (the reference's, Filecoin's official ones) and compares receipts, gas, events and state roots.",
  example: 'troupe conformance corpus/extracted/0002-hygge-01 --bundle v10.tar.zst',
  needsStack: true,
  flags: {
    bundle: { type: 'string', value: 'car', about: 'built-in actors for official vectors: .car, .car.zst or .tar.zst' },
    verdicts: { type: 'string', value: 'json', about: 'what verify_post answers: {"<vector>": true|false}' },
    export: { type: 'string', value: 'dir', about: 'run the tests and write each message as a vector without answers' },
    state: {
      type: 'string',
      value: 'dir',
      about: 'with --export: the blocks of a stopped devnet instead of the tests',
    },
    filter: { type: 'string', value: 'text', about: 'only vectors whose path contains the text' },
    trace: { type: 'boolean', about: 'for a failure, print our trace beside the expected one' },
  },
  run,
}

interface Named {
  readonly name: string
  readonly reason: string
}

async function run(input: Input): Promise<Answer> {
  const exportTo = textFlag(input, 'export')
  if (exportTo !== undefined) return exportVectors(input, resolve(input.cwd, exportTo))
  if (input.words.length === 0)
    throw new CliError('TRP-7003', Exit.Usage, 'a folder or file of vectors is missing', { fix: conformance.usage })
  const filter = textFlag(input, 'filter') ?? ''
  const files = input.words
    .flatMap((word) => listFiles(resolve(input.cwd, word)))
    .filter((file) => file.includes(filter))
  const bundle = loadBundle(input)
  const verdicts = loadVerdicts(input)
  const suite = new Suite({
    hasLargestStack: true,
    keepTraces: input.flags['trace'] === true,
    ...(bundle === undefined ? {} : { bundle }),
    ...(verdicts === undefined ? {} : { verdicts }),
  })
  const failed: Named[] = []
  const skipped: Named[] = []
  let passed = 0
  for (const [index, file] of files.entries()) {
    if (isatty(2) && !input.isJson && index % 50 === 0) process.stderr.write(`\r${index}/${files.length}`)
    let results: readonly (VectorResult | SkippedVector)[]
    try {
      const bytes = readFileSync(file)
      results = [...suite.run(bytes), ...(await runExchanges(bytes))]
    } catch (error) {
      if (error instanceof VectorError) skipped.push({ name: file, reason: error.message })
      else failed.push({ name: file, reason: `the engine failed: ${(error as Error).message}` })
      continue
    }
    for (const result of results) {
      if ('skipped' in result) skipped.push({ name: result.name, reason: result.skipped })
      else if (result.differences.length === 0) passed++
      else {
        failed.push({ name: result.name, reason: describe(result.differences[0]!) })
        if (!input.isJson) show(result, input.flags['trace'] === true)
      }
    }
  }
  if (isatty(2) && !input.isJson) process.stderr.write('\r')
  const total = passed + failed.length + skipped.length
  return {
    data: { total, passed, failed, skipped },
    text: `${passed} passed, ${failed.length} failed, ${skipped.length} skipped`,
    exit: failed.length === 0 ? Exit.Done : Exit.Untrue,
  }
}

/** What a client asked a genuine CometBFT, asked of our RPC. None for vectors of other kinds. */
async function runExchanges(bytes: Uint8Array): Promise<readonly VectorResult[]> {
  const file = readCometVector(readVectorText(bytes))
  if (file === undefined || !hasExchanges(file)) return []
  const { runRecorded } = await import('../../rpc/comet/recorded.ts')
  return (await runRecorded(file)).map((result) => ({ ...result, traces: [] }))
}

/** Vectors without expectations, for the reference to complete. */
async function exportVectors(input: Input, folder: string): Promise<Answer> {
  mkdirSync(folder, { recursive: true })
  const state = textFlag(input, 'state')
  if (state === undefined) {
    const project = await loadProject(input)
    const status = await runProjectTests(project, { TROUPE_EXPORT_VECTORS: folder }, input.isJson)
    if (status !== 0) return { data: null, text: '', exit: status as Exit }
  } else {
    await exportState(input, resolve(input.cwd, state), folder)
  }
  const count = listFiles(folder).length
  return {
    data: { folder, vectors: count },
    text: `${count} vectors in ${folder}; the reference completes them`,
    exit: Exit.Done,
  }
}

async function exportState(input: Input, state: string, folder: string): Promise<void> {
  if (!existsSync(state)) throw new CliError('TRP-7302', Exit.Usage, `${state} does not exist`)
  const { config } = await loadProject(input)
  const store = await openChainStore(state)
  const devnet = openDevnet({
    store,
    profile: config.profile ?? 'ipc',
    chainId: BigInt(config.chainId ?? 31337),
    hasLargestStack: true,
  })
  try {
    for (const { name, bytes } of exportBlocks(devnet.chain.application)) {
      writeFileSync(join(folder, `${name}.json.gz`), bytes)
    }
  } finally {
    await devnet.close()
  }
}

function loadBundle(input: Input): Bundle | undefined {
  const path = textFlag(input, 'bundle')
  if (path === undefined) return undefined
  try {
    return readBundleFile(readFileSync(resolve(input.cwd, path)))
  } catch (error) {
    const code = error instanceof BundleError ? error.code : 'TRP-7302'
    throw new CliError(code, Exit.Usage, `${path}: ${(error as Error).message}`, {
      fix: 'a CAR of built-in actors, or an archive with builtin-actors-mainnet.car in it',
    })
  }
}

function loadVerdicts(input: Input): Map<string, boolean> | undefined {
  const path = textFlag(input, 'verdicts')
  if (path === undefined) return undefined
  try {
    const json: unknown = JSON.parse(readFileSync(resolve(input.cwd, path), 'utf8'))
    const entries = Object.entries(json as object)
    if (!entries.every(([, verdict]) => typeof verdict === 'boolean')) throw new Error('a verdict is true or false')
    return new Map(entries as [string, boolean][])
  } catch (error) {
    throw new CliError('TRP-7302', Exit.Usage, `${path}: ${(error as Error).message}`, {
      fix: '{"<name of the vector>": false}',
    })
  }
}

function show({ name, differences, traces }: VectorResult, isTraced: boolean): void {
  const lines = differences.slice(0, 4).map((difference) => `  ${describe(difference)}`)
  talk([name, ...lines].join('\n'))
  if (!isTraced) return
  for (const [i, trace] of traces.entries()) talk(`  message ${i}\n${trace.map((line) => `    ${line}`).join('\n')}`)
}

function listFiles(path: string): string[] {
  if (!existsSync(path)) throw new CliError('TRP-7302', Exit.Usage, `${path} does not exist`)
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path)
    .sort()
    .flatMap((name) => listFiles(join(path, name)))
    .filter((file) => file.endsWith('.json.gz') || file.endsWith('.json'))
}

function describe({ field, message, expected, actual }: Difference): string {
  const where = message === null ? field : `message ${message}, ${field}`
  return `${where}: expected ${shorten(expected)}, got ${shorten(actual)}`
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
