/**
 * Hosts without containers: network namespaces of Linux, each with an address of its own, on two switches that are bridges in a
 * namespace too. Nothing outside of these namespaces is touched. A cable can be pulled, and a host can be carried to the other switch.
 *
 * Needs root, `ip` of iproute2, and a kernel that has veth and bridge; shaping needs `tc` and netem.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const ASKER = fileURLToPath(new URL('./asker.mjs', import.meta.url))
const SWITCHES = ['left', 'right'] as const

export class NamespaceHosts {
  readonly #run: string
  readonly #names: string[] = []
  readonly #askers = new Map<number, Asker>()

  /** `run` tells the namespaces of this run from those of others on the machine. */
  private constructor(run: string) {
    this.#run = run
  }

  /** Makes `count` hosts on the first switch. What was made is unmade when the rest fails. */
  static make(count: number, run: string): NamespaceHosts {
    const hosts = new NamespaceHosts(run)
    try {
      hosts.#makeSwitches()
      for (let index = 0; index < count; index++) hosts.#makeHost(index)
      return hosts
    } catch (error) {
      hosts.close()
      throw error
    }
  }

  #makeSwitches(): void {
    this.#addNamespace(this.#switches)
    for (const bridge of SWITCHES) {
      ip('-n', this.#switches, 'link', 'add', 'name', bridge, 'type', 'bridge')
      ip('-n', this.#switches, 'link', 'set', bridge, 'up')
    }
  }

  #makeHost(index: number): void {
    const name = this.name(index)
    this.#addNamespace(name)
    ip('-n', name, 'link', 'set', 'lo', 'up')
    ip('-n', name, 'link', 'add', 'name', 'eth0', 'type', 'veth', 'peer', 'name', `p${index}`, 'netns', this.#switches)
    ip('-n', name, 'addr', 'add', `${this.address(index)}/24`, 'dev', 'eth0')
    ip('-n', name, 'link', 'set', 'eth0', 'up')
    this.plug(index)
    this.carry(index, 'left')
  }

  #addNamespace(name: string): void {
    ip('netns', 'add', name)
    this.#names.push(name)
  }

  get #switches(): string {
    return `troupe-${this.#run}-switch`
  }

  name(index: number): string {
    return `troupe-${this.#run}-${index}`
  }

  address(index: number): string {
    return `10.99.0.${index + 1}`
  }

  /** What runs a command on the host. */
  through(index: number): readonly string[] {
    return ['ip', 'netns', 'exec', this.name(index)]
  }

  /** Pulls the host's cable out of its switch. */
  unplug(index: number): void {
    ip('-n', this.#switches, 'link', 'set', `p${index}`, 'down')
  }

  plug(index: number): void {
    ip('-n', this.#switches, 'link', 'set', `p${index}`, 'up')
  }

  /** Hosts on different switches do not hear each other. */
  carry(index: number, to: (typeof SWITCHES)[number]): void {
    ip('-n', this.#switches, 'link', 'set', `p${index}`, 'master', to)
  }

  /** All that the host sends is late and partly lost. @throws when the kernel has no netem */
  shape(index: number, { delayMs, jitterMs, lossPercent }: Shape): void {
    const words = ['delay', `${delayMs}ms`, `${jitterMs}ms`, 'loss', `${lossPercent}%`]
    order('tc', ['-n', this.name(index), 'qdisc', 'add', 'dev', 'eth0', 'root', 'netem', ...words])
  }

  /** Posts a body from the host, and answers what came back. */
  ask(index: number, url: string, body: string): Promise<string> {
    let asker = this.#askers.get(index)
    if (asker === undefined) this.#askers.set(index, (asker = new Asker(this.through(index))))
    return asker.ask(url, body)
  }

  /** Takes all of it away. Whoever ran in a namespace must have ended. */
  close(): void {
    for (const asker of this.#askers.values()) asker.end()
    this.#askers.clear()
    const left = this.#names.splice(0).filter((name) => spawnSync('ip', ['netns', 'del', name]).status !== 0)
    if (left.length > 0) throw new Error(`these namespaces are left: ${left.join(', ')}`)
  }
}

export interface Shape {
  readonly delayMs: number
  readonly jitterMs: number
  readonly lossPercent: number
}

/** A process on a host that asks for the test. */
class Asker {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve: (text: string) => void; reject: (error: Error) => void }>()
  #last = 0

  constructor([program, ...words]: readonly string[]) {
    this.#child = spawn(program!, [...words, process.execPath, ASKER], { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      const { id, text, error } = JSON.parse(line) as { id: number; text?: string; error?: string }
      const { resolve, reject } = this.#waiting.get(id)!
      this.#waiting.delete(id)
      if (text === undefined) reject(new Error(error))
      else resolve(text)
    })
    this.#child.once('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the host is gone'))
      this.#waiting.clear()
    })
  }

  ask(url: string, body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const id = ++this.#last
      this.#waiting.set(id, { resolve, reject })
      this.#child.stdin!.write(`${JSON.stringify({ id, url, body })}\n`)
    })
  }

  end(): void {
    this.#child.kill('SIGKILL')
  }
}

/** Null when hosts can be made here; else why not. Found by making one. */
export function whyNoHosts(run: string): string | null {
  if (process.platform !== 'linux') return 'network namespaces are of Linux'
  try {
    NamespaceHosts.make(1, run).close()
    return null
  } catch (error) {
    return (error as Error).message
  }
}

/** Null when links can be made slow and lossy here; else why not. */
export function whyNoShaping(run: string): string | null {
  let hosts: NamespaceHosts | undefined
  try {
    hosts = NamespaceHosts.make(1, run)
    hosts.shape(0, { delayMs: 1, jitterMs: 0, lossPercent: 1 })
    return null
  } catch (error) {
    return (error as Error).message
  } finally {
    hosts?.close()
  }
}

function ip(...words: readonly string[]): void {
  order('ip', words)
}

/** @throws with what the program says when it fails, or is not there */
function order(program: string, words: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, words, { encoding: 'utf8' })
  if (error !== undefined) throw new Error(`${program} cannot be run: ${error.message}`)
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr.trim()}`)
}
