/**
 * From a header that is trusted to the one of a height, over light blocks that somebody else has: in one jump where enough of the trusted
 * validators signed it, else by way of heights between; backwards by hashes.
 *
 * @source CometBFT v0.38.25 `light/client.go` (verifySkipping, backwards); spec consensus §3.9
 */
import { NIL_BLOCK_ID } from './block-id.ts'
import type { ChainState } from './chain-state.ts'
import { TRUST_LEVEL_DEFAULT, verifyCommitLight } from './commit.ts'
import { type Fault, fault, isFault } from './fault.ts'
import { headerHash } from './hash.ts'
import { type CheckedLightBlock, readLightBlock, verifyBackwards, verifyJump } from './light-client.ts'
import { type Duration, SECOND, type Time } from './time.ts'
import { setHash } from './validator-set.ts'
import type { Header, LightBlock } from './wire.ts'

/** A trusted header and who signs: its own validators, or those that come next. */
export interface LightRoot {
  readonly header: Header
  readonly validators: CheckedLightBlock['validators']
}

/** What somebody has of a height; null when it has nothing, or does not answer. */
export type LightSource = (height: bigint) => Promise<LightBlock | null>

export interface LightRules {
  readonly chainId: string
  readonly trustingPeriod: Duration
  readonly now: () => Time
}

export const CLOCK_DRIFT_MAX: Duration = 10n * SECOND
/** Light blocks of one walk: each jump halves what is left, unless validators change at every height. */
const STEPS_MAX = 10_000

/** A chain may be followed from its genesis, whose validators everybody knows, as long as they are trusted. */
export function genesisRoot({ chainId, initialHeight, lastTime, validators }: ChainState): LightRoot {
  return {
    validators,
    header: {
      version: { block: 0n, app: 0n },
      chainId,
      height: initialHeight - 1n,
      // The first block may have the genesis' time.
      time: lastTime - 1n,
      lastBlockId: NIL_BLOCK_ID,
      lastCommitHash: '',
      dataHash: '',
      validatorsHash: '',
      nextValidatorsHash: setHash(validators),
      consensusHash: '',
      appHash: '',
      lastResultsHash: '',
      evidenceHash: '',
      proposerAddress: '',
    },
  }
}

/** The light block of a height and hash that somebody vouched for elsewhere. */
export async function fetchRoot(
  { height, hash }: { readonly height: bigint; readonly hash: string },
  source: LightSource,
  { chainId }: LightRules,
): Promise<LightRoot | Fault> {
  const read = await fetchLight(height, source, chainId)
  if (isFault(read)) return read
  const { signed, validators } = read
  if (headerHash(signed.header) !== hash) return fault('invalid-header')
  const target = { chainId, height, blockId: signed.commit.blockId }
  const refused = verifyCommitLight(validators, target, signed.commit)
  return refused === null ? { header: signed.header, validators } : fault('invalid-header', refused)
}

/** The light block of `height`, verified from `root`. */
export function walkTo(
  height: bigint,
  root: LightRoot,
  source: LightSource,
  rules: LightRules,
): Promise<LightRoot | Fault> {
  return height < root.header.height ? walkBack(height, root, source, rules) : walkUp(height, root, source, rules)
}

async function walkUp(height: bigint, root: LightRoot, source: LightSource, rules: LightRules) {
  let trusted = root
  const ahead: CheckedLightBlock[] = []
  let wanted = height
  for (let steps = 0; trusted.header.height < height; steps++) {
    if (ahead.at(-1)?.signed.header.height !== wanted) {
      if (steps > STEPS_MAX) return fault('too-long')
      const read = await fetchLight(wanted, source, rules.chainId)
      if (isFault(read)) return read
      ahead.push(read)
    }
    const next = ahead.at(-1)!
    const { header } = next.signed
    const refused = verifyJump({
      trusted: { header: trusted.header, commit: next.signed.commit },
      trustedValidators: trusted.validators,
      untrusted: next.signed,
      untrustedValidators: next.validators,
      trustingPeriod: rules.trustingPeriod,
      now: rules.now(),
      maxClockDrift: CLOCK_DRIFT_MAX,
      trustLevel: TRUST_LEVEL_DEFAULT,
    })
    if (refused === null) {
      trusted = { header, validators: next.validators }
      ahead.pop()
      wanted = ahead.at(-1)?.signed.header.height ?? height
    } else if (refused.code === 'distrusted') wanted = (trusted.header.height + header.height) / 2n
    else return refused
  }
  return trusted
}

async function walkBack(height: bigint, root: LightRoot, source: LightSource, { chainId }: LightRules) {
  let trusted = root
  for (let steps = 0; trusted.header.height > height; steps++) {
    if (steps > STEPS_MAX) return fault('too-long')
    const read = await fetchLight(trusted.header.height - 1n, source, chainId)
    if (isFault(read)) return read
    const refused = verifyBackwards(read.signed.header, trusted.header)
    if (refused !== null) return refused
    trusted = { header: read.signed.header, validators: read.validators }
  }
  return trusted
}

async function fetchLight(height: bigint, source: LightSource, chainId: string): Promise<CheckedLightBlock | Fault> {
  const block = await source(height)
  if (block === null) return fault('unknown-height')
  const read = readLightBlock(block, chainId)
  if (isFault(read)) return read
  return read.signed.header.height === height ? read : fault('wrong-height')
}
