/** Which names of a source mean something of the SDK. */
import { ImportStatement, type Source } from 'assemblyscript'
import { SDK_PATH } from './scope.ts'

export class SdkNames {
  private readonly originals = new Map<string, string>()

  constructor(source: Source) {
    for (const statement of source.statements) {
      if (!(statement instanceof ImportStatement) || !statement.internalPath.startsWith(SDK_PATH)) continue
      for (const { name, foreignName } of statement.declarations ?? []) this.originals.set(name.text, foreignName.text)
    }
  }

  /** Whether `local` is what the SDK calls `original`. */
  is(local: string, original: string): boolean {
    return this.originals.get(local) === original
  }

  has(local: string): boolean {
    return this.originals.has(local)
  }

  originalOf(local: string): string | undefined {
    return this.originals.get(local)
  }
}
