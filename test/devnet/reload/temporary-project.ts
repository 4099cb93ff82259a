/** A project in a temporary folder, and the counter that most reload tests are about. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { openProject, type Project } from '../../../devnet/reload/project.ts'

export interface TemporaryProject {
  readonly project: Project
  write(path: string, text: string): void
  remove(path: string): void
  dispose(): void
}

export async function makeProject(files: Readonly<Record<string, string>>): Promise<TemporaryProject> {
  const root = mkdtempSync(join(tmpdir(), 'troupe-'))
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  write('package.json', '{"type":"module"}')
  mkdirSync(join(root, 'actors'))
  for (const [path, text] of Object.entries(files)) write(path, text)
  return {
    project: await openProject(root),
    write,
    remove: (path) => rmSync(join(root, path)),
    dispose: () => rmSync(root, { recursive: true, force: true }),
  }
}

export const COUNTER = 'actors/counter.actor.ts'

export interface CounterSource {
  readonly type?: string
  /** What `increment` adds. */
  readonly step?: string
  readonly actor?: string
  readonly before?: string
  readonly inside?: string
}

export function counterSource({
  type = 'u64',
  step = 'by',
  actor = 'Counter',
  before = '',
  inside = '',
}: CounterSource = {}) {
  return `import { actor, method, view } from 'troupe/actor'
${before}
@actor
export class ${actor} {
  count: ${type} = 0

  @method
  increment(by: ${type}): ${type} {
    this.count += ${step}
    return this.count
  }

  @view
  get(): ${type} {
    return this.count
  }
${inside}}
`
}
