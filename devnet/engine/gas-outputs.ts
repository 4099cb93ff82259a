/**
 * Who pays, burns, and is refunded.
 *
 * @source ref-fvm `fvm/src/gas/outputs.rs`; spec fvm §3.6
 */

/** Gas in whole units, amounts in attoFIL. */
export interface GasOutputs {
  readonly baseFeeBurn: bigint
  readonly overEstimationBurn: bigint
  readonly penalty: bigint
  readonly minerTip: bigint
  readonly refund: bigint
  readonly gasRefund: bigint
  readonly gasBurned: bigint
}

export interface GasPayment {
  readonly used: bigint
  readonly limit: bigint
  readonly baseFee: bigint
  readonly feeCap: bigint
  readonly premium: bigint
}

export const NO_GAS_OUTPUTS: GasOutputs = {
  baseFeeBurn: 0n,
  overEstimationBurn: 0n,
  penalty: 0n,
  minerTip: 0n,
  refund: 0n,
  gasRefund: 0n,
  gasBurned: 0n,
}

/** The base fee is paid for gas used; the tip for the whole limit; a limit far above use is burnt. */
export function computeGasOutputs({ used, limit, baseFee, feeCap, premium }: GasPayment): GasOutputs {
  const paidFee = baseFee < feeCap ? baseFee : feeCap
  const baseFeeBurn = paidFee * used
  let penalty = baseFee > feeCap ? (baseFee - feeCap) * used : 0n
  const tipRate = paidFee + premium > feeCap ? feeCap - paidFee : premium
  const minerTip = tipRate * limit
  const { gasRefund, gasBurned } = overEstimation(used, limit)
  let overEstimationBurn = 0n
  if (gasBurned !== 0n) {
    overEstimationBurn = paidFee * gasBurned
    penalty += (baseFee - paidFee) * gasBurned
  }
  const refund = feeCap * limit - baseFeeBurn - minerTip - overEstimationBurn
  return { baseFeeBurn, overEstimationBurn, penalty, minerTip, refund, gasRefund, gasBurned }
}

function overEstimation(used: bigint, limit: bigint): { gasRefund: bigint; gasBurned: bigint } {
  if (used === 0n) return { gasRefund: 0n, gasBurned: limit }
  let over = limit - (used * 11n) / 10n
  if (over < 0n) over = 0n
  if (over > used) over = used
  const gasBurned = ((limit - used) * over) / used
  return { gasRefund: limit - used - gasBurned, gasBurned }
}
