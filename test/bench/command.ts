/** How long the command lets people wait: start, save, crash. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { runCrashes } from '../devnet/node/crash-run.ts'
import { COUNTER, counterSource } from '../devnet/reload/temporary-project.ts'
import { CliProcess, makeFolder } from '../e2e/cli-process.ts'
import { measureReloads } from '../e2e/reload-run.ts'
import { quantile, report, timeOfAsync } from './report.ts'

export async function benchVersion(): Promise<void> {
  const times: number[] = []
  for (let run = 0; run < 11; run++) {
    times.push(await timeOfAsync(() => new CliProcess(['--version'], { cwd: '/' }).ended))
  }
  report('troupe --version', 'ms', times)
}

/** From the start of the process to the line that says so. */
export async function benchReady(): Promise<void> {
  const folder = makeFolder({ [COUNTER]: counterSource() })
  const start = async () => {
    const dev = new CliProcess(['dev', '--json', '--port', '0'], { cwd: folder.path })
    const ms = await timeOfAsync(() => dev.ready())
    await dev.kill()
    return ms
  }
  const [cold, warm]: number[][] = [[], []]
  for (let run = 0; run < 3; run++) {
    rmSync(join(folder.path, '.troupe'), { recursive: true, force: true })
    cold!.push(await start())
  }
  for (let run = 0; run < 7; run++) warm!.push(await start())
  report('dev ready, cold', 'ms', cold!)
  report('dev ready, warm', 'ms', warm!)
  folder.dispose()
}

export async function benchReload(): Promise<void> {
  const folder = makeFolder({})
  const times = await measureReloads(folder, 50)
  report('save to new code answering, state kept, p50 of 50', 'ms', times)
  report('save to new code answering, state kept, p95 of 50', 'ms', [quantile(times, 0.95)])
  folder.dispose()
}

export async function benchCrash(): Promise<void> {
  const folder = makeFolder({})
  const { kills, acknowledged, lost, doubled, inconsistent, restartMs } = await runCrashes({
    kills: 20,
    messages: 1000,
    seed: 1,
    folder: folder.path,
  })
  report(`kill -9 ${kills} times, ${acknowledged} messages acknowledged: lost, doubled, out of order`, 'messages', [
    lost + doubled + inconsistent,
  ])
  report(`ready after kill -9`, 'ms', restartMs.slice(1))
  folder.dispose()
}
