/** An ABI as AssemblyScript: an `@remote` class, to be committed and read. */
import { isMethodName, methodNumber } from './method-number.ts'
import type { Abi, AbiMethod } from './schema.ts'
import { type AbiType, parseField, parseType } from './types.ts'
import { callable, lowerFirst, mentioned, typesOf, upperFirst } from './words.ts'

const TYPES: Readonly<Record<string, string>> = {
  actorid: 'ActorId',
  bytes: 'Bytes',
  bytes32: 'Bytes32',
  address: 'Address',
  amount: 'TokenAmount',
  u256: 'U256',
  cid: 'Cid',
}

/** The text of `<actor>.remote.ts`. */
export function renderRemote(abi: Abi): string {
  const methods = callable(abi)
  const names = mentioned(abi, methods.flatMap(typesOf))
  const sdk = new Set(['remote'])
  const use = (type: AbiType): string => assemblyScriptType(type, sdk)
  const types = names.map((name) => {
    const members = abi.enums[name]
    if (members) {
      const lines = Object.entries(members).map(([member, value]) => `  ${member} = ${value},`)
      return `export enum ${name} {\n${lines.join('\n')}\n}\n`
    }
    const fields = (abi.types[name] ?? []).map(parseField)
    const parameters = fields.map((field) => `    public ${field.name}: ${use(field.type)},`)
    return `export class ${name} {\n  constructor(\n${parameters.join('\n')}\n  ) {}\n}\n`
  })
  const members = methods.map((method) => renderMethod(method, use, sdk))
  return [
    `// The interface of ${abi.actor}, from its ABI.\n`,
    `import { ${[...sdk].sort(byCase).join(', ')} } from 'troupe/actor'\n`,
    ...types,
    `${docLines(abi.doc, '')}@remote\nexport abstract class ${abi.actor} {\n${members.join('\n')}}\n`,
  ].join('\n')
}

function renderMethod(method: AbiMethod, use: (type: AbiType) => string, sdk: Set<string>): string {
  const name = lowerFirst(method.name)
  const kind = method.kind === 'view' ? 'view' : 'method'
  const isNumbered = !isMethodName(method.name) || methodNumber(method.name) !== method.number
  const argument = isNumbered ? `(${method.number})` : upperFirst(name) === method.name ? '' : `('${method.name}')`
  const decorators = [`@${kind}${argument}`]
  if (method.payable) decorators.push('@payable')
  if (method.encoding === 'bare') decorators.push('@bare')
  for (const decorator of decorators) sdk.add(/\w+/.exec(decorator)?.[0] ?? '')
  const parameters = method.params.map(parseField).map((field) => `${field.name}: ${use(field.type)}`)
  const returns = method.returns === undefined ? 'void' : use(parseType(method.returns))
  const signature = `  ${name}(${parameters.join(', ')}): ${returns} { unreachable() }`
  return `${docLines(method.doc, '  ')}  ${decorators.join(' ')}\n${signature}\n`
}

function docLines(doc: string | undefined, indent: string): string {
  return doc ? `${indent}/** ${doc} */\n` : ''
}

/** A type in AssemblyScript; the names it needs from the SDK go into `sdk`. */
function assemblyScriptType(type: AbiType, sdk: Set<string>): string {
  const inner = (of: AbiType) => assemblyScriptType(of, sdk)
  switch (type.kind) {
    case 'primitive': {
      const name = TYPES[type.name]
      if (name) sdk.add(name)
      return name ?? type.name
    }
    case 'name':
      return type.name
    case 'nullable':
      return `${inner(type.of)} | null`
    case 'list':
      return `Array<${inner(type.of)}>`
    case 'hamt':
      sdk.add('Hamt')
      return `Hamt<${inner(type.key)}, ${inner(type.value)}>`
    case 'amt':
      sdk.add('Amt')
      return `Amt<${inner(type.of)}>`
    case 'lazy':
      sdk.add('Lazy')
      return `Lazy<${inner(type.of)}>`
  }
}

/** Decorators before classes. */
function byCase(a: string, b: string): number {
  const isLower = (text: string) => Number(/^[a-z]/.test(text))
  return isLower(b) - isLower(a) || (a < b ? -1 : 1)
}
