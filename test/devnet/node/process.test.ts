import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { isProcessRunning, processStart } from '../../../devnet/node/process.ts'

test('this process runs, and began once', () => {
  expect(isProcessRunning(process.pid)).toBe(true)
  expect(processStart(process.pid)).toBe(processStart(process.pid))
})

test('a process that ended does not run', () => {
  const { pid } = spawnSync(process.execPath, ['--version'])
  expect(isProcessRunning(pid)).toBe(false)
  expect(processStart(pid)).toBeUndefined()
})

test.each([0, -1, 1.5, Number.NaN, 2 ** 31])('%s is no process', (pid) => expect(isProcessRunning(pid)).toBe(false))

test('two processes began at different times, where the system says', () => {
  const [mine, first] = [processStart(process.pid), processStart(process.ppid)]
  if (mine !== undefined && first !== undefined) expect(mine).not.toBe(first)
})
