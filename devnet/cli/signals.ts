/** Keys and the wish to stop, as they reach a long-running command in its thread. */

export type Signal = { readonly kind: 'stop' } | { readonly kind: 'key'; readonly key: string }

const listeners = new Set<(signal: Signal) => void>()
/** The wish to stop came while nobody listened, as during start-up: the first listener hears of it. */
let isStopWanted = false

export function deliver(signal: Signal): void {
  if (signal.kind === 'stop' && listeners.size === 0) isStopWanted = true
  for (const listener of listeners) listener(signal)
}

export function onSignal(listener: (signal: Signal) => void): () => void {
  listeners.add(listener)
  if (isStopWanted) queueMicrotask(() => listener({ kind: 'stop' }))
  return () => listeners.delete(listener)
}
