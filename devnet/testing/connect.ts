/**
 * The harness over a devnet that runs: the same actors, handles and matchers, with `await` before what answers later.
 *
 * ```ts
 * const net = await connect()                       // the `troupe dev` of this project
 * const counter = await net.deploy(Counter, 5n)
 * expect(await counter.increment(3n)).toBe(8n)
 * await expect(() => counter.with({ value: 1n }).increment(1n)).toExit(26)
 * ```
 *
 * @source spec sdk §9.1
 */
import { findRunningAbove } from '../reload/running.ts'
import type { Connection } from './connection.ts'

export type { Connection } from './connection.ts'

/** There is no devnet where one was looked for, or it cannot do what was asked. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  readonly code: 'TRP-7604' | 'TRP-7605' | 'TRP-7606' | 'TRP-7607'
  constructor(code: ConnectionError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

const USUAL_URL = 'http://127.0.0.1:8545'

/**
 * Connects to the devnet at `url`; without one, to that of the environment's TROUPE_URL, else to the `troupe dev` or
 * `troupe node` of this project, else to the usual port. @throws ConnectionError
 */
export async function connect(url?: string): Promise<Connection> {
  const found = url ?? (process.env['TROUPE_URL'] || undefined) ?? findRunningAbove(process.cwd())?.url ?? USUAL_URL
  // Loaded when it is wanted: most tests run in a world of their own.
  const { openConnection } = await import('./connection.ts')
  return openConnection(found)
}
