/** One line on a terminal's stderr that says what is being waited for; nothing where nobody looks. */
import { isatty } from 'node:tty'
import type { Input } from './command.ts'
import { paint } from './output.ts'

/** Work shorter than this passes in silence. */
const QUIET_MS = 500

export interface Progress {
  /** What happens now. Work that keeps the thread busy shows its own name only if time was up before it began. */
  say(text: string): void
  /** Says it at once: for work known to be slow, during which no timer runs. */
  sayNow(text: string): void
  end(): void
}

const SILENT: Progress = { say() {}, sayNow() {}, end() {} }

export function startProgress(input: Input): Progress {
  if (!isatty(2) || input.isJson || input.flags['quiet'] === true) return SILENT
  let text = ''
  let isShown = false
  const show = () => {
    isShown = true
    process.stderr.write(`\r\u001b[K${paint('dim', `… ${text}`)}`)
  }
  const timer = setTimeout(show, QUIET_MS)
  timer.unref()
  return {
    say(next) {
      text = next
      if (isShown) show()
    },
    sayNow(next) {
      text = next
      show()
    },
    end() {
      clearTimeout(timer)
      if (isShown) process.stderr.write('\r\u001b[K')
      isShown = false
    },
  }
}

/** Runs `work` with a line that appears when it takes long. */
export async function withProgress<T>(input: Input, text: string, work: () => Promise<T>): Promise<T> {
  const progress = startProgress(input)
  progress.say(text)
  try {
    return await work()
  } finally {
    progress.end()
  }
}
