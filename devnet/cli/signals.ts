/** Keys and the wish to stop, as they reach a long-running command in its thread. */

export type Signal = { readonly kind: 'stop' } | { readonly kind: 'key'; readonly key: string }

const listeners = new Set<(signal: Signal) => void>()

export function deliver(signal: Signal): void {
  for (const listener of listeners) listener(signal)
}

export function onSignal(listener: (signal: Signal) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
