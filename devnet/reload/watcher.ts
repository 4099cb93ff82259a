/** Sees files change and says so once for a burst of saves. */
import { join, relative, sep } from 'node:path'
import { watch } from 'chokidar'
import type { Project } from './project.ts'

/** Editors write a file in several steps; they are one save. */
const SETTLE_MS = 15

export interface Watcher {
  close(): Promise<void>
}

/** Calls back with project-relative paths. Never while a call is under way: what changes meanwhile comes next. */
export function watchProject(
  project: Project,
  onChange: (paths: readonly string[]) => Promise<void>,
): Promise<Watcher> {
  const watcher = watch([project.actorsFolder, join(project.root, 'lib')], {
    ignoreInitial: true,
    ignored: (path) => path.includes(`${sep}node_modules${sep}`) || path.includes(`${sep}.troupe${sep}`),
  })
  const changed = new Set<string>()
  let isRunning = false
  let timer: NodeJS.Timeout | null = null
  const run = async (): Promise<void> => {
    timer = null
    if (isRunning || changed.size === 0) return
    isRunning = true
    const paths = [...changed]
    changed.clear()
    try {
      await onChange(paths)
    } finally {
      isRunning = false
      if (changed.size > 0) await run()
    }
  }
  watcher.on('all', (event, path) => {
    if (event === 'addDir' || event === 'unlinkDir' || !path.endsWith('.ts')) return
    changed.add(relative(project.root, path).split(sep).join('/'))
    if (timer !== null) clearTimeout(timer)
    timer = setTimeout(() => void run(), SETTLE_MS)
  })
  return new Promise((resolve) => watcher.once('ready', () => resolve({ close: () => watcher.close() })))
}
