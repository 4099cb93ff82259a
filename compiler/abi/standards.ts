/** Which standard interfaces an actor has: the sets whose methods, numbers and types all match. */
import type { AbiMethod } from './schema.ts'
import { formatType, namesIn, parseField, parseType } from './types.ts'

interface StandardMethod {
  readonly name: string
  readonly params: readonly string[]
  readonly returns?: string
  readonly bare?: true
  readonly optional?: true
}

interface Standard {
  readonly name: string
  readonly methods: readonly StandardMethod[]
}

const m = (name: string, params: readonly string[], returns?: string): StandardMethod => ({
  name,
  params,
  ...(returns ? { returns } : {}),
})

/**
 * Structures are written out, `(a,b)`, since names are an actor's own. `id` accepts an address or an actor ID.
 *
 * @source FIPs `FRCs/frc-0046.md`, `FRCs/frc-0053.md`
 */
const STANDARDS: readonly Standard[] = [
  {
    name: 'FRC-46',
    methods: [
      m('Name', [], 'string'),
      m('Symbol', [], 'string'),
      m('Granularity', [], 'u64'),
      m('TotalSupply', [], 'amount'),
      { ...m('Balance', ['address'], 'amount'), bare: true },
      m('Transfer', ['address', 'amount', 'bytes'], '(amount,amount,bytes)'),
      m('TransferFrom', ['address', 'address', 'amount', 'bytes'], '(amount,amount,amount,bytes)'),
      m('IncreaseAllowance', ['address', 'amount'], 'amount'),
      m('DecreaseAllowance', ['address', 'amount'], 'amount'),
      m('RevokeAllowance', ['address']),
      m('Allowance', ['address', 'address'], 'amount'),
      m('Burn', ['amount'], '(amount)'),
      m('BurnFrom', ['address', 'amount'], '(amount,amount)'),
    ],
  },
  { name: 'FRC-46 receiver', methods: [m('Receive', ['u32', 'bytes'], 'bytes')] },
]

type Types = ReadonlyMap<string, readonly string[]>

/** Names of the standards that `methods` fulfil. */
export function findStandards(methods: readonly AbiMethod[], types: Types): string[] {
  return STANDARDS.filter((standard) =>
    standard.methods.every((wanted) => methods.some((method) => fits(method, wanted, types))),
  ).map((standard) => standard.name)
}

function fits(method: AbiMethod, wanted: StandardMethod, types: Types): boolean {
  return (
    method.name === wanted.name &&
    (method.encoding === 'bare') === (wanted.bare === true) &&
    method.params.map((param) => structure(formatType(parseField(param).type), types)).join() ===
      wanted.params.join() &&
    (method.returns === undefined ? '' : structure(method.returns, types)) === (wanted.returns ?? '')
  )
}

/** A type with the names of tuples written out. Recursive ones keep their name. */
function structure(text: string, types: Types, seen: readonly string[] = []): string {
  const type = parseType(text)
  let result = text
  for (const name of namesIn(type)) {
    const fields = types.get(name)
    if (!fields || seen.includes(name)) continue
    const inner = fields.map((field) => structure(formatType(parseField(field).type), types, [...seen, name]))
    result = result.replace(name, `(${inner.join()})`)
  }
  return result
}
