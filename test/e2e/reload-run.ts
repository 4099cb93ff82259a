/** How long it takes from a save to the answer of the new code, with the real command and its watcher. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { COUNTER, counterSource } from '../devnet/reload/temporary-project.ts'
import { CliProcess, type makeFolder, request } from './cli-process.ts'

/** Of a counter: its number, and what `get` and `increment` are called on the wire. */
export interface LiveCounter {
  readonly id: string
  readonly methods: Readonly<Record<string, string>>
}

export async function findCounter(url: string): Promise<LiveCounter> {
  const actors = await request<{ name: string; id: string; abi: { methods: { name: string; number: number }[] } }[]>(
    url,
    'troupe_actors',
  )
  const { id, abi } = actors.find(({ name }) => name === 'Counter')!
  return { id, methods: Object.fromEntries(abi.methods.map(({ name, number }) => [name, String(number)])) }
}

/** What `get` answers, as hex. */
export async function getCount(url: string, { id, methods }: LiveCounter): Promise<string> {
  return (await request<{ return: string }>(url, 'troupe_call', { to: `t0${id}`, method: methods['Get'] })).return
}

/** `[1, 1, …]` grows by `step` at each call. */
export function increment(url: string, { id, methods }: LiveCounter): Promise<{ return: string }> {
  return request(url, 'troupe_send', { to: `t0${id}`, method: methods['Increment'], params: '0x8101' })
}

/** Milliseconds of each save. The counter's `get` answers the number of the save on top of its count. */
export async function measureReloads(folder: ReturnType<typeof makeFolder>, saves: number): Promise<number[]> {
  const path = join(folder.path, COUNTER)
  const source = (save: number) =>
    counterSource().replace('return this.count\n  }\n}', `return this.count + ${save}\n  }\n}`)
  folder.write(COUNTER, source(0))
  const dev = new CliProcess(['dev', '--json', '--port', '0'], { cwd: folder.path })
  const { url } = await dev.ready()
  const counter = await findCounter(url)
  await request(url, 'troupe_send', { to: `t0${counter.id}`, method: counter.methods['Increment'], params: '0x8118c8' })
  const times: number[] = []
  for (let save = 1; save <= saves; save++) {
    const from = dev.lines.length
    const started = performance.now()
    writeFileSync(path, source(save))
    await dev.line(({ kind }) => kind === 'upgraded', from)
    const answer = await getCount(url, counter)
    times.push(performance.now() - started)
    const expected =
      200 + save < 256 ? `0x18${(200 + save).toString(16)}` : `0x19${(200 + save).toString(16).padStart(4, '0')}`
    if (answer !== expected) throw new Error(`save ${save} answers ${answer}, not ${expected}`)
  }
  await dev.kill()
  return times
}
