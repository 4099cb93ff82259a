/**
 * AssemblyScript's code generator, changed in one point: how a release module aborts. The standard library's messages and
 * file names would cost more than the actors around them, so only the author's own literal messages stay.
 */
import { Compiler, type Expression, type Node, type Program, StringLiteralExpression } from 'assemblyscript'
import { isUserSource } from './scope.ts'

type ExpressionRef = ReturnType<Compiler['makeAbort']>

/** The SDK's function behind `abort` in a release module: message address, message length. */
const ON_ASSERT = '~lib/troupe/actor/abort/onAssert'

/** `throw` statements behind a call that does not return: only there so that asc knows the flow ends. */
const unreachableThrows = new WeakSet<Node>()

export function markUnreachable(statement: Node): void {
  unreachableThrows.add(statement)
}

export class ActorCompiler extends Compiler {
  private readonly isRelease: boolean

  constructor(program: Program, mode: 'release' | 'debug') {
    super(program)
    this.isRelease = mode === 'release'
  }

  override makeAbort(message: Expression | null, location: Node): ExpressionRef {
    if (unreachableThrows.has(location)) return this.module.unreachable()
    if (!this.isRelease) return super.makeAbort(message, location)
    const text = message instanceof StringLiteralExpression && isUserSource(location.range.source) ? message.value : ''
    return this.makeSilentAbort(text)
  }

  override makeStaticAbort(message: ExpressionRef, location: Node): ExpressionRef {
    return this.isRelease ? this.makeSilentAbort('') : super.makeStaticAbort(message, location)
  }

  private makeSilentAbort(text: string): ExpressionRef {
    const { module } = this
    const prototype = this.program.elementsByName.get(ON_ASSERT)
    const instance =
      prototype && 'resolvedThisType' in prototype === false
        ? this.resolver.resolveFunction(prototype as Parameters<typeof this.resolver.resolveFunction>[0], null)
        : null
    if (!instance || !this.compileFunction(instance)) return module.unreachable()
    const bytes = new TextEncoder().encode(text)
    const offset = bytes.length ? this.addAlignedMemorySegment(bytes, 1).offset : null
    const address = offset ? (offset as unknown as { low: number }).low : 0
    const call = module.call(instance.internalName, [module.i32(address), module.i32(bytes.length)], 0)
    return module.block(null, [call, module.unreachable()], UNREACHABLE)
  }
}

/** Binaryen's type of code that does not come back. */
const UNREACHABLE = 1
