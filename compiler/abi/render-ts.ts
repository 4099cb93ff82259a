/**
 * An ABI as TypeScript: a typed client over a connection of `troupe/client`. The file carries what it needs of the ABI;
 * a method that is not used can be shaken out, since each carries its own part.
 */
import type { Abi, AbiMethod } from './schema.ts'
import { type AbiType, parseField, parseType } from './types.ts'
import { callable, lowerFirst, mentioned, typeOf, typesOf } from './words.ts'

const TYPES: Readonly<Record<string, string>> = {
  bool: 'boolean',
  u8: 'number',
  u16: 'number',
  u32: 'number',
  u64: 'bigint',
  i8: 'number',
  i16: 'number',
  i32: 'number',
  i64: 'bigint',
  actorid: 'bigint',
  string: 'string',
  bytes: 'Uint8Array',
  bytes32: 'Uint8Array',
  address: 'string | bigint',
  amount: 'bigint',
  u256: 'bigint',
  cid: 'string',
}

/** The text of `<actor>.client.ts`. */
export function renderTypeScript(abi: Abi): string {
  const methods = callable(abi)
  const eventTypes = abi.events.flatMap((event) => event.fields.map(typeOf))
  const names = mentioned(abi, [...methods.flatMap(typesOf), ...abi.state.map(typeOf), ...eventTypes])
  const types = names.map((name) => renderType(abi, name))
  const { build, ...carried } = abi
  return [
    `// A client for ${abi.actor}, from its ABI.`,
    `import { type ActorConnection, type CallOptions, connectActor, type Provider } from 'troupe/client'\n`,
    ...types,
    `export interface ${abi.actor}State {\n${fieldLines(abi.state, '  ')}\n}\n`,
    renderEvents(abi),
    renderErrors(abi),
    `export class ${abi.actor}Client {`,
    '  private readonly connection: ActorConnection\n',
    '  constructor(provider: Provider, address: string | bigint) {',
    `    this.connection = connectActor(provider, address, ${lowerFirst(abi.actor)}Abi)`,
    '  }\n',
    `  state(): Promise<${abi.actor}State> {\n    return this.connection.state()\n  }\n`,
    `  events(fromEpoch?: bigint): AsyncIterable<${abi.actor}Event> {\n    return this.connection.events(fromEpoch)\n  }\n`,
    methods.map(renderMethod).join('\n'),
    '}\n',
    `export const ${lowerFirst(abi.actor)}Abi = ${JSON.stringify(carried, null, 2)} as const\n`,
  ].join('\n')
}

function renderType(abi: Abi, name: string): string {
  const members = abi.enums[name]
  if (members)
    return `export type ${name} = ${Object.keys(members)
      .map((member) => `'${member}'`)
      .join(' | ')}\n`
  return `export interface ${name} {\n${fieldLines(abi.types[name] ?? [], '  ')}\n}\n`
}

function fieldLines(fields: readonly string[], indent: string): string {
  return fields
    .map(parseField)
    .map((field) => `${indent}${field.name}: ${scriptType(field.type)}`)
    .join('\n')
}

function renderEvents(abi: Abi): string {
  const events = abi.events.map((event) => {
    const fields = event.fields.map(parseField).map((field) => `${field.name}: ${scriptType(field.type)}`)
    return `{ type: '${event.name}'; ${fields.join('; ')} }`
  })
  return `export type ${abi.actor}Event = ${events.length ? events.map((event) => `\n  | ${event}`).join('') : 'never'}\n`
}

function renderErrors(abi: Abi): string {
  const entries = Object.entries(abi.errors)
  const union = entries.length ? entries.map(([, name]) => `'${name}'`).join(' | ') : 'never'
  return `/** The names of this actor's own exit codes. */\nexport type ${abi.actor}Error = ${union}\n`
}

function renderMethod(method: AbiMethod): string {
  const parameters = method.params.map(parseField)
  const typed = parameters.map((field) => `${field.name}: ${scriptType(field.type)}`)
  const isView = method.kind === 'view'
  const all = [...typed, ...(isView ? [] : ['options?: CallOptions'])].join(', ')
  const args = `[${parameters.map((field) => field.name).join(', ')}]`
  const returns = method.returns === undefined ? 'void' : scriptType(parseType(method.returns))
  const call = isView
    ? `this.connection.view('${method.name}', ${args})`
    : `this.connection.call('${method.name}', ${args}, options)`
  const doc = method.doc ? `  /** ${method.doc} */\n` : ''
  return `${doc}  ${lowerFirst(method.name)}(${all}): Promise<${returns}> {\n    return ${call}\n  }\n`
}

function scriptType(type: AbiType): string {
  switch (type.kind) {
    case 'primitive':
      return TYPES[type.name] ?? 'unknown'
    case 'name':
      return type.name
    case 'nullable':
      return `${scriptType(type.of)} | null`
    case 'list':
      return `(${scriptType(type.of)})[]`
    case 'hamt':
      return `ReadonlyMap<${scriptType(type.key)}, ${scriptType(type.value)}>`
    case 'amt':
      return `ReadonlyMap<bigint, ${scriptType(type.of)}>`
    case 'lazy':
      return scriptType(type.of)
  }
}
