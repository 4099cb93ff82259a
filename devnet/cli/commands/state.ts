/** `troupe state`: an actor's state as data, to look at and to change; and the whole chain's, to keep. */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { formatType, parseField } from '../../../compiler/abi/types.ts'
import { cidOf, DAG_CBOR, formatCid } from '../../ipld/cid.ts'
import { fromHex, toHex } from '../../primitives/bytes.ts'
import { AbiValueError, decodeState, encodeState, parseArgument } from '../../rpc/abi-codec.ts'
import { type Command, type Input, nearest, needWord, textFlag } from '../command.ts'
import { type Book, type Network, type NetworkActor, needActor, openBook, openNetwork } from '../network.ts'
import { type Answer, CliError, Exit, table, toJson } from '../output.ts'
import { withProgress } from '../progress.ts'
import { formatValue, grouped } from '../receipts.ts'
import { FetchedBlocks, openState, readWith } from '../state-view.ts'
import { needVerb } from '../verbs.ts'

export const state: Command = {
  name: 'state',
  usage: 'state <get|set|dump|load> [Actor[.field]] [value] [-o file]',
  about:
    'get: the fields of an actor, or one of them. set: changes one field, past all rules of the actor. dump: the state of all ' +
    'actors as a file. load: puts such a file onto a network of the same name and bundle.',
  example: 'troupe state get Counter\ntroupe state set Counter.count 5\ntroupe state dump -o before.json',
  flags: { out: { type: 'string', short: 'o', value: 'file', about: 'where `dump` writes (stdout)' } },
  run,
}

const VERBS = ['get', 'set', 'dump', 'load'] as const

async function run(input: Input): Promise<Answer> {
  const verb = needVerb(input.words[0], VERBS, state)
  switch (verb) {
    case 'get':
      return get(input)
    case 'set':
      return set(input)
    case 'dump':
      return dump(input)
    case 'load':
      return load(input)
  }
}

interface Opened {
  readonly network: Network
  readonly book: Book
  readonly actor: NetworkActor
  /** Index among the state's fields; undefined for all. */
  readonly field: number | undefined
  readonly block: Uint8Array
  readonly store: FetchedBlocks
  /** Words after the field. */
  readonly rest: readonly string[]
}

/** `Counter`, `Counter.count` and `Counter count` are understood. */
async function open(input: Input): Promise<Opened> {
  const target = needWord(input, 1, 'the actor', state)
  const dot = target.lastIndexOf('.')
  const [who, ...names] = dot < 0 ? [target] : [target.slice(0, dot), target.slice(dot + 1)]
  const words = [...names, ...input.words.slice(2)]
  const network = await openNetwork(input)
  const book = await openBook(network)
  const actor = needActor(book, who)
  const found = await network.request<{ block: string | null } | null>('troupe_actor', actor.address)
  if (found === null || found.block === null) throw new CliError('TRP-8504', Exit.Untrue, `${actor.name} has no state`)
  const store = new FetchedBlocks()
  return {
    network,
    book,
    actor,
    block: fromHex(found.block),
    store,
    field: fieldIndex(actor, words[0]),
    rest: words.slice(1),
  }
}

function fieldIndex({ name, abi }: NetworkActor, word: string | undefined): number | undefined {
  if (word === undefined) return undefined
  const names = abi.state.map((field) => parseField(field).name)
  const index = names.indexOf(word)
  if (index >= 0) return index
  const near = nearest(word, names)
  throw new CliError('TRP-8504', Exit.Usage, `the state of ${name} has no field ${JSON.stringify(word)}`, {
    fix: near === undefined ? `it has ${names.join(', ')}` : `did you mean ${near}?`,
  })
}

async function get(input: Input): Promise<Answer> {
  return withProgress(input, 'reading the state', async () => {
    const { network, book, actor, field, block, store } = await open(input)
    const cut = new Set<string>()
    const fields = await readWith(network, store, () => openState(actor.abi, block, store, book, cut))
    const warnings = [...cut].map((name) => `${name} is longer: only its first entries are shown`)
    if (field !== undefined) {
      const { name } = parseField(actor.abi.state[field]!)
      const value = fields[name]
      const text = typeof value === 'object' && value !== null ? toJson(value, 2) : formatValue(value)
      return { data: { actor: actor.name, field: name, value: value ?? null }, text, warnings }
    }
    const rows = Object.entries(fields).map(([name, value]) => [name, formatValue(value)])
    return { data: { actor: actor.name, state: fields }, text: table(rows), warnings }
  })
}

async function set(input: Input): Promise<Answer> {
  return withProgress(input, 'changing the state', async () => {
    const { network, book, actor, field, block, store, rest } = await open(input)
    const [text] = rest
    if (field === undefined || text === undefined) {
      throw new CliError('TRP-7003', Exit.Usage, 'the field or its value is missing', {
        fix: 'troupe state set Counter.count 5',
      })
    }
    const { abi } = actor
    const { name, type } = parseField(abi.state[field]!)
    const codec = { ...book.codec, store }
    let bytes: Uint8Array
    try {
      const value = parseArgument(abi, type, text)
      bytes = await readWith(network, store, () =>
        encodeState(abi, { ...decodeState(abi, block, codec), [name]: value }, codec),
      )
    } catch (error) {
      if (!(error instanceof AbiValueError)) throw error
      throw new CliError(error.code, Exit.Usage, error.message, {
        fix: `${actor.name}.${name} has the type ${formatType(type)}`,
      })
    }
    const root = formatCid(cidOf(DAG_CBOR, bytes))
    const blocks = [bytes, ...store.made].map((one) => `0x${toHex(one)}`)
    const { height } = await network.request<{ height: number }>('troupe_setState', actor.address, root, blocks)
    const after = await readWith(network, store, () => openState(abi, bytes, store, book, new Set()))
    return {
      data: { actor: actor.name, field: name, value: after[name] ?? null, root, height },
      text: `${actor.name}.${name} = ${formatValue(after[name])}, height ${height}`,
    }
  })
}

interface Dump {
  readonly height: number
  readonly networkName: string
  readonly actors: readonly unknown[]
}

async function dump(input: Input): Promise<Answer> {
  const network = await openNetwork(input)
  const document = await withProgress(input, 'reading the state of all actors', () =>
    network.request<Dump>('troupe_dumpState'),
  )
  const out = textFlag(input, 'out')
  if (out === undefined) return { data: document, text: toJson(document) }
  const text = toJson(document)
  try {
    writeFileSync(resolve(input.cwd, out), `${text}\n`)
  } catch (error) {
    throw new CliError('TRP-7304', Exit.Usage, `cannot write ${out}: ${(error as NodeJS.ErrnoException).code}`)
  }
  const { height, networkName, actors } = document
  return {
    data: { out, height, networkName, actors: actors.length, bytes: text.length },
    text: `${out}: ${actors.length} actors at height ${height}, ${grouped(text.length)} B`,
  }
}

async function load(input: Input): Promise<Answer> {
  const path = needWord(input, 1, 'the file', state)
  let document: Dump
  try {
    document = JSON.parse(readFileSync(resolve(input.cwd, path), 'utf8')) as Dump
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== undefined) throw new CliError('TRP-7303', Exit.Usage, `cannot read ${path}: ${code}`)
    throw new CliError('TRP-8503', Exit.Usage, `${path} is no dump of a state`, {
      fix: '`troupe state dump -o file` writes one',
    })
  }
  if (!Array.isArray(document?.actors)) {
    throw new CliError('TRP-8503', Exit.Usage, `${path} is no dump of a state`, {
      fix: '`troupe state dump -o file` writes one',
    })
  }
  const network = await openNetwork(input)
  const done = await withProgress(input, 'loading', () =>
    network.request<{ actors: number; height: number }>('troupe_loadState', document),
  )
  return { data: done, text: `${done.actors} actors, height ${done.height}` }
}
