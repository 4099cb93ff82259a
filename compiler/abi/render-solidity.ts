/**
 * An ABI as Solidity: a library whose functions encode CBOR, call the actor by its ID through the FEVM's precompile, and
 * decode what comes back. Methods numbered up to 1023 cannot be called from there, and nullable values, links to maps and
 * recursive tuples have no form there: such methods are named in a comment.
 *
 * @source builtin-actors `actors/evm/src/interpreter/precompiles/fvm.rs`
 */
import type { Abi, AbiMethod } from './schema.ts'
import { type AbiType, formatType, parseField, parseType } from './types.ts'
import { callable, lowerFirst, mentioned, typesOf } from './words.ts'

const LAST_INTERNAL_METHOD = 1023

/** Reserved words that names of fields and methods may collide with. */
const RESERVED: ReadonlySet<string> = new Set([
  'address',
  'from',
  'bytes',
  'string',
  'mapping',
  'function',
  'return',
  'returns',
  'event',
  'error',
  'type',
  'days',
  'hours',
  'minutes',
  'seconds',
  'weeks',
  'wei',
  'gwei',
  'ether',
  'public',
  'private',
  'internal',
  'external',
  'view',
  'pure',
  'payable',
  'memory',
  'storage',
  'calldata',
  'new',
  'delete',
  'this',
  'super',
  'actor',
  'value',
  'data',
  'at',
])

const TYPES: Readonly<Record<string, string>> = {
  bool: 'bool',
  u8: 'uint8',
  u16: 'uint16',
  u32: 'uint32',
  u64: 'uint64',
  i8: 'int8',
  i16: 'int16',
  i32: 'int32',
  i64: 'int64',
  actorid: 'uint64',
  string: 'string',
  bytes: 'bytes',
  bytes32: 'bytes32',
  address: 'bytes',
  amount: 'uint256',
  u256: 'uint256',
  cid: 'bytes',
}

/** The text of `<Actor>.sol`. */
export function renderSolidity(abi: Abi): string {
  const methods = callable(abi)
  const fit = methods.filter(
    (method) => method.number > LAST_INTERNAL_METHOD && typesOf(method).every((t) => hasForm(abi, t)),
  )
  const left = methods.filter((method) => !fit.includes(method))
  const names = mentioned(abi, fit.flatMap(typesOf))
  const writers = new Map<string, string>()
  const readers = new Map<string, string>()
  const functions = fit.map((method) => renderMethod(abi, method, writers, readers))
  const structs = names.filter((name) => abi.types[name]).map((name) => renderStruct(abi, name))
  const enums = names.filter((name) => abi.enums[name]).map((name) => renderEnum(abi, name))
  return [
    '// SPDX-License-Identifier: UNLICENSED',
    `// Calls ${abi.actor} from Solidity; from its ABI. FVM addresses and CIDs are bytes in binary form, amounts attoFIL.`,
    'pragma solidity ^0.8.20;\n',
    `library ${abi.actor}Actor {`,
    ...left.map((method) => `    // ${method.name} (${method.number}) cannot be called from Solidity.`),
    ...structs,
    ...enums,
    ...functions,
    ...writers.values(),
    ...readers.values(),
    RUNTIME,
    '}\n',
  ].join('\n')
}

/** Whether values of the type exist in Solidity. */
function hasForm(abi: Abi, text: string, seen: readonly string[] = []): boolean {
  const type = parseType(text)
  switch (type.kind) {
    case 'primitive':
      return true
    case 'list':
      return hasForm(abi, formatType(type.of), seen)
    case 'name': {
      if (seen.includes(type.name)) return false
      const fields = abi.types[type.name]
      if (!fields) return abi.enums[type.name] !== undefined
      return fields.map(parseField).every((field) => hasForm(abi, formatType(field.type), [...seen, type.name]))
    }
    default:
      return false
  }
}

function solidityType(abi: Abi, type: AbiType): string {
  switch (type.kind) {
    case 'primitive':
      return TYPES[type.name] ?? 'bytes'
    case 'name':
      return abi.enums[type.name] ? 'uint32' : type.name
    case 'list':
      return `${solidityType(abi, type.of)}[]`
    default:
      return 'bytes'
  }
}

/** The type where a variable is declared. */
function declared(abi: Abi, type: AbiType): string {
  const name = solidityType(abi, type)
  const isReference = name.endsWith(']') || name === 'bytes' || name === 'string' || abi.types[name] !== undefined
  return isReference ? `${name} memory` : name
}

function identifier(name: string): string {
  return RESERVED.has(name) || name.startsWith('_') ? `${name}_` : name
}

function renderStruct(abi: Abi, name: string): string {
  const fields = (abi.types[name] ?? []).map(parseField)
  const lines = fields.map((field) => `        ${solidityType(abi, field.type)} ${identifier(field.name)};`)
  // Solidity has no empty structs.
  return `    struct ${name} {\n${lines.join('\n') || '        bool empty;'}\n    }\n`
}

function renderEnum(abi: Abi, name: string): string {
  const members = Object.entries(abi.enums[name] ?? {})
  return `${members.map(([member, value]) => `    uint32 internal constant ${name}_${member} = ${value};`).join('\n')}\n`
}

type Functions = Map<string, string>

function renderMethod(abi: Abi, method: AbiMethod, writers: Functions, readers: Functions): string {
  const fields = method.params.map(parseField)
  const isView = method.kind === 'view'
  const parameters = [
    'uint64 actor',
    ...(method.payable ? ['uint256 value'] : []),
    ...fields.map((field) => `${declared(abi, field.type)} ${identifier(field.name)}`),
  ]
  const written = fields.map((field) => `${writerOf(abi, field.type, writers)}(${identifier(field.name)})`)
  const items = method.encoding === 'bare' ? written : fields.length ? [`_head(4, ${fields.length})`, ...written] : []
  const params = items.length ? `bytes.concat(${items.join(', ')})` : '""'
  const call = `_call(actor, ${method.number}, ${method.payable ? 'value' : '0'}, ${isView}, ${params})`
  const doc = method.doc ? `    /// ${method.doc}\n` : ''
  const head = `${doc}    function ${identifier(lowerFirst(method.name))}(${parameters.join(', ')}) internal`
  if (method.returns === undefined) return `${head} {\n        ${call};\n    }\n`
  const type = parseType(method.returns)
  const reader = readerOf(abi, type, readers)
  return [
    `${head} returns (${declared(abi, type)} result) {`,
    `        bytes memory data = ${call};`,
    '        uint256 end;',
    `        (result, end) = ${reader}(data, 0);`,
    '        if (end != data.length) revert Malformed();',
    '    }\n',
  ].join('\n')
}

/** A name for the functions of a type. */
function nameOf(type: AbiType): string {
  return formatType(type)
    .replace(/\[/g, 'ListOf')
    .replace(/\W/g, '')
    .replace(/^./, (letter) => letter.toUpperCase())
}

/** The name of the function that writes values of a type; makes it on first use. */
function writerOf(abi: Abi, type: AbiType, writers: Functions): string {
  if (type.kind === 'primitive') return PRIMITIVE_WRITERS[type.name] ?? '_writeUint'
  if (type.kind === 'name' && abi.enums[type.name]) return '_writeUint'
  const name = `_write${nameOf(type)}`
  if (writers.has(name)) return name
  writers.set(name, '')
  const signature = `    function ${name}(${declared(abi, type)} v) private pure returns (bytes memory out)`
  if (type.kind === 'list') {
    const inner = writerOf(abi, type.of, writers)
    writers.set(
      name,
      `${signature} {\n        out = _head(4, v.length);\n        for (uint256 i = 0; i < v.length; i++) out = bytes.concat(out, ${inner}(v[i]));\n    }\n`,
    )
    return name
  }
  const fields = (type.kind === 'name' ? (abi.types[type.name] ?? []) : []).map(parseField)
  const items = fields.map((field) => `${writerOf(abi, field.type, writers)}(v.${identifier(field.name)})`)
  writers.set(
    name,
    `${signature} {\n        out = bytes.concat(${[`_head(4, ${fields.length})`, ...items].join(', ')});\n    }\n`,
  )
  return name
}

/** The name of the function that reads values of a type. */
function readerOf(abi: Abi, type: AbiType, readers: Functions): string {
  if (type.kind === 'primitive' || (type.kind === 'name' && abi.enums[type.name])) {
    return primitiveReader(solidityType(abi, type), type.kind === 'primitive' ? type.name : 'u32', readers)
  }
  const name = `_read${nameOf(type)}`
  if (readers.has(name)) return name
  readers.set(name, '')
  const signature = `    function ${name}(bytes memory data, uint256 at) private pure returns (${declared(abi, type)} v, uint256 next)`
  if (type.kind === 'list') {
    const inner = readerOf(abi, type.of, readers)
    readers.set(
      name,
      [
        `${signature} {`,
        '        uint256 count;',
        '        (count, next) = _readHead(data, at, 4);',
        '        if (count > data.length) revert Malformed();',
        `        v = new ${solidityType(abi, type)}(count);`,
        `        for (uint256 i = 0; i < count; i++) (v[i], next) = ${inner}(data, next);`,
        '    }\n',
      ].join('\n'),
    )
    return name
  }
  const fields = (type.kind === 'name' ? (abi.types[type.name] ?? []) : []).map(parseField)
  const lines = fields.map(
    (field) => `        (v.${identifier(field.name)}, next) = ${readerOf(abi, field.type, readers)}(data, next);`,
  )
  readers.set(
    name,
    `${signature} {\n        next = _readTuple(data, at, ${fields.length});\n${lines.join('\n')}${lines.length ? '\n' : ''}    }\n`,
  )
  return name
}

/** Integers share one reader each way, narrowed by a function of their own. */
function primitiveReader(solidity: string, name: string, readers: Functions): string {
  const shared = PRIMITIVE_READERS[name]
  if (shared) return shared
  const reader = `_read${solidity.charAt(0).toUpperCase()}${solidity.slice(1)}`
  const isSigned = solidity.startsWith('int')
  readers.set(
    reader,
    [
      `    function ${reader}(bytes memory data, uint256 at) private pure returns (${solidity} v, uint256 next) {`,
      `        ${isSigned ? 'int256' : 'uint256'} wide;`,
      `        (wide, next) = ${isSigned ? '_readInt(data, at)' : '_readHead(data, at, 0)'};`,
      `        v = ${solidity}(wide);`,
      '        if (v != wide) revert Malformed();',
      '    }\n',
    ].join('\n'),
  )
  return reader
}

const PRIMITIVE_WRITERS: Readonly<Record<string, string>> = {
  bool: '_writeBool',
  i8: '_writeInt',
  i16: '_writeInt',
  i32: '_writeInt',
  i64: '_writeInt',
  string: '_writeText',
  bytes: '_writeBytes',
  bytes32: '_writeBytes32',
  address: '_writeBytes',
  amount: '_writeAmount',
  u256: '_writeAmount',
  cid: '_writeCid',
}

const PRIMITIVE_READERS: Readonly<Record<string, string>> = {
  bool: '_readBool',
  string: '_readText',
  bytes: '_readBytes',
  bytes32: '_readBytes32',
  address: '_readBytes',
  amount: '_readAmount',
  u256: '_readAmount',
  cid: '_readCid',
}

/** CBOR and the call itself; private, so that what is not used is not compiled. */
const RUNTIME = `    error CallFailed(int256 exitCode);
    error Malformed();

    address private constant CALL_ACTOR_BY_ID = 0xfe00000000000000000000000000000000000005;

    function _call(uint64 actor, uint64 method, uint256 value, bool isReadOnly, bytes memory params) private returns (bytes memory) {
        uint64 codec = params.length == 0 ? 0 : 0x51;
        uint64 flags = isReadOnly ? 1 : 0;
        (bool ok, bytes memory answer) = CALL_ACTOR_BY_ID.delegatecall(abi.encode(method, value, flags, codec, params, actor));
        if (!ok) revert CallFailed(-1);
        (int256 exitCode, , bytes memory data) = abi.decode(answer, (int256, uint64, bytes));
        if (exitCode != 0) revert CallFailed(exitCode);
        return data;
    }

    function _head(uint8 major, uint256 n) private pure returns (bytes memory) {
        uint8 kind = major << 5;
        if (n < 24) return abi.encodePacked(uint8(kind | uint8(n)));
        if (n < 1 << 8) return abi.encodePacked(uint8(kind | 24), uint8(n));
        if (n < 1 << 16) return abi.encodePacked(uint8(kind | 25), uint16(n));
        if (n < 1 << 32) return abi.encodePacked(uint8(kind | 26), uint32(n));
        return abi.encodePacked(uint8(kind | 27), uint64(n));
    }

    function _writeUint(uint256 v) private pure returns (bytes memory) {
        return _head(0, v);
    }

    function _writeInt(int256 v) private pure returns (bytes memory) {
        return v < 0 ? _head(1, uint256(-1 - v)) : _head(0, uint256(v));
    }

    function _writeBool(bool v) private pure returns (bytes memory) {
        return abi.encodePacked(v ? bytes1(0xf5) : bytes1(0xf4));
    }

    function _writeBytes(bytes memory v) private pure returns (bytes memory) {
        return bytes.concat(_head(2, v.length), v);
    }

    function _writeBytes32(bytes32 v) private pure returns (bytes memory) {
        return abi.encodePacked(hex"5820", v);
    }

    function _writeText(string memory v) private pure returns (bytes memory) {
        return bytes.concat(_head(3, bytes(v).length), bytes(v));
    }

    function _writeAmount(uint256 v) private pure returns (bytes memory) {
        uint256 size = 0;
        for (uint256 rest = v; rest > 0; rest >>= 8) size++;
        if (size == 0) return hex"40";
        bytes memory out = new bytes(size + 1);
        for (uint256 i = 0; i < size; i++) out[size - i] = bytes1(uint8(v >> (8 * i)));
        return _writeBytes(out);
    }

    function _writeCid(bytes memory v) private pure returns (bytes memory) {
        return bytes.concat(hex"d82a", _writeBytes(bytes.concat(hex"00", v)));
    }

    function _readHead(bytes memory data, uint256 at, uint8 major) private pure returns (uint256 n, uint256 next) {
        if (at >= data.length) revert Malformed();
        uint8 first = uint8(data[at]);
        n = first & 31;
        next = at + 1;
        if (first >> 5 != major || n > 27) revert Malformed();
        if (n < 24) return (n, next);
        uint256 size = 1 << (n - 24);
        if (next + size > data.length) revert Malformed();
        n = 0;
        for (uint256 i = 0; i < size; i++) n = (n << 8) | uint8(data[next + i]);
        next += size;
    }

    function _readTuple(bytes memory data, uint256 at, uint256 count) private pure returns (uint256 next) {
        uint256 found;
        (found, next) = _readHead(data, at, 4);
        if (found != count) revert Malformed();
    }

    function _readInt(bytes memory data, uint256 at) private pure returns (int256 v, uint256 next) {
        if (at >= data.length) revert Malformed();
        uint8 major = uint8(data[at]) >> 5 == 1 ? 1 : 0;
        uint256 n;
        (n, next) = _readHead(data, at, major);
        v = major == 1 ? -1 - int256(n) : int256(n);
    }

    function _readBool(bytes memory data, uint256 at) private pure returns (bool v, uint256 next) {
        uint256 n;
        (n, next) = _readHead(data, at, 7);
        if (n != 20 && n != 21) revert Malformed();
        v = n == 21;
    }

    function _readSpan(bytes memory data, uint256 at, uint8 major) private pure returns (bytes memory v, uint256 next) {
        uint256 size;
        (size, next) = _readHead(data, at, major);
        if (size > data.length - next) revert Malformed();
        v = new bytes(size);
        for (uint256 i = 0; i < size; i++) v[i] = data[next + i];
        next += size;
    }

    function _readBytes(bytes memory data, uint256 at) private pure returns (bytes memory v, uint256 next) {
        return _readSpan(data, at, 2);
    }

    function _readBytes32(bytes memory data, uint256 at) private pure returns (bytes32 v, uint256 next) {
        bytes memory span;
        (span, next) = _readSpan(data, at, 2);
        if (span.length != 32) revert Malformed();
        v = bytes32(span);
    }

    function _readText(bytes memory data, uint256 at) private pure returns (string memory v, uint256 next) {
        bytes memory span;
        (span, next) = _readSpan(data, at, 3);
        v = string(span);
    }

    function _readAmount(bytes memory data, uint256 at) private pure returns (uint256 v, uint256 next) {
        bytes memory span;
        (span, next) = _readSpan(data, at, 2);
        if (span.length > 33 || (span.length > 0 && span[0] != 0)) revert Malformed();
        for (uint256 i = 1; i < span.length; i++) v = (v << 8) | uint8(span[i]);
    }

    function _readCid(bytes memory data, uint256 at) private pure returns (bytes memory v, uint256 next) {
        uint256 tag;
        (tag, next) = _readHead(data, at, 6);
        if (tag != 42) revert Malformed();
        bytes memory span;
        (span, next) = _readSpan(data, next, 2);
        if (span.length < 2 || span[0] != 0) revert Malformed();
        v = new bytes(span.length - 1);
        for (uint256 i = 0; i < v.length; i++) v[i] = span[i + 1];
    }`
