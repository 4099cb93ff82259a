/** An ABI as IPLD Schema: structs with tuple representation for state, params, results and events. */
import type { Abi } from './schema.ts'
import { type AbiType, parseField, parseType } from './types.ts'
import { upperFirst } from './words.ts'

/** Every integer is an Int there, and bytes are bytes: aliases say what they mean. */
const ALIASES: Readonly<Record<string, readonly [name: string, schema: string]>> = {
  actorid: ['ActorID', 'int'],
  bytes32: ['Bytes32', 'bytes'],
  address: ['Address', 'bytes'],
  amount: ['TokenAmount', 'bytes'],
  u256: ['U256', 'bytes'],
}

/** The text of an `.ipldsch` file. */
export function renderIpld(abi: Abi): string {
  const aliases = new Map<string, string>()
  const use = (type: AbiType): string => ipldType(type, aliases)
  const struct = (name: string, fields: readonly string[]): string => {
    const lines = fields.map(parseField).map((field) => `  ${field.name} ${use(field.type)}`)
    return `type ${name} struct {\n${lines.join('\n')}${lines.length ? '\n' : ''}} representation tuple\n`
  }
  const parts = [struct(`${abi.actor}State`, abi.state)]
  for (const [name, fields] of Object.entries(abi.types)) parts.push(struct(name, fields))
  for (const [name, members] of Object.entries(abi.enums)) {
    const lines = Object.entries(members).map(([member, value]) => `  | ${member} ("${value}")`)
    parts.push(`type ${name} enum {\n${lines.join('\n')}\n} representation int\n`)
  }
  for (const method of abi.methods) {
    const title = upperFirst(method.name)
    const [only] = method.params.map(parseField)
    if (method.encoding === 'bare' && only) parts.push(`type ${title}Params ${use(only.type)}\n`)
    else if (method.params.length) parts.push(struct(`${title}Params`, method.params))
    if (method.returns !== undefined) parts.push(`type ${title}Result ${use(parseType(method.returns))}\n`)
  }
  const names = [...aliases].sort().map(([name, schema]) => `type ${name} ${schema}\n`)
  return [`# ${abi.actor}, from its ABI.\n`, ...names, ...parts].join('\n')
}

function ipldType(type: AbiType, aliases: Map<string, string>): string {
  switch (type.kind) {
    case 'primitive': {
      const alias = ALIASES[type.name]
      if (alias) {
        aliases.set(alias[0], alias[1])
        return alias[0]
      }
      if (type.name === 'bool') return 'Bool'
      if (type.name === 'string') return 'String'
      if (type.name === 'bytes') return 'Bytes'
      return type.name === 'cid' ? '&Any' : 'Int'
    }
    case 'name':
      return type.name
    case 'nullable':
      return `nullable ${ipldType(type.of, aliases)}`
    case 'list':
      return `[${ipldType(type.of, aliases)}]`
    case 'lazy':
      return `&${ipldType(type.of, aliases)}`
    case 'hamt':
    case 'amt':
      // The blocks of these follow the HAMT and AMT specifications, not a schema of this file.
      return '&Any'
  }
}
