/**
 * `troupe.config.ts`: every key optional. A typo is refused with the nearest key; a bad value with what was expected.
 */
import * as v from 'valibot'
import { SNAPSHOTS_SCHEMA, STATE_SYNC_SCHEMA } from './sync-settings.ts'

const integer = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max))
const bigInteger = v.union([
  v.bigint(),
  v.pipe(v.string(), v.regex(/^\d+$/)),
  v.pipe(v.number(), v.integer(), v.minValue(0)),
])

const schema = v.strictObject({
  /** Folder of the actors. */
  actors: v.optional(v.string()),
  port: v.optional(integer(0, 65535)),
  host: v.optional(v.string()),
  chainId: v.optional(integer(1, Number.MAX_SAFE_INTEGER)),
  mnemonic: v.optional(v.string()),
  accounts: v.optional(integer(1, 1000)),
  /** FIL of each account. */
  balance: v.optional(integer(0, 1_000_000_000)),
  /** attoFIL per gas of the first block. */
  baseFee: v.optional(bigInteger),
  profile: v.optional(v.picklist(['ipc', 'filecoin'])),
  consensus: v.optional(v.picklist(['bft', 'instant', 'cometbft'])),
  /** How many validators a new chain begins with. */
  validators: v.optional(integer(1, 64)),
  /** `full`: what is acknowledged survives the machine; `relaxed`: the death of the process only. */
  durability: v.optional(v.picklist(['full', 'relaxed'])),
  /** When each node makes a snapshot of its state for those that come late, and how many it keeps (every 1000 blocks, 2). */
  snapshots: v.optional(SNAPSHOTS_SCHEMA),
  /** Whether a validator that has nothing takes such a state in place of all blocks. */
  stateSync: v.optional(STATE_SYNC_SCHEMA),
  /** Seconds between blocks; a block per message when absent. */
  blockTime: v.optional(v.pipe(v.number(), v.minValue(0.001), v.maxValue(86_400))),
  /** Whether `troupe dev` runs the tests again after each reload. */
  tests: v.optional(v.boolean()),
  /** Folder of the state. */
  state: v.optional(v.string()),
  /** Constructor arguments of the actors that `troupe dev` deploys; `false` leaves one out. In the order of deployment. */
  deploy: v.optional(v.record(v.string(), v.union([v.literal(false), v.array(v.any())]))),
  /** CAR of built-in actors in place of Troupe's. */
  bundle: v.optional(v.string()),
  compiler: v.optional(
    v.strictObject({
      optimize: v.optional(v.picklist(['size', 'balanced', 'speed'])),
      sizeLimit: v.optional(integer(1, 100_000_000)),
      strict: v.optional(v.boolean()),
    }),
  ),
  networks: v.optional(v.record(v.string(), v.strictObject({ url: v.string() }))),
})

export type Config = v.InferInput<typeof schema>

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code = 'TRP-7101'
  /** Dotted path of the key. */
  readonly key: string
  readonly known: readonly string[]
  constructor(key: string, message: string, known: readonly string[]) {
    super(message)
    this.key = key
    this.known = known
  }
}

/** Gives `troupe.config.ts` its types. */
export function defineConfig(config: Config): Config {
  return config
}

/** @throws ConfigError at the first key that is wrong */
export function checkConfig(value: unknown): Config {
  const result = v.safeParse(schema, value)
  if (result.success) return result.output
  const [issue] = result.issues
  const key = v.getDotPath(issue) ?? ''
  const isUnknown = issue.expected === 'never'
  const known = knownBeside(key)
  const message = isUnknown
    ? `the config has no key ${JSON.stringify(key)}`
    : `${key === '' ? 'the config' : key} is ${issue.received}, but ${issue.expected ?? 'something else'} is expected`
  throw new ConfigError(key, message, known)
}

function knownBeside(key: string): readonly string[] {
  if (key.startsWith('compiler.')) return ['optimize', 'sizeLimit', 'strict']
  if (key.startsWith('snapshots.')) return Object.keys(SNAPSHOTS_SCHEMA.entries)
  if (key.startsWith('stateSync.')) return ['enable', 'trustHeight', 'trustHash', 'trustPeriod', 'discoveryTime']
  return Object.keys(schema.entries)
}
