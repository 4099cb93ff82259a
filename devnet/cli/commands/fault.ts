/** `troupe fault`: a bad network between the validators of a running devnet, on purpose. */
import type { ActiveFault, LinkFault } from '../../node/link-faults.ts'
import type { Command, Input } from '../command.ts'
import { textFlag } from '../command.ts'
import { openNetwork } from '../network.ts'
import { type Answer, CliError, Exit, table } from '../output.ts'
import { needVerb } from '../verbs.ts'

export const fault: Command = {
  name: 'fault',
  usage: 'fault add <latency|loss|partition|stop|byzantine> […] | fault list | fault clear [id]',
  about:
    'add latency 50ms, add loss 10%: of all links, or those of --nodes. add partition v0,v1 v2,v3: groups that do not hear each other. ' +
    'add stop v3: it says and hears nothing. add byzantine v3: it signs two votes. clear: ends one fault, or all.',
  example: 'troupe fault add partition v0,v1 v2,v3\ntroupe fault clear',
  flags: {
    nodes: { type: 'string', value: 'v0,v1', about: 'whose links (all)' },
    jitter: { type: 'string', value: 'ms', about: 'how far a latency varies (0)' },
  },
  run,
}

const VERBS = ['add', 'list', 'clear'] as const

async function run(input: Input): Promise<Answer> {
  const [word, ...rest] = input.words
  const verb = needVerb(word ?? 'list', VERBS, fault)
  const request = verb === 'add' ? readFault(input, rest) : null
  const network = await openNetwork(input)
  if (request !== null) {
    const id = await network.request<number>('troupe_addFault', request)
    return { data: { id, fault: request }, text: `fault ${id}: ${describe(request)}` }
  }
  if (verb === 'clear') {
    const id = rest[0] === undefined ? null : Number(rest[0])
    await network.request('troupe_clearFaults', id)
    return { data: { cleared: id ?? 'all' }, text: id === null ? 'all links are good' : `fault ${id} is over` }
  }
  const faults = await network.request<ActiveFault[]>('troupe_faults')
  const rows = faults.map(({ id, fault: active }) => [String(id), describe(active)])
  return { data: { faults }, text: rows.length === 0 ? 'no faults' : table(rows) }
}

function readFault(input: Input, [kind, ...words]: readonly string[]): LinkFault {
  const nodes = split(textFlag(input, 'nodes') ?? '')
  switch (kind) {
    case 'latency':
      return {
        kind,
        ms: readNumber(words[0], 'ms'),
        jitterMs: readNumber(textFlag(input, 'jitter') ?? '0', 'ms'),
        nodes,
      }
    case 'loss':
      return { kind, share: readNumber(words[0], '%') / 100, nodes }
    case 'partition':
      return { kind, groups: words.map(split) }
    case 'stop':
    case 'byzantine':
      return { kind, nodes: words.flatMap(split) }
    default:
      throw new CliError('TRP-7002', Exit.Usage, `there is no fault ${JSON.stringify(kind ?? '')}`, {
        fix: 'latency, loss, partition, stop or byzantine',
      })
  }
}

function split(text: string): string[] {
  return text.split(',').filter((name) => name !== '')
}

function readNumber(text: string | undefined, unit: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|%)?$/.exec(text ?? '')
  if (match === null || (match[2] !== undefined && match[2] !== unit)) {
    throw new CliError('TRP-7002', Exit.Usage, `${JSON.stringify(text ?? '')} is no number of ${unit}`, {
      fix: unit === 'ms' ? 'such as 50ms' : 'such as 10%',
    })
  }
  return Number(match[1])
}

function describe(active: LinkFault): string {
  const whose = 'nodes' in active && active.nodes.length > 0 ? ` ${active.nodes.join(', ')}` : ''
  switch (active.kind) {
    case 'latency':
      return `latency ${active.ms} ms${active.jitterMs > 0 ? ` ± ${active.jitterMs}` : ''}${whose}`
    case 'loss':
      return `loss ${active.share * 100} %${whose}`
    case 'partition':
      return `partition ${active.groups.map((group) => group.join(',')).join(' | ')}`
    case 'stop':
      return `stop${whose}`
    case 'byzantine':
      return `byzantine${whose}`
  }
}
