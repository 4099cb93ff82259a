/** Puts random questions to the genuine library and to us, and counts where we differ. One JSON line. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { Dice } from './comet-dice.ts'
import { judge } from './comet-judge.ts'
import { makeQuestion, type Question } from './comet-questions.ts'

const { values } = parseArgs({
  options: { seed: { type: 'string' }, count: { type: 'string', default: '10000' }, verbose: { type: 'boolean' } },
})
const [seed, count] = [Number(values.seed), Number(values.count)]
if (!Number.isSafeInteger(seed) || !(count > 0)) throw new RangeError('--seed n [--count n]')
const oracle = process.env['TROUPE_COMET_ORACLE']
if (oracle === undefined) throw new Error('TROUPE_COMET_ORACLE names no file: build comet-oracle, then point there')

interface OracleAnswer {
  readonly ok: boolean
  readonly error?: { readonly class: string; readonly cause?: string; readonly text: string }
  readonly [fact: string]: unknown
}

const child = spawn(oracle, ['check'], { stdio: ['pipe', 'pipe', 'inherit'] })
const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
const totals = { seed, count, accepted: 0, refused: 0, disagreements: 0 }
const kinds: Record<string, number> = {}
const CHUNK = 200

for (let from = 0; from < count; from += CHUNK) {
  // Each question has dice of its own, so that one can be asked again alone.
  const questions = Array.from({ length: Math.min(CHUNK, count - from) }, (_, i) =>
    makeQuestion(new Dice(Math.imul(seed, 0x9e3779b1) + from + i)),
  )
  const lines = questions.map((question) => `${JSON.stringify(question)}\n`).join('')
  if (!child.stdin.write(lines)) await once(child.stdin, 'drain')
  for (const [i, question] of questions.entries()) {
    const { value } = await answers.next()
    compare(from + i, question, JSON.parse(value as string) as OracleAnswer)
  }
}
child.stdin.end()
process.stdout.write(`${JSON.stringify({ ...totals, kinds })}\n`)
process.exitCode = totals.disagreements === 0 ? 0 : 1

function compare(index: number, question: Question, answer: OracleAnswer): void {
  const { fault, facts } = judge(question)
  const isAccepted = fault === null
  totals[isAccepted ? 'accepted' : 'refused']++
  const name = `${question.kind}: ${question.name}`
  kinds[name] = (kinds[name] ?? 0) + 1
  const differences: string[] = []
  if (isAccepted !== answer.ok) differences.push('verdict')
  // The library has no name for some faults, and gives up (panics) at others.
  // It names decoders' errors after the field, which may sound like another rule.
  const named = answer.error?.text.startsWith('proto: ') === true ? 'malformed' : answer.error?.class
  const hasName = named !== undefined && named !== 'other' && named !== 'panic'
  if (fault !== null && hasName && named !== fault.code) differences.push('class')
  const cause = answer.error?.cause
  if (fault !== null && cause !== undefined && cause !== 'other' && cause !== fault.cause?.code)
    differences.push('cause')
  for (const [fact, ours] of Object.entries(facts)) {
    const theirs = answer[fact]
    if (theirs !== undefined && JSON.stringify(theirs) !== JSON.stringify(ours)) differences.push(fact)
  }
  if (differences.length === 0) return
  totals.disagreements++
  process.stderr.write(`${JSON.stringify({ seed, index, differences, ours: { fault, facts }, theirs: answer })}\n`)
  if (values.verbose === true) process.stderr.write(`${JSON.stringify(question)}\n`)
}
