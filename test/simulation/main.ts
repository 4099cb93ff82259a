/**
 * `npm run simulate -- <tier> [first] [count]`: runs a tier's numbers and says what was found. `deep-tiers [name…]` runs what `deep.ts` has.
 */
import { DEEP_TIERS } from './deep.ts'
import { missingIn } from './required-coverage.ts'
import { explainFailure, runCampaign, TIERS, type Tier } from './tiers.ts'

const [tier = 'mixed', first = '1', count = '1'] = process.argv.slice(2)
if (tier === 'deep-tiers') {
  const names = process.argv.slice(3)
  let findings = 0
  for (const { name, run } of DEEP_TIERS) if (names.length === 0 || names.includes(name)) findings += run()
  process.exit(findings === 0 ? 0 : 1)
}
if (!(tier in TIERS)) {
  console.log(`no tier ${tier}; there are ${Object.keys(TIERS).join(', ')}, and deep-tiers`)
  process.exit(2)
}
const began = process.hrtime.bigint()
const numbers = Array.from({ length: Number(count) }, (_, i) => Number(first) + i)
const { runs, events, forks, failures, coverage, results } = runCampaign(tier as Tier, numbers)
const seconds = Number(process.hrtime.bigint() - began) / 1e9
for (const failure of failures) console.log(explainFailure(tier as Tier, failure))
if (runs === 1) console.log(results[0]?.logHash, `height ${results[0]?.height}`)
console.log(
  [...coverage]
    .sort()
    .map(([name, times]) => `${name}: ${times}`)
    .join('\n'),
)
if (runs >= 100) {
  const missing = missingIn(tier as Tier, coverage)
  if (missing.length > 0) console.log(`never: ${missing.join(', ')}`)
}
const rate = Math.round(events / seconds)
console.log(
  `${runs} runs, ${failures.length} failures, ${forks} forks, ${events} events, ${seconds.toFixed(1)} s, ${rate} events/s`,
)
process.exitCode = failures.length === 0 ? 0 : 1
