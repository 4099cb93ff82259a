import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Watcher, watchProject } from '../../../devnet/reload/watcher.ts'
import { makeProject, type TemporaryProject } from './temporary-project.ts'

let files: TemporaryProject
let watcher: Watcher
/** What the callback was told, and how to hold it up. */
let told: (readonly string[])[]
let isBusy: Promise<void> | null
let onTold: () => void

beforeEach(async () => {
  files = await makeProject({ 'actors/a.actor.ts': '1', 'shared/s.ts': '1' })
  told = []
  isBusy = null
  onTold = () => {}
  watcher = await watchProject(files.project, async (paths) => {
    told.push(paths)
    onTold()
    await isBusy
  })
})

afterEach(async () => {
  await watcher.close()
  files.dispose()
})

/** Resolves with the next call that is made after `change`. */
function toldAfter(change: () => void): Promise<readonly string[]> {
  return new Promise((resolve) => {
    onTold = () => resolve(told.at(-1)!)
    change()
  })
}

describe('the watcher', () => {
  test('tells of changed, new and deleted sources', async () => {
    expect(await toldAfter(() => files.write('actors/a.actor.ts', '2'))).toEqual(['actors/a.actor.ts'])
    expect(await toldAfter(() => files.write('actors/deep/b.lib.ts', '1'))).toEqual(['actors/deep/b.lib.ts'])
    expect(await toldAfter(() => files.remove('actors/a.actor.ts'))).toEqual(['actors/a.actor.ts'])
  })

  test('tells of what is not a source never, and of a burst once', async () => {
    const paths = await toldAfter(() => {
      files.write('actors/notes.txt', '1')
      for (const name of ['c', 'd', 'e']) files.write(`actors/${name}.actor.ts`, '1')
    })
    expect([...paths].sort()).toEqual(['actors/c.actor.ts', 'actors/d.actor.ts', 'actors/e.actor.ts'])
  })

  test('keeps a change for later while the one before is worked on', async () => {
    let release = () => {}
    isBusy = new Promise((resolve) => (release = resolve))
    await toldAfter(() => files.write('actors/a.actor.ts', '22'))
    files.write('actors/a.actor.ts', '333')
    isBusy = null
    expect(told.length).toBe(1)
    expect(await toldAfter(release)).toEqual(['actors/a.actor.ts'])
  })

  test('waits for a file that is being written, and not for ever', async () => {
    const path = join(files.project.root, 'actors/a.actor.ts')
    await toldAfter(() => {
      files.write('actors/a.actor.ts', '')
      setTimeout(() => files.write('actors/a.actor.ts', '4'), 150)
    })
    expect(readFileSync(path, 'utf8')).toBe('4')
    expect(await toldAfter(() => files.write('actors/a.actor.ts', ''))).toEqual(['actors/a.actor.ts'])
  })

  test('follows a file outside of its folders when asked to', async () => {
    watcher.follow(['shared/s.ts', 'actors/a.actor.ts'])
    const write = () => files.write('shared/s.ts', String(Math.random()))
    const timer = setInterval(write, 50)
    expect(await toldAfter(write)).toEqual(['shared/s.ts'])
    clearInterval(timer)
  })
})
