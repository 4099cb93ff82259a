/** `Actor.method args…` as typed on a command line → a message for an actor, and its answer → values. */
import type { Abi, AbiMethod } from '../../compiler/abi/schema.ts'
import { formatType, parseField } from '../../compiler/abi/types.ts'
import { lowerFirst } from '../../compiler/abi/words.ts'
import { fromHex, toHex } from '../primitives/bytes.ts'
import { AbiValueError, decodeReturn, encodeParams, findMethod, parseArgument } from '../rpc/abi-codec.ts'
import type { Draft, Receipt } from '../rpc/client.ts'
import { parseFil } from '../state/token.ts'
import { type Command, type Flag, type Input, nearest, needWord, textFlag } from './command.ts'
import { type Book, type NetworkActor, needActor } from './network.ts'
import { CliError, Exit } from './output.ts'

/** Flags of what sends a message. */
export const MESSAGE_FLAGS: Readonly<Record<string, Flag>> = {
  value: { type: 'string', value: 'amount', about: 'FIL that goes along: 1.5, 1.5fil, 100attofil' },
  gas: { type: 'string', value: 'n', about: 'gas limit (estimated)' },
}

export interface Invocation {
  /** `Counter.increment`. */
  readonly label: string
  /** Undefined for an actor whose interface nobody knows. */
  readonly actor: NetworkActor | undefined
  readonly method: AbiMethod | undefined
  readonly draft: Draft
}

/** The first word is `Actor.method`, the rest are its arguments. */
export function readInvocation(input: Input, book: Book, command: Command): Invocation {
  const target = needWord(input, 0, 'Actor.method', command)
  const dot = target.lastIndexOf('.')
  if (dot < 1 || dot === target.length - 1) {
    throw new CliError('TRP-7003', Exit.Usage, `${JSON.stringify(target)} is not Actor.method`, {
      fix: `troupe ${command.usage}`,
    })
  }
  const [who, name] = [target.slice(0, dot), target.slice(dot + 1)]
  const args = input.words.slice(1)
  const draft = { from: textFlag(input, 'from') ?? 'alice', ...messageFlags(input) }
  if (book.find(who) === undefined && isPlainAddress(who)) return rawInvocation(who, name, args, draft)

  const actor = needActor(book, who)
  const method = needMethod(actor, name)
  const params = encodeArguments(actor.abi, method, args, book, `${actor.name}.${lowerFirst(method.name)}`)
  return {
    label: `${actor.name}.${lowerFirst(method.name)}`,
    actor,
    method,
    draft: { ...draft, to: actor.address, method: String(method.number), params: `0x${toHex(params)}` },
  }
}

function isPlainAddress(text: string): boolean {
  return /^(0x[0-9a-fA-F]{40}|[ft][0-4][a-z0-9]+|\d+)$/.test(text)
}

/** Without an interface there are only numbers and bytes. */
function rawInvocation(who: string, name: string, args: readonly string[], draft: Omit<Draft, 'to'>): Invocation {
  const [params = '0x'] = args
  if (!/^\d+$/.test(name) || !/^0x([0-9a-fA-F]{2})*$/.test(params) || args.length > 1) {
    throw new CliError('TRP-8305', Exit.Usage, `nobody knows the interface of ${who}`, {
      fix: 'give the number of the method, and its params as 0x… text: troupe call t01000.3 0x80',
    })
  }
  return {
    label: `${who}.${name}`,
    actor: undefined,
    method: undefined,
    draft: { ...draft, to: who, method: name, params },
  }
}

export function messageFlags(input: Input): Pick<Draft, 'value' | 'gasLimit'> {
  const [value, gas] = [textFlag(input, 'value'), textFlag(input, 'gas')]
  if (gas !== undefined && !/^[1-9]\d*$/.test(gas)) {
    throw new CliError('TRP-7002', Exit.Usage, `--gas takes a whole number above 0, not ${JSON.stringify(gas)}`)
  }
  return {
    ...(value === undefined ? {} : { value: parseAmount(value).toString() }),
    ...(gas === undefined ? {} : { gasLimit: gas }),
  }
}

/** attoFIL; a number without a unit counts FIL. */
export function parseAmount(text: string): bigint {
  try {
    const amount = parseFil(text.replaceAll('_', ''))
    if (amount >= 0n) return amount
  } catch {
    // Said below.
  }
  throw new CliError('TRP-7009', Exit.Usage, `${JSON.stringify(text)} is no amount`, {
    fix: 'write FIL as 1.5 or 1.5fil, attoFIL as 100attofil',
  })
}

function needMethod({ name, abi }: NetworkActor, word: string): AbiMethod {
  const found = findMethod(abi, word)
  if (found !== undefined) return found
  const names = abi.methods.filter(({ kind }) => kind !== 'constructor').map((method) => lowerFirst(method.name))
  const near = nearest(word, names)
  throw new CliError('TRP-8306', Exit.Usage, `${name} has no method ${JSON.stringify(word)}`, {
    fix: near === undefined ? `it has ${names.join(', ')}` : `did you mean ${name}.${near}?`,
  })
}

/** @throws CliError that shows what the method takes */
export function encodeArguments(
  abi: Abi,
  method: AbiMethod,
  args: readonly string[],
  book: Book,
  label: string,
): Uint8Array {
  try {
    const fields = method.params.map(parseField)
    const values = args.map((text, index) =>
      fields[index] === undefined ? text : parseArgument(abi, fields[index].type, text),
    )
    return encodeParams(abi, method, values, book.codec)
  } catch (error) {
    if (!(error instanceof AbiValueError) && !(error instanceof Error && /^(Token|Cid|Address)Error$/.test(error.name)))
      throw error
    const code = error instanceof AbiValueError ? error.code : 'TRP-8301'
    throw new CliError(code, Exit.Usage, error.message, { fix: `${label} takes ${signatureOf(method)}` })
  }
}

export function signatureOf({ params, returns }: AbiMethod): string {
  const list = params.map(parseField).map(({ name, type }) => `${name}: ${formatType(type)}`)
  return `(${list.join(', ')})${returns === undefined ? '' : ` → ${returns}`}`
}

const RAW = 0x55

export interface Returned {
  readonly value: unknown
  readonly warnings: readonly string[]
}

/** By the method's interface; bytes where there is none, or where they are something else. */
export function readReturn({ actor, method }: Invocation, { return: hex, returnCodec }: Receipt, book: Book): Returned {
  const bytes = fromHex(hex)
  if (actor === undefined || method === undefined || returnCodec === RAW) {
    return { value: bytes.length === 0 ? null : hex, warnings: [] }
  }
  if (method.returns === undefined) return { value: null, warnings: [] }
  try {
    return { value: decodeReturn(actor.abi, method, bytes, book.codec) ?? null, warnings: [] }
  } catch (error) {
    return { value: hex, warnings: [`what came back is no ${method.returns}: ${(error as Error).message}`] }
  }
}
