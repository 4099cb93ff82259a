/** Faults of links as JSON: what `troupe_addFault` takes and `troupe_faults` gives. */
import type { LinkFault } from '../../node/link-faults.ts'
import { asObject, asText, invalid } from '../convert.ts'

const DELAY_MAX_MS = 600_000

/** `nodes` are names of validators that there are. */
export function asFault(value: unknown, names: readonly string[]): LinkFault {
  const fault = asObject(value, 'the fault')
  const nodesOf = (list: unknown, what: string): string[] => {
    if (!Array.isArray(list)) throw invalid(`${what} is no list of validators`)
    return list.map((name) => {
      const text = asText(name, 'a validator')
      if (!names.includes(text)) throw invalid(`there is no validator ${text}; there are ${names.join(', ')}`)
      return text
    })
  }
  const nodes = nodesOf(fault['nodes'] ?? [], 'nodes')
  const some = (): string[] => {
    if (nodes.length === 0) throw invalid('name at least one validator')
    return nodes
  }
  switch (fault['kind']) {
    case 'latency':
      return {
        kind: 'latency',
        ms: asNumber(fault['ms'], 'ms', DELAY_MAX_MS),
        jitterMs: asNumber(fault['jitterMs'] ?? 0, 'jitterMs', DELAY_MAX_MS),
        nodes,
      }
    case 'loss':
      return { kind: 'loss', share: asNumber(fault['share'], 'the share', 1), nodes }
    case 'partition': {
      const { groups } = fault
      if (!Array.isArray(groups) || groups.length === 0) throw invalid('groups is no list of groups')
      return { kind: 'partition', groups: groups.map((group) => nodesOf(group, 'a group')) }
    }
    case 'stop':
      return { kind: 'stop', nodes: some() }
    case 'byzantine':
      return { kind: 'byzantine', nodes: some() }
    default:
      throw invalid(`there is no fault ${JSON.stringify(fault['kind'])}; latency, loss, partition, stop or byzantine`)
  }
}

function asNumber(value: unknown, what: string, most: number): number {
  if (typeof value !== 'number' || !(value >= 0) || value > most)
    throw invalid(`${what} is no number from 0 to ${most}`)
  return value
}
