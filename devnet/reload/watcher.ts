/** Sees files change and says so once for a burst of saves. */
import { type Dirent, readdirSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { watch } from 'chokidar'
import type { Project } from './project.ts'

/** Editors write a file in several steps; they are one save. */
const SETTLE_MS = 15
/** A file that is empty is being written, unless it stays so for this many times as long. */
const EMPTY_LOOKS = 20
/** chokidar swallows changes of a file for 50 ms after one that it told. Later than that, what was told is looked at again. */
const SWALLOWED_MS = 60
/** When chokidar is ready, the system may not watch yet. Until it surely does, the folders are looked at. */
const FIRST_LOOKS_MS = [60, 400]

export interface Watcher {
  /** Sources outside of the folders that are watched anyway, relative to the project. */
  follow(paths: Iterable<string>): void
  close(): Promise<void>
}

/** Calls back with project-relative paths. Never while a call is under way: what changes meanwhile comes next. */
export function watchProject(
  project: Project,
  onChange: (paths: readonly string[]) => Promise<void>,
): Promise<Watcher> {
  const folders = [project.actorsFolder, join(project.root, 'lib')]
  const watcher = watch(folders, {
    ignoreInitial: true,
    ignored: (path) => path.includes(`${sep}node_modules${sep}`) || path.includes(`${sep}.troupe${sep}`),
  })
  const changed = new Set<string>()
  const before = marksIn(project, folders)
  const followed = new Set<string>()
  let isRunning = false
  let isClosed = false
  let timer: NodeJS.Timeout | null = null

  const settle = (looks = 0): void => {
    if (timer !== null) clearTimeout(timer)
    timer = setTimeout(() => {
      timer = null
      const isBeingWritten = looks < EMPTY_LOOKS && [...changed].some((path) => isEmpty(join(project.root, path)))
      if (isBeingWritten) settle(looks + 1)
      else void run()
    }, SETTLE_MS)
  }
  const run = async (): Promise<void> => {
    if (isRunning || isClosed || changed.size === 0) return
    isRunning = true
    const seen = new Map([...changed].map((path) => [path, markOf(join(project.root, path))]))
    changed.clear()
    for (const [path, mark] of seen) before.set(path, mark)
    await onChange([...seen.keys()]).finally(() => (isRunning = false))
    setTimeout(() => lookAgain(seen), SWALLOWED_MS).unref()
    if (changed.size > 0) settle()
  }
  const lookFirst = (): void => {
    const now = marksIn(project, folders)
    for (const [path, mark] of now) if (before.get(path) !== mark) changed.add(path)
    for (const [path, mark] of before) if (!now.has(path) && mark !== 'gone') changed.add(path)
    before.clear()
    for (const [path, mark] of now) before.set(path, mark)
    if (changed.size > 0 && timer === null && !isRunning) settle()
  }
  const lookAgain = (seen: ReadonlyMap<string, string>): void => {
    for (const [path, mark] of seen) if (markOf(join(project.root, path)) !== mark) changed.add(path)
    if (changed.size > 0 && timer === null && !isRunning) settle()
  }
  watcher.on('all', (event, path) => {
    if (event === 'addDir' || event === 'unlinkDir' || !path.endsWith('.ts')) return
    changed.add(relative(project.root, path).split(sep).join('/'))
    settle()
  })
  const handle: Watcher = {
    follow(paths) {
      const fresh = [...paths].map((path) => join(project.root, path)).filter((path) => !followed.has(path))
      const outside = fresh.filter((path) => !folders.some((folder) => path.startsWith(folder + sep)))
      for (const path of fresh) followed.add(path)
      if (outside.length > 0) watcher.add(outside)
    },
    close() {
      isClosed = true
      if (timer !== null) clearTimeout(timer)
      return watcher.close()
    },
  }
  return new Promise((resolve) => {
    watcher.once('ready', () => {
      for (const ms of FIRST_LOOKS_MS) setTimeout(lookFirst, ms).unref()
      resolve(handle)
    })
  })
}

/** Of every source in the folders, by its path in the project. */
function marksIn(project: Project, folders: readonly string[]): Map<string, string> {
  const marks = new Map<string, string>()
  const walk = (folder: string): void => {
    for (const entry of listFolder(folder)) {
      const path = join(folder, entry.name)
      if (entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.')) walk(path)
      else if (entry.isFile() && path.endsWith('.ts'))
        marks.set(relative(project.root, path).split(sep).join('/'), markOf(path))
    }
  }
  for (const folder of folders) walk(folder)
  return marks
}

function listFolder(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}

/** Changes when the file does. */
function markOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? 'gone' : `${stat.mtimeNs} ${stat.size} ${stat.ino}`
}

function isEmpty(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.size === 0
}
