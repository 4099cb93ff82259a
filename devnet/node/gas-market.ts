/**
 * The base fee of the next block, as IPC's gas market actor computes it.
 *
 * @source spec ipc §7.6
 */

export const GAS_MARKET = {
  blockGasLimit: 10_000_000_000n,
  minimalBaseFee: 100n,
  elasticity: 2n,
  denominator: 8n,
} as const

/** Faithful to the actor: the floor only applies where the decrease would reach the fee itself, so idle chains sink to 7. */
export function nextBaseFee(baseFee: bigint, gasUsed: bigint): bigint {
  const target = GAS_MARKET.blockGasLimit / GAS_MARKET.elasticity
  if (gasUsed === target) return baseFee
  if (gasUsed < target) {
    const decrease = (baseFee * (target - gasUsed)) / target / GAS_MARKET.denominator
    return decrease >= baseFee ? GAS_MARKET.minimalBaseFee : baseFee - decrease
  }
  const increase = (baseFee * (gasUsed - target)) / target / GAS_MARKET.denominator
  return baseFee + (increase > 0n ? increase : 1n)
}
