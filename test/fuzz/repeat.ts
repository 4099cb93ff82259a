/** One script, run again and again in different circumstances. */
import { demand } from './target.ts'
import { coldStart, play, type Script } from './world.ts'

/** What came of `script`, which must be the same with modules compiled before, in a new machine, and with a trace. */
export function playRepeatedly(script: Script, warmRuns = 1): string {
  const warm = coldStart(script.networkVersion)
  const first = play(script, warm, false)
  for (let run = 0; run < warmRuns; run++) {
    const second = play(script, warm, false)
    demand(second === first, `modules compiled before give\n${second}\nand cold ones\n${first}`)
  }
  const again = play(script, coldStart(script.networkVersion), false)
  demand(again === first, `a new machine gives\n${again}\nthe first one\n${first}`)
  const traced = play(script, warm, true)
  demand(traced === first, `with a trace it is\n${traced}\nand without\n${first}`)
  return first
}
