/**
 * What things cost, in milligas. A list is data; the functions below turn it into charges.
 *
 * @source ref-fvm `fvm/src/gas/price_list.rs`; spec fvm §7
 */

/** `flat + perUnit × n`. */
export interface Scaling {
  readonly flat: number
  readonly perUnit: number
}

/** Aggregate seals of one proof type: `perProof × k` and the cost of the last step that starts at or below k. */
export interface AggregateSealPrice {
  readonly perProof: number
  readonly steps: readonly (readonly [start: number, cost: number])[]
}

export interface PriceList {
  readonly name: 'HYGGE' | 'WATERMELON' | 'TEEP'
  readonly onChainMessage: Scaling
  readonly onChainReturnPerByte: number
  readonly syscall: number
  readonly valueTransfer: number
  readonly methodInvocation: number
  readonly actorLookup: number
  readonly actorUpdate: number
  readonly createActor: number
  readonly createActorWithAddress: number
  readonly linkTracked: number
  readonly linkChecked: number
  readonly scanPerField: number
  readonly scanPerCid: number
  readonly blockOpenBase: number
  readonly blockLink: Scaling
  readonly blockCopyPerByte: number
  readonly blockAllocatePerByte: number
  readonly blockRetentionPerByte: number
  readonly secpVerify: Scaling
  readonly blsVerify: Scaling
  readonly secpRecover: number
  readonly blsPairing: number
  readonly blsHashPerByte: number
  readonly hashPerByte: {
    readonly sha256: number
    readonly blake2b: number
    readonly keccak: number
    readonly ripemd: number
  }
  readonly unsealedSectorCid: number
  readonly verifySeal: number
  readonly verifyReplicaUpdate: number
  readonly verifyPost: Scaling
  readonly verifyConsensusFault: number
  /** Draws and tipset CIDs by how far back their epoch lies; the V4 line. */
  readonly lookback: Scaling
  /** Draws by the bytes that are hashed; the V3 line. */
  readonly draw: Scaling
  /** Tipset CIDs: the parent's, and any older; the V3 line. */
  readonly tipset: { readonly parent: number; readonly older: number }
  readonly aggregateSeals: ReadonlyMap<bigint, AggregateSealPrice>
  readonly event: {
    readonly flat: number
    readonly perEntry: number
    readonly utf8Flat: number
    readonly utf8PerByte: number
  }
  /** Events as encoded bytes: to decode one, and to keep it; the V3 line. */
  readonly encodedEvent: { readonly validate: Scaling; readonly accept: Scaling }
  readonly memoryPerByte: number
  readonly tablePerElement: number
}

const GAS = 1000

const steps = (...pairs: readonly (readonly [number, number])[]) =>
  pairs.map(([start, cost]) => [start, cost * GAS] as const)

const SEAL_32_GIB: AggregateSealPrice = {
  perProof: 449900 * GAS,
  steps: steps(
    [4, 103994170],
    [7, 112356810],
    [13, 122912610],
    [26, 137559930],
    [52, 162039100],
    [103, 210960780],
    [205, 318351180],
    [410, 528274980],
  ),
}
const SEAL_64_GIB: AggregateSealPrice = {
  perProof: 359272 * GAS,
  steps: steps(
    [4, 102581240],
    [7, 110803030],
    [13, 120803700],
    [26, 134642130],
    [52, 157357890],
    [103, 203017690],
    [205, 304253590],
    [410, 509880640],
  ),
}
const NI_SEAL_32_GIB: AggregateSealPrice = {
  perProof: 44990 * 126 * GAS,
  steps: steps(
    [1, 112356810],
    [2, 122912610],
    [3, 137559930],
    [5, 162039100],
    [9, 210960780],
    [17, 318351180],
    [33, 528274980],
  ),
}
const NI_SEAL_64_GIB: AggregateSealPrice = {
  perProof: 35928 * 126 * GAS,
  steps: steps(
    [1, 110803030],
    [2, 120803700],
    [3, 134642130],
    [5, 157357890],
    [9, 203017690],
    [17, 304253590],
    [33, 509880640],
  ),
}

/** Network versions 18–20. */
export const HYGGE: PriceList = {
  name: 'HYGGE',
  onChainMessage: { flat: (38863 + 36 * 1300 + 475000) * GAS, perUnit: 1300 * GAS },
  onChainReturnPerByte: 1300 * GAS,
  syscall: 14000 * GAS,
  valueTransfer: 6000 * GAS,
  methodInvocation: 75000 * GAS,
  actorLookup: 500000 * GAS,
  actorUpdate: 475000 * GAS,
  createActor: 650000 * GAS,
  createActorWithAddress: (650000 + 1000000 + 1050000) * GAS,
  linkTracked: 0,
  linkChecked: 0,
  scanPerField: 0,
  scanPerCid: 0,
  blockOpenBase: 187440 * GAS,
  blockLink: { flat: (334000 + 172000) * GAS, perUnit: 3340 * GAS + 10 * GAS + 2400 },
  blockCopyPerByte: 400,
  blockAllocatePerByte: 2 * GAS,
  blockRetentionPerByte: 10 * GAS,
  secpVerify: { flat: 1637292 * GAS, perUnit: 10 * GAS },
  blsVerify: { flat: 16598605 * GAS, perUnit: 26 * GAS },
  secpRecover: 1637292 * GAS,
  blsPairing: 8299302 * GAS,
  blsHashPerByte: 7 * GAS,
  hashPerByte: { sha256: 7 * GAS, blake2b: 10 * GAS, keccak: 33 * GAS, ripemd: 35 * GAS },
  unsealedSectorCid: 98647 * GAS,
  verifySeal: 2000 * GAS,
  verifyReplicaUpdate: 36316136 * GAS,
  verifyPost: { flat: 117680921 * GAS, perUnit: 43780 * GAS },
  verifyConsensusFault: 516422 * GAS,
  lookback: { flat: 0, perUnit: 0 },
  draw: { flat: 21000 * GAS, perUnit: 10 * GAS },
  tipset: { parent: 50000 * GAS, older: 215000 * GAS },
  aggregateSeals: new Map([
    [8n, SEAL_32_GIB],
    [9n, SEAL_64_GIB],
  ]),
  event: { flat: 2000 * GAS, perEntry: 1400 * GAS, utf8Flat: 500 * GAS, utf8PerByte: 16 * GAS },
  encodedEvent: {
    validate: { flat: 1750 * GAS, perUnit: 27_400 },
    accept: { flat: 12 * 15_200, perUnit: 15_200 },
  },
  memoryPerByte: 400,
  tablePerElement: 8 * 400,
}

/** Network versions 21–24: links are followed and paid for. */
export const WATERMELON: PriceList = {
  ...HYGGE,
  name: 'WATERMELON',
  linkTracked: 300 * GAS,
  linkChecked: 300 * GAS,
  scanPerField: 35 * GAS,
  scanPerCid: 400 * GAS,
  blockOpenBase: (187440 + 300) * GAS,
  blockLink: { flat: (334000 + 172000 + 300) * GAS, perUnit: 3340 * GAS + 10 * GAS + 2400 },
  lookback: { flat: (5800 * 19 + 15000 + 21000) * GAS, perUnit: 75 * GAS },
}

/** Network versions 25 and later. */
export const TEEP: PriceList = {
  ...WATERMELON,
  name: 'TEEP',
  verifySeal: 42_000_000 * GAS,
  aggregateSeals: new Map([
    [8n, SEAL_32_GIB],
    [9n, SEAL_64_GIB],
    [18n, NI_SEAL_32_GIB],
    [19n, NI_SEAL_64_GIB],
  ]),
}

/** Cost of aggregating `count` seals; an unlisted type costs what 32 GiB costs. */
export function aggregateSealsPrice(prices: PriceList, sealType: bigint, count: number): number {
  const price = prices.aggregateSeals.get(sealType) ?? SEAL_32_GIB
  let step = 0
  for (const [start, cost] of price.steps) if (start <= count) step = cost
  return price.perProof * count + step
}

/** Opening or creating a block: its bytes and links, or the price of keeping it, whichever is more. */
export function blockPrice(prices: PriceList, size: number, links: number, perLink: number): number {
  const work = (prices.blockCopyPerByte + prices.blockAllocatePerByte) * size + perLink * links
  return Math.max(work, prices.blockRetentionPerByte * size)
}

/** One event, before any of it is looked at. */
export function eventPrice(prices: PriceList, entries: number, keyBytes: number, valueBytes: number): number {
  const estimate = 12 + 9 * entries + keyBytes + valueBytes
  const { flat, perEntry, utf8Flat, utf8PerByte } = prices.event
  return 17_200 * estimate + perEntry * entries + flat + utf8PerByte * keyBytes + utf8Flat
}
