/** Gas per method, over all tests of a file: what the table at the end of a run is made of. */

/** Set by `troupe test --gas`. */
export const GAS_VARIABLE = 'TROUPE_GAS'

/** Gas → how often it was used. */
type Usage = Map<string, Map<bigint, number>>

/** By method: pairs of gas and count, as text, so that they pass between processes. */
export type UsageReport = Readonly<Record<string, readonly (readonly [string, number])[]>>

/** Of the process, not of the module: the harness may be loaded twice, as source and as package. */
const USAGE = Symbol.for('troupe.test.gas')
const shared = globalThis as { [USAGE]?: Usage }

export function noteGas(label: string, gas: bigint): void {
  shared[USAGE] ??= new Map()
  let counts = shared[USAGE].get(label)
  if (counts === undefined) shared[USAGE].set(label, (counts = new Map()))
  counts.set(gas, (counts.get(gas) ?? 0) + 1)
}

/** What was noted since the last time, which is forgotten. */
export function takeGasUsage(): UsageReport {
  const usage = shared[USAGE] ?? new Map()
  delete shared[USAGE]
  return Object.fromEntries(
    [...usage].map(([label, counts]) => [label, [...counts].map(([gas, count]) => [gas.toString(), count] as const)]),
  )
}

export interface GasLine {
  readonly label: string
  readonly count: number
  readonly min: bigint
  readonly median: bigint
  readonly max: bigint
}

/** One line a method, by name. */
export function summarizeGas(reports: readonly UsageReport[]): GasLine[] {
  const merged = new Map<string, Map<bigint, number>>()
  for (const report of reports) {
    for (const [label, counts] of Object.entries(report)) {
      let known = merged.get(label)
      if (known === undefined) merged.set(label, (known = new Map()))
      for (const [gas, count] of counts) known.set(BigInt(gas), (known.get(BigInt(gas)) ?? 0) + count)
    }
  }
  return [...merged].map(([label, counts]) => summarize(label, counts)).sort((a, b) => (a.label < b.label ? -1 : 1))
}

function summarize(label: string, counts: ReadonlyMap<bigint, number>): GasLine {
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
  const count = sorted.reduce((sum, [, times]) => sum + times, 0)
  let seen = 0
  const median = sorted.find(([, times]) => (seen += times) * 2 >= count)![0]
  return { label, count, min: sorted[0]![0], median, max: sorted.at(-1)![0] }
}

/** The table, in columns: what every call of a method used. */
export function formatGasTable(lines: readonly GasLine[]): string {
  return formatColumns([
    ['method', 'calls', 'min', 'median', 'max'],
    ...lines.map(({ label, count, min, median, max }) => [label, String(count), ...[min, median, max].map(grouped)]),
  ])
}

/** The medians alone. */
export function formatGasSummary(lines: readonly GasLine[]): string {
  return formatColumns([['method', 'gas'], ...lines.map(({ label, median }) => [label, grouped(median)])])
}

function formatColumns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
    )
    .join('\n')
}

/** 858025 → 858,025. */
function grouped(gas: bigint): string {
  return gas.toString().replace(/\B(?=(\d{3})+$)/g, ',')
}
