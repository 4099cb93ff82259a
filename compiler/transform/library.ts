/** Makes an actor of a file of functions, so that tests call them as they call methods. */
import {
  type ClassDeclaration,
  FunctionDeclaration,
  type MethodDeclaration,
  NamedTypeNode,
  type Source,
} from 'assemblyscript'
import { FLAG_EXPORT } from './asc.ts'
import { parseMembers, parseStatements, startOf } from './snippet.ts'

/** Appends to the source an actor with a static view for each exported function: `gcd` is called `Gcd`. */
export function wrapLibrary(source: Source): void {
  const name = libraryName(source.normalizedPath)
  const [library] = parseStatements(`@actor export class ${name} {}`, startOf(source)) as [ClassDeclaration]
  for (const statement of source.statements) {
    if (!(statement instanceof FunctionDeclaration) || !statement.is(FLAG_EXPORT)) continue
    if (statement.typeParameters?.length) continue
    const { parameters, returnType } = statement.signature
    const own = statement.name.text
    const args = parameters.map((parameter) => parameter.name.text).join(', ')
    const isVoid = returnType instanceof NamedTypeNode && returnType.name.identifier.text === 'void'
    const [method] = parseMembers(
      `@view static ${own}(): void { ${isVoid ? '' : 'return '}${own}(${args}) }`,
      statement.name.range,
    ) as [MethodDeclaration]
    method.signature.parameters = parameters
    method.signature.returnType = returnType
    library.members.push(method)
  }
  source.statements.push(library)
}

/** `lib/fixed-point.lib.ts` → `FixedPoint`. */
function libraryName(path: string): string {
  const base = path.split('/').at(-1)?.split('.')[0] ?? ''
  return base.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase()) || 'Library'
}
