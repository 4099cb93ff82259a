/** What every tier is asked for. */
import { expect } from 'vitest'
import { type Campaign, explainFailure, runCampaign, type Tier } from './tiers.ts'

export const TIMEOUT_MS = 900_000

/** Runs the numbers; a failure shows the command that runs it again, and a smaller plan that fails alike. */
export function expectNone(tier: Tier, numbers: readonly number[]): Campaign {
  const campaign = runCampaign(tier, numbers)
  expect(campaign.failures.map((failure) => explainFailure(tier, failure))).toEqual([])
  expect(campaign.runs).toBe(numbers.length)
  return campaign
}

/** Below 1 where somebody wants an answer sooner: `TROUPE_SIMULATION_SHARE`. */
export const SHARE = Number(process.env['TROUPE_SIMULATION_SHARE'] ?? '1')

export function range(count: number, first = 0, step = 1): number[] {
  const length = Math.ceil(count * SHARE)
  const stride = step > 1 || count > 900 ? Math.floor((count * step) / length) : step
  return Array.from({ length }, (_, i) => first + i * stride)
}
