/** An ABI as Rust: tuples with their derives, and the numbers of the methods. */
import type { Abi } from './schema.ts'
import { type AbiType, parseField, parseType } from './types.ts'
import { callable, snakeCase, upperFirst } from './words.ts'

const TYPES: Readonly<Record<string, string>> = {
  actorid: 'ActorID',
  string: 'String',
  bytes: 'RawBytesValue',
  bytes32: 'RawBytesValue',
  address: 'Address',
  amount: 'TokenAmount',
  u256: 'BigIntDe',
  cid: 'Cid',
}

const DERIVE = '#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]'

/** The text of a Rust module for crates that depend on `fvm_shared` and `fvm_ipld_encoding`. */
export function renderRust(abi: Abi): string {
  const used = new Set<string>()
  const use = (type: AbiType): string => rustType(type, used)
  const struct = (name: string, fields: readonly string[]): string => {
    const lines = fields.map(parseField).map((field) => `    pub ${snakeCase(field.name)}: ${use(field.type)},`)
    return `${DERIVE}\npub struct ${name} {\n${lines.join('\n')}\n}\n`
  }
  const parts: string[] = [struct(`${abi.actor}State`, abi.state)]
  for (const [name, fields] of Object.entries(abi.types)) parts.push(struct(name, fields))
  for (const [name, members] of Object.entries(abi.enums)) {
    const lines = Object.entries(members).map(([member, value]) => `    ${member} = ${value},`)
    const derive = '#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize_repr, Deserialize_repr)]\n#[repr(u32)]'
    used.add('enum')
    parts.push(`${derive}\npub enum ${name} {\n${lines.join('\n')}\n}\n`)
  }
  for (const method of abi.methods) {
    const title = upperFirst(method.name)
    const [only] = method.params.map(parseField)
    if (method.encoding === 'bare' && only) {
      parts.push(
        `#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]\n#[serde(transparent)]\npub struct ${title}Params(pub ${use(only.type)});\n`,
      )
      used.add('serde')
    } else if (method.params.length) parts.push(struct(`${title}Params`, method.params))
    if (method.returns !== undefined) parts.push(`pub type ${title}Return = ${use(parseType(method.returns))};\n`)
  }
  const constants = callable(abi).map(
    (method) => `pub const ${snakeCase(method.name).toUpperCase()}: MethodNum = ${method.number};\n`,
  )
  const errors = Object.entries(abi.errors).map(
    ([code, name]) => `pub const ERR_${snakeCase(name).toUpperCase()}: ExitCode = ExitCode::new(${code});\n`,
  )
  const body = [constants.join(''), errors.join(''), ...parts].filter(Boolean).join('\n')
  return `//! ${abi.actor}, from its ABI.\n\n${imports(used, errors.length > 0)}\n${body}`
}

function imports(used: ReadonlySet<string>, hasErrors: boolean): string {
  const lines = ['use fvm_ipld_encoding::tuple::*;', 'use fvm_shared::MethodNum;']
  if (used.has('Address')) lines.push('use fvm_shared::address::Address;')
  if (used.has('ActorID')) lines.push('use fvm_shared::ActorID;')
  if (used.has('TokenAmount')) lines.push('use fvm_shared::econ::TokenAmount;')
  if (used.has('BigIntDe')) lines.push('use fvm_shared::bigint::bigint_ser::BigIntDe;')
  if (used.has('RawBytesValue')) lines.push('use fvm_ipld_encoding::strict_bytes::ByteBuf as RawBytesValue;')
  if (used.has('Cid')) lines.push('use cid::Cid;')
  if (used.has('enum')) lines.push('use serde_repr::{Deserialize_repr, Serialize_repr};')
  if (used.has('serde')) lines.push('use serde::{Deserialize, Serialize};')
  if (hasErrors) lines.push('use fvm_shared::error::ExitCode;')
  return `${lines.sort().join('\n')}\n`
}

function rustType(type: AbiType, used: Set<string>): string {
  switch (type.kind) {
    case 'primitive': {
      const name = TYPES[type.name] ?? type.name
      used.add(name)
      return name
    }
    case 'name':
      return type.name
    case 'nullable':
      return `Option<${boxed(type.of, used)}>`
    case 'list':
      return `Vec<${rustType(type.of, used)}>`
    default:
      used.add('Cid')
      return 'Cid'
  }
}

/** A nullable tuple may be recursive, which Rust wants on the heap. */
function boxed(type: AbiType, used: Set<string>): string {
  const name = rustType(type, used)
  return type.kind === 'name' ? `Box<${name}>` : name
}
