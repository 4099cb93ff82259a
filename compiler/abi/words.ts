/** What every rendering of an ABI needs: names in other cases, and which types an interface mentions. */
import type { Abi, AbiMethod } from './schema.ts'
import { namesIn, parseField, parseType } from './types.ts'

/** `TotalSupply` → `totalSupply`. */
export function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}

/** `totalSupply` → `TotalSupply`. */
export function upperFirst(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}

/** `TotalSupply` → `total_supply`. */
export function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
}

/** Methods that others call: all but the constructor. */
export function callable(abi: Abi): AbiMethod[] {
  return abi.methods.filter((method) => method.kind !== 'constructor')
}

/** Names of tuples and enums that `texts` mention, those they mention included, in order of the names. */
export function mentioned(abi: Abi, texts: readonly string[]): string[] {
  const names = new Set<string>()
  const visit = (text: string) => {
    for (const name of namesIn(parseType(text))) {
      if (names.has(name)) continue
      names.add(name)
      for (const field of abi.types[name] ?? []) visit(typeOf(field))
    }
  }
  texts.forEach(visit)
  return [...names].sort()
}

/** The types of a method's params and result. */
export function typesOf(method: AbiMethod): string[] {
  return [...method.params.map(typeOf), ...(method.returns === undefined ? [] : [method.returns])]
}

/** `name: T` → `T`. */
export function typeOf(field: string): string {
  return field.slice(field.indexOf(':') + 1).trim()
}

export function fieldName(field: string): string {
  return parseField(field).name
}
