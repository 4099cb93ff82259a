/** Makes a plan that fails smaller, as long as the same promise is broken. */
import { InvariantBroken } from './invariants.ts'
import type { Plan } from './plan.ts'
import { runPlan } from './run.ts'

export interface Failure {
  readonly plan: Plan
  readonly invariant: string
  readonly message: string
}

/** What is wrong with a run; null for a good one. Other errors are thrown. */
export function failureOf(plan: Plan): Failure | null {
  try {
    runPlan(plan)
    return null
  } catch (error) {
    if (!(error instanceof InvariantBroken)) throw error
    return { plan, invariant: error.invariant, message: error.message }
  }
}

/** Tries so many smaller plans. */
export function shrink(failure: Failure, triesMax = 60): Failure {
  let best = failure
  let tries = 0
  for (let isSmaller = true; isSmaller && tries < triesMax; ) {
    isSmaller = false
    for (const plan of smallerPlans(best.plan)) {
      if (++tries > triesMax) break
      const found = failureOf(plan)
      if (found?.invariant !== best.invariant) continue
      best = found
      isSmaller = true
      break
    }
  }
  return best
}

function* smallerPlans(plan: Plan): Generator<Plan> {
  for (let i = 0; i < plan.faults.length; i++) yield { ...plan, faults: plan.faults.filter((_, at) => at !== i) }
  for (const key of plan.vices.keys()) {
    yield { ...plan, vices: new Map([...plan.vices].filter(([other]) => other !== key)) }
  }
  if (plan.heights > 2) yield { ...plan, heights: Math.ceil(plan.heights / 2) }
  if (plan.links.loss > 0) yield { ...plan, links: { ...plan.links, loss: 0 } }
  if (plan.links.tailChance > 0) yield { ...plan, links: { ...plan.links, tailChance: 0 } }
  if (plan.changesValidators) yield { ...plan, changesValidators: false }
  if (plan.spares > 0) yield { ...plan, spares: 0 }
  if (plan.crashPoint !== undefined) {
    const { crashPoint: _, ...uncrashed } = plan
    yield uncrashed
  }
  if (plan.joinMs !== null) yield { ...plan, joinMs: null }
  if (plan.clients !== 'all') yield { ...plan, clients: 'all' }
  if (plan.hasExtensions) yield { ...plan, hasExtensions: false }
  if (plan.isSlow) yield { ...plan, isSlow: false }
  if (plan.clockSpreadMs > 0) yield { ...plan, clockSpreadMs: 0 }
}
