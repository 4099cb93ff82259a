/** What to do about frequent messages of AssemblyScript, and which of them are really ours. */
import type { TroupeCode } from '../catalogue.ts'

export interface Hint {
  readonly fix?: string
  /** The entry that replaces the message. */
  readonly code?: TroupeCode
  readonly names?: readonly string[]
}

interface Rule {
  /** asc's number; null for any. */
  readonly number: number | null
  readonly pattern: RegExp
  readonly hint: (match: RegExpExecArray, place: Place) => Hint
}

/** The span a message is about, and the text before it. */
export interface Place {
  readonly span: string
  readonly before: string
}

const fix = (text: string) => (): Hint => ({ fix: text })

/** What lacks its type: a parameter, a result or a field. */
function missingType(_: RegExpExecArray, { span, before }: Place): Hint {
  const result = /([\w$]+)\s*\([^()]*\)\s*$/.exec(before)
  if (!span.trim() && result) return { code: 3009, names: [result[1] ?? ''] }
  if (!/^[\w$]+$/.test(span)) return {}
  return /[(,]\s*$/.test(before) ? { code: 3007, names: [span, 'needs a type'] } : { code: 2001, names: [span] }
}

const RULES: readonly Rule[] = [
  { number: 1110, pattern: /Type expected/, hint: missingType },
  { number: 2339, pattern: /^Property '__emit' does not exist/, hint: () => ({ code: 4003 }) },
  {
    number: 2339,
    pattern: /^Property '(\w+)' does not exist on type '(?:.*\/)?(\w+)__Client'/,
    hint: (m) => ({ code: 5002, names: [m[2] ?? '', m[1] ?? ''] }),
  },
  {
    number: null,
    pattern: /^Feature '([\w-]+)' is not enabled/,
    hint: (m) => ({ code: 6003, names: [m[1] ?? ''] }),
  },
  {
    number: null,
    pattern: /Not implemented: Exceptions/,
    hint: fix('there is no `try`: use the `try…` form of a call, which answers a `Result`'),
  },
  {
    number: null,
    pattern: /Not implemented: Closures/,
    hint: fix('closures do not exist: pass what is needed as a parameter, or use a loop'),
  },
  {
    number: null,
    pattern: /Not implemented: .*[Ss]pread/,
    hint: fix('spread does not exist: copy element by element'),
  },
  {
    number: null,
    pattern: /Not implemented: (Iterators|.*for.?of)/i,
    hint: fix('write `for (let i = 0; i < list.length; i++)`'),
  },
  {
    number: null,
    pattern: /Not implemented: .*(union|Union)/,
    hint: fix('only `T | null` exists: use a class with a flag'),
  },
  {
    number: null,
    pattern: /Cannot find name 'undefined'/,
    hint: fix('`undefined` does not exist: use `null` with `T | null`, or a flag'),
  },
  { number: null, pattern: /Cannot find name 'number'/, hint: fix('say which number: `u64`, `i32`, `u8` …') },
  {
    number: null,
    pattern: /Cannot find name 'any'|Cannot find name 'unknown'/,
    hint: fix('every type is known at compile time: name it, or make the function generic'),
  },
  { number: null, pattern: /Cannot find name 'bigint'/, hint: fix('use `u64`, `i64`, `TokenAmount` or `U256`') },
  {
    number: null,
    pattern: /Type '([iu]\d+|bool|\w*size)' is not assignable to type '~lib\/string\/String/,
    hint: fix('write `.toString()`; text costs about 700 bytes'),
  },
  {
    number: null,
    pattern: /Type '.*' is not assignable to type '.*token\/TokenAmount'/,
    hint: fix("write `TokenAmount.from(n)` or `fil('1.5')`"),
  },
  {
    number: null,
    pattern: /Operator '.+' cannot be applied to types '.*TokenAmount' and '(?:[iu]\d+)'/,
    hint: fix("compare amounts with amounts: `TokenAmount.from(n)`, `fil('1.5')`, `TokenAmount.zero`"),
  },
  {
    number: null,
    pattern: /Conversion from type '(\w+)' to '(\w+)' requires an explicit cast/,
    hint: (m) => ({ fix: `write \`<${m[2]}>value\`, and think about values that do not fit` }),
  },
  {
    number: null,
    pattern: /Object is possibly 'null'/,
    hint: fix('keep it in a local and test it: `const x = this.x; if (x) …`'),
  },
  {
    number: null,
    pattern: /has no initializer and is not assigned in the constructor/,
    hint: fix('give it an initial value, or assign it in the constructor'),
  },
  {
    number: null,
    pattern: /File '~lib\/troupe\/(.*)\.ts' not found/,
    hint: fix('the SDK has `troupe/actor` and `troupe/actor/frc46`'),
  },
  {
    number: null,
    pattern: /Expression must be a compile-time constant/,
    hint: fix('use a literal or a `const` of literals'),
  },
]

/** What we know about a message of asc. */
export function hintFor(number: number, message: string, place: Place): Hint | undefined {
  for (const rule of RULES) {
    if (rule.number !== null && rule.number !== number) continue
    const match = rule.pattern.exec(message)
    if (match) return rule.hint(match, place)
  }
  return undefined
}
