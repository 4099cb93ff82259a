/**
 * Counted blocks → coverage of lines, branches and functions in the form of istanbul. A block belongs to the lines that
 * the source map names between its start and the next block's; a line of which only some blocks ran is a branch that was
 * not taken.
 *
 * @source spec sdk §9.4
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import istanbul, { type CoverageMap, type FileCoverageData } from 'istanbul-lib-coverage'
import { type CoverageFile, coverageFolder, type TwinFile, twinPath } from './build-files.ts'
import { openTwin, sourceName, type Twin } from './twin.ts'

/** One block inside one line. */
interface Part {
  readonly block: number
  readonly column: number
}

/** Adds what tests found out about actors to `map`, or to an empty one. */
export function mergeActorCoverage(map: unknown, builds: string): CoverageMap {
  const merged = istanbul.createCoverageMap({})
  if (map !== null && typeof map === 'object' && 'merge' in map) merged.merge(map as CoverageMap)
  for (const { place, hits } of readCounts(builds)) {
    const path = twinPath(place)
    if (!existsSync(path)) continue
    const twin = openTwin(JSON.parse(readFileSync(path, 'utf8')) as TwinFile, place)
    for (const file of fileCoverages(twin, hits)) merged.addFileCoverage(file)
  }
  return merged
}

/** By build, the sums over all test files. */
function readCounts(builds: string): CoverageFile[] {
  const folder = coverageFolder(builds)
  if (!existsSync(folder)) return []
  const sums = new Map<string, { place: CoverageFile['place']; hits: number[] }>()
  for (const name of readdirSync(folder)) {
    const { place, hits } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as CoverageFile
    const sum = sums.get(place.key)
    if (sum === undefined) sums.set(place.key, { place, hits: [...hits] })
    else for (const [block, count] of hits.entries()) sum.hits[block]! += count
  }
  return [...sums.values()]
}

/** File → line → its parts. */
type Lines = Map<string, Map<number, Part[]>>

function fileCoverages(twin: Twin, hits: readonly number[]): FileCoverageData[] {
  const lines = findLines(twin)
  const functions = findFunctions(twin)
  return [...lines].map(([path, parts]) => fileCoverage(join(twin.root, path), parts, functions.get(path) ?? [], hits))
}

/** Every place falls into a block. */
function findLines({ watched, places, bodies, place }: Twin): Lines {
  const lines: Lines = new Map()
  const starts = watched.blocks
  for (const { offset, source, line, column } of places) {
    const block = lastAtMost(starts, offset)
    if (block < 0 || lastAtMost(bodies, starts[block]!) !== lastAtMost(bodies, offset)) continue
    // What is seen of another actor here is the client that calls it.
    if (source.endsWith('.actor.ts') && source !== place.entry) continue
    const file = getOr(lines, source, () => new Map<number, Part[]>())
    const parts = getOr(file, line, () => [])
    if (!parts.some((part) => part.block === block)) parts.push({ block, column })
  }
  return lines
}

interface FunctionPart {
  readonly name: string
  readonly line: number
  readonly block: number
}

/** Functions that somebody wrote, by file: what the compiler made of generics is listed once for each type. */
function findFunctions({ watched, places, bodies, names, importCount }: Twin): Map<string, FunctionPart[]> {
  const functions = new Map<string, FunctionPart[]>()
  const first = new Map<number, { readonly source: string; readonly line: number }>()
  for (const { offset, source, line } of places) {
    const body = lastAtMost(bodies, offset)
    const known = first.get(body)
    if (known === undefined || (known.source === source && line < known.line)) first.set(body, { source, line })
  }
  for (const [body, start] of bodies.entries()) {
    const name = sourceName(names.get(body + importCount))
    const place = first.get(body)
    if (name === undefined || place === undefined) continue
    const block = firstAtLeast(watched.blocks, start)
    getOr(functions, place.source, () => []).push({ name, line: place.line, block })
  }
  return functions
}

function fileCoverage(
  path: string,
  lines: ReadonlyMap<number, readonly Part[]>,
  functions: readonly FunctionPart[],
  hits: readonly number[],
): FileCoverageData {
  const data: FileCoverageData = { path, statementMap: {}, fnMap: {}, branchMap: {}, s: {}, f: {}, b: {} }
  for (const [index, [line, parts]] of [...lines].sort(([a], [b]) => a - b).entries()) {
    const range = { start: { line, column: 0 }, end: { line, column: 1000 } }
    data.statementMap[index] = range
    data.s[index] = Math.max(...parts.map(({ block }) => hits[block] ?? 0))
    if (parts.length < 2) continue
    const locations = parts.map(({ column }) => ({ start: { line, column }, end: { line, column: column + 1 } }))
    data.branchMap[index] = { type: 'block', line, loc: range, locations }
    data.b[index] = parts.map(({ block }) => hits[block] ?? 0)
  }
  for (const [index, { name, line, block }] of functions.entries()) {
    const range = { start: { line, column: 0 }, end: { line, column: 1000 } }
    data.fnMap[index] = { name, line, decl: range, loc: range }
    data.f[index] = hits[block] ?? 0
  }
  return data
}

/** The index of the last of the ascending `numbers` that is at most `value`, −1 for none. */
function lastAtMost(numbers: readonly number[], value: number): number {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (numbers[middle]! <= value) low = middle + 1
    else high = middle
  }
  return low - 1
}

function firstAtLeast(numbers: readonly number[], value: number): number {
  return lastAtMost(numbers, value - 1) + 1
}

function getOr<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
