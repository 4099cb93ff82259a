/**
 * Stacks of gas as a file that https://www.speedscope.app opens; in its time order, what was spent first comes first.
 *
 * @source speedscope `src/lib/file-format-spec.ts`
 */
import { VERSION } from '../primitives/version.ts'
import type { Sample } from './call-tree.ts'

export function renderSpeedscope(title: string, samples: readonly Sample[]): string {
  const frames = new Map<string, number>()
  const indexOf = (name: string): number => {
    let index = frames.get(name)
    if (index === undefined) frames.set(name, (index = frames.size))
    return index
  }
  const stacks = samples.map(({ stack }) => stack.map(indexOf))
  const weights = samples.map(({ milligas }) => Number(milligas) / 1000)
  const endValue = Number(samples.reduce((sum, { milligas }) => sum + milligas, 0n)) / 1000
  return JSON.stringify({
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    exporter: `troupe ${VERSION}`,
    name: title,
    activeProfileIndex: 0,
    shared: { frames: [...frames.keys()].map((name) => ({ name })) },
    profiles: [{ type: 'sampled', name: title, unit: 'none', startValue: 0, endValue, samples: stacks, weights }],
  })
}
