/**
 * What can be computed now is not computed on chain: method numbers, amounts, messages as UTF-8. And what has to be a
 * statement becomes one: `fail` ends the flow, `emit` calls the event's own code, `log` leaves no trace in a release.
 */
import {
  CallExpression,
  type Expression,
  ExpressionStatement,
  IdentifierExpression,
  IntegerLiteralExpression,
  PropertyAccessExpression,
  type Range,
  type Source,
  type Statement,
  ThrowStatement,
} from 'assemblyscript'
import { isMethodName, methodNumber } from '../abi/method-number.ts'
import { markUnreachable } from './actor-compiler.ts'
import { dataOf, importGlue, SDK } from './codec.ts'
import { stringOf } from './decorators.ts'
import type { Report } from './report.ts'
import type { Mode } from './sdk.ts'
import type { SdkNames } from './sdk-names.ts'
import { parseBody, parseExpression, parseStatements, walk } from './snippet.ts'

const FIL_PLACES = 18
const U64 = 1n << 64n

export function foldSource(source: Source, names: SdkNames, mode: Mode, report: Report): void {
  importGlue({ source })
  for (const statement of source.statements) {
    walk(statement, (node, replace) => {
      if (node instanceof ExpressionStatement && node.expression instanceof CallExpression) {
        const folded = foldStatement(node.expression, names, mode)
        if (folded) replace(folded)
        return false
      }
      if (node instanceof CallExpression) {
        const folded = foldCall(node, names, report)
        if (folded) replace(folded)
      }
      return false
    })
  }
}

function calleeOf(call: CallExpression, names: SdkNames): string {
  const { expression } = call
  if (expression instanceof IdentifierExpression) return names.originalOf(expression.text) ?? ''
  if (
    expression instanceof PropertyAccessExpression &&
    expression.expression instanceof IdentifierExpression &&
    names.is(expression.expression.text, 'TokenAmount')
  ) {
    return `TokenAmount.${expression.property.text}`
  }
  return ''
}

function foldStatement(call: CallExpression, names: SdkNames, mode: Mode): Statement | undefined {
  switch (calleeOf(call, names)) {
    case 'fail': {
      const [code, message] = call.args
      if (!code) return undefined
      const text = message ? stringOf(message) : ''
      const body = text === undefined ? `${SDK}.fail(0, '')` : `${SDK}.exitWith(0, ${dataOf(text)}, ${utf8Size(text)})`
      const [block] = parseBody(`{ ${body}; throw 0 }`, call.range)
      if (!block) return undefined
      walk(block, (node) => {
        if (node instanceof ThrowStatement) markUnreachable(node)
        if (!(node instanceof CallExpression) || node.args.length < 2) return false
        node.args[0] = checkedCode(code, call.range)
        if (text === undefined && message) node.args[1] = message
        return true
      })
      return block
    }
    case 'log':
      return mode === 'release' ? parseStatements(';', call.range)[0] : undefined
    default:
      return undefined
  }
}

function foldCall(call: CallExpression, names: SdkNames, report: Report): Expression | undefined {
  const { args, range } = call
  const first = args[0]
  const literal = first && stringOf(first)
  switch (calleeOf(call, names)) {
    case 'frc42':
      if (!first) return undefined
      if (literal === undefined) report.add(1008, first.range)
      else if (!isMethodName(literal)) report.add(3002, first.range, literal)
      else return parseExpression(`<u64>${methodNumber(literal)}`, range)
      return undefined
    case 'fil':
      return literal === undefined ? undefined : foldAmount(literal, FIL_PLACES, range)
    case 'TokenAmount.atto':
      return literal === undefined ? undefined : foldAmount(literal, 0, range)
    case 'require':
      return foldRequire(call)
    case 'emit': {
      if (!first || args.length !== 1) return undefined
      const emit = parseExpression('x.__emit()', range) as CallExpression
      const access = emit.expression as PropertyAccessExpression
      access.expression = first
      access.property.range = first.range
      return emit
    }
    default:
      return undefined
  }
}

function foldRequire(call: CallExpression): Expression | undefined {
  const [condition, message, code] = call.args
  const text = message && stringOf(message)
  if (!condition || text === undefined) return undefined
  const folded = parseExpression(
    `${SDK}.requireLiteral(0, ${dataOf(text)}, ${utf8Size(text)}, 16)`,
    call.range,
  ) as CallExpression
  folded.args[0] = condition
  if (code) folded.args[3] = checkedCode(code, call.range)
  return folded
}

/** A code that is only known at run time may be the system's, as from a `Result`: it becomes 24. */
function checkedCode(code: Expression, range: Range): Expression {
  if (code instanceof IntegerLiteralExpression || (code instanceof PropertyAccessExpression && isConstantName(code))) {
    return code
  }
  const call = parseExpression(`${SDK}.ownCode(0)`, range) as CallExpression
  call.args[0] = code
  return call
}

/** `ExitCode.Forbidden`, `Err.Closed`: both names begin with a capital. */
function isConstantName(code: PropertyAccessExpression): boolean {
  return (
    code.expression instanceof IdentifierExpression &&
    /^[A-Z]/.test(code.expression.text) &&
    /^[A-Z]/.test(code.property.text)
  )
}

function foldAmount(text: string, places: number, range: Range): Expression | undefined {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text)
  const fraction = match?.[2] ?? ''
  if (!match || fraction.length > places) return undefined
  const value = BigInt((match[1] ?? '') + fraction.padEnd(places, '0'))
  if (value >= U64 * U64) return undefined
  return parseExpression(`new ${SDK}.TokenAmount(${value % U64}, ${value / U64})`, range)
}

function utf8Size(text: string): number {
  return new TextEncoder().encode(text).length
}
