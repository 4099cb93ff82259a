/** The part of istanbul-lib-coverage that we use; the package has no types of its own. */
declare module 'istanbul-lib-coverage' {
  export interface Location {
    readonly line: number
    readonly column: number
  }
  export interface Range {
    readonly start: Location
    readonly end: Location
  }
  export interface FileCoverageData {
    path: string
    statementMap: Record<number, Range>
    fnMap: Record<number, { name: string; line: number; decl: Range; loc: Range }>
    branchMap: Record<number, { type: string; line: number; loc: Range; locations: Range[] }>
    s: Record<number, number>
    f: Record<number, number>
    b: Record<number, number[]>
  }
  export interface Share {
    readonly total: number
    readonly covered: number
    readonly pct: number
  }
  export interface FileCoverage {
    readonly data: FileCoverageData
    getLineCoverage(): Record<string, number>
    getUncoveredLines(): string[]
    toSummary(): { readonly data: Record<'lines' | 'statements' | 'functions' | 'branches', Share> }
  }
  export interface CoverageMap {
    files(): string[]
    fileCoverageFor(path: string): FileCoverage
    addFileCoverage(file: FileCoverageData): void
    merge(other: CoverageMap): void
  }
  const library: { createCoverageMap(data: object): CoverageMap }
  export default library
}
