/** What every tier is asked for. */
import { expect } from 'vitest'
import { missingIn } from './required-coverage.ts'
import { type Campaign, explainFailure, runCampaign, type Tier } from './tiers.ts'

export const TIMEOUT_MS = 900_000

/** Runs the numbers; a failure shows the command that runs it again, and a smaller plan that fails alike. All that the tier is for must happen. */
export function expectNone(tier: Tier, numbers: readonly number[]): Campaign {
  const campaign = runCampaign(tier, numbers)
  expect(campaign.failures.map((failure) => explainFailure(tier, failure))).toEqual([])
  expect(campaign.runs).toBe(numbers.length)
  if (SHARE >= 1) expect(missingIn(tier, campaign.coverage)).toEqual([])
  return campaign
}

/** Below 1 where somebody wants an answer sooner: `TROUPE_SIMULATION_SHARE`. */
export const SHARE = Number(process.env['TROUPE_SIMULATION_SHARE'] ?? '1')

export function range(count: number, first = 0): number[] {
  const length = Math.ceil(count * SHARE)
  const stride = count > 900 ? Math.floor(count / length) : 1
  return Array.from({ length }, (_, i) => first + i * stride)
}

/** So many numbers below `end`, evenly spread, in no step with what they stand for. */
export function spread(count: number, end: number): number[] {
  const length = Math.ceil(count * SHARE)
  return Array.from({ length }, (_, i) => Math.floor(((i + 0.5) * end) / length))
}
