/**
 * The ABI of an actor as data: what its state looks like, what can be called, what is emitted. Written as JSON with keys
 * in the order of these interfaces; types are texts in the grammar of `types.ts`.
 */
import { blake2b } from '@noble/hashes/blake2.js'

export type MethodKind = 'constructor' | 'method' | 'view'

/** How params travel: an array of all arguments, the one argument alone, or bytes as they are. */
export type ParamsEncoding = 'tuple' | 'bare' | 'raw'

export interface AbiMethod {
  readonly name: string
  readonly number: number
  readonly kind: MethodKind
  readonly params: readonly string[]
  readonly encoding: ParamsEncoding
  readonly returns?: string
  readonly payable?: true
  readonly only?: string
  readonly ipc?: true
  readonly doc?: string
  /** `file:line:column` of the method's name. */
  readonly at?: string
}

export interface AbiEvent {
  readonly name: string
  readonly fields: readonly string[]
  /** Fields whose value is indexed. */
  readonly indexed: readonly string[]
  readonly form: 'cbor' | 'evm'
}

export interface AbiSelector {
  readonly selector: string
  readonly signature: string
}

export interface AbiBuild {
  readonly sdk: string
  readonly asc: string
  readonly bytes: number
  readonly codeCid: string
  readonly imports: readonly string[]
}

export interface Abi {
  readonly abi: 1
  readonly actor: string
  readonly doc?: string
  readonly state: readonly string[]
  readonly types: Readonly<Record<string, readonly string[]>>
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly methods: readonly AbiMethod[]
  /** Whether undeclared method numbers are answered. */
  readonly fallback?: true
  readonly events: readonly AbiEvent[]
  /** Exit codes to names. */
  readonly errors: Readonly<Record<string, string>>
  readonly evm: readonly AbiSelector[]
  readonly standards: readonly string[]
  readonly build: AbiBuild
}

/** The ABI file's text. */
export function formatAbi(abi: Abi): string {
  return `${JSON.stringify(abi, null, 2)}\n`
}

/**
 * Identifies an interface whatever its documentation and build: blake2b-256 in hex over the canonical JSON
 * (keys sorted, no spaces) without `build`, `doc` and `at`.
 */
export function interfaceId(abi: Abi): string {
  const { build: _build, doc: _doc, ...rest } = abi
  const methods = abi.methods.map(({ doc: _doc, at: _at, ...method }) => method)
  const digest = blake2b(new TextEncoder().encode(canonical({ ...rest, methods })), { dkLen: 32 })
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`
}
