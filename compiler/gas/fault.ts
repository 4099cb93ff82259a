/** Why a valid module cannot be instrumented. */

export type InstrumentCode =
  | 'STACK_UNDERFLOW'
  | 'BRANCH_ARITY'
  | 'NEGATIVE_LENGTH'
  | 'COST_OVERFLOW'
  | 'NO_FUNCTION_SECTION'
  | 'EXPRESSION_SEGMENT'
  | 'DATA_OFFSET'
  | 'INTERFACE_TYPES'
  | 'IMPORTED_GLOBAL'
  | 'TOO_MANY_FUNCTIONS'
  | 'TOO_MANY_LOCALS'
  | 'BODY_TOO_LARGE'

export interface InstrumentFault {
  readonly code: InstrumentCode
  readonly offset: number
}

/** The module is valid, but the reference's instrumentation refuses it. Offsets count bytes from the module's start. */
export class InstrumentError extends Error {
  override readonly name = 'InstrumentError'
  readonly fault: InstrumentFault
  constructor(code: InstrumentCode, offset: number) {
    super(`${code} at byte ${offset}`)
    this.fault = { code, offset }
  }
}
