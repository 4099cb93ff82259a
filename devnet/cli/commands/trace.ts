/** `troupe trace <cid|last>`: what a message did, call by call, and where its gas went. */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fromHex } from '../../primitives/bytes.ts'
import { decodeParams, decodeReturn } from '../../rpc/abi-codec.ts'
import type { Receipt } from '../../rpc/client.ts'
import { formatFil } from '../../state/token.ts'
import { exitName } from '../../testing/actor-error.ts'
import {
  buildTree,
  type Cost,
  callsIn,
  type Frame,
  ownOf,
  type Step,
  sampleStacks,
  sumCharges,
  sumSyscalls,
  type TraceJson,
  totalOf,
} from '../call-tree.ts'
import { type Command, countFlag, type Input, textFlag } from '../command.ts'
import { renderFlamegraph } from '../flamegraph.ts'
import { type Book, openBook, openNetwork } from '../network.ts'
import { type Answer, CliError, Exit, table } from '../output.ts'
import { withProgress } from '../progress.ts'
import { formatValue, grouped, methodName, nameEvents } from '../receipts.ts'
import { renderSpeedscope } from '../speedscope.ts'

export const trace: Command = {
  name: 'trace',
  usage: 'trace [cid|last] [-v…-vvvvv] [--flamegraph out.svg] [--speedscope out.json]',
  about:
    'Runs a message of the chain again, from the state that it had, and prints its tree of calls with gas per syscall. ' +
    '-v adds gas per charge, -vv what each call spent, logs and notes, -vvv every syscall in order, -vvvv every charge, -vvvvv blocks and bytes.',
  example: 'troupe trace last --flamegraph gas.svg',
  flags: {
    flamegraph: { type: 'string', value: 'out.svg', about: 'write a picture of where the gas went' },
    speedscope: { type: 'string', value: 'out.json', about: 'write a profile for speedscope.app' },
    verbose: { type: 'boolean', short: 'v', multiple: true, about: 'more detail; up to five times' },
  },
  run,
}

interface TraceAnswer extends Receipt {
  readonly height: number
  readonly index: number
  readonly message: { readonly from: string; readonly to: string; readonly method: string } | null
  readonly trace: readonly TraceJson[]
}

async function run(input: Input): Promise<Answer> {
  const network = await openNetwork(input)
  const word = input.words[0] ?? 'last'
  const [book, answer] = await withProgress(input, 'running the message again', async () => [
    await openBook(network),
    await network.request<TraceAnswer>('troupe_trace', word),
  ])
  const { exitCode, gasUsed, height, index, note, message, failures, events } = answer
  const steps = buildTree(answer.trace)
  const files = writeProfiles(input, steps, book, word)
  const syscalls = sumSyscalls(steps)
  const charges = sumCharges(steps)
  const data = {
    height,
    index,
    message,
    exitCode,
    exitName: exitName(exitCode, errorsOf(book, steps)),
    gasUsed,
    note,
    failures,
    events: nameEvents(events, book),
    tree: callsIn(steps).map((frame) => describeFrame(frame, book)),
    syscalls: syscalls.map(costJson),
    charges: charges.map(costJson),
    ...files,
  }
  return { data, text: render(answer, steps, book, countFlag(input, 'verbose'), files) }
}

function errorsOf(book: Book, steps: readonly Step[]) {
  const id = callsIn(steps)[0]?.id
  return id == null ? undefined : book.actorOf(id)?.abi.errors
}

function costJson({ name, count, milligas }: Cost) {
  return { name, count, gas: gasDecimal(milligas) }
}

/** Milligas as gas with its decimals: 26214.4. */
function gasDecimal(milligas: bigint): string {
  const fraction = (milligas % 1000n).toString().padStart(3, '0').replace(/0+$/, '')
  return `${milligas / 1000n}${fraction === '' ? '' : `.${fraction}`}`
}

function gasWhole(milligas: bigint): string {
  return grouped((milligas + 999n) / 1000n)
}

// --- files -------------------------------------------------------------------------------------------------------

function writeProfiles(input: Input, steps: readonly Step[], book: Book, word: string) {
  const [flamegraph, speedscope] = [textFlag(input, 'flamegraph'), textFlag(input, 'speedscope')]
  if (flamegraph === undefined && speedscope === undefined) return {}
  const first = callsIn(steps)[0]
  const title = first === undefined ? word : nameCall(first, book)
  const samples = sampleStacks(steps, (frame) => nameCall(frame, book))
  if (flamegraph !== undefined) write(input, flamegraph, renderFlamegraph(title, samples))
  if (speedscope !== undefined) write(input, speedscope, renderSpeedscope(title, samples))
  return { ...(flamegraph === undefined ? {} : { flamegraph }), ...(speedscope === undefined ? {} : { speedscope }) }
}

function write(input: Input, path: string, text: string): void {
  try {
    writeFileSync(resolve(input.cwd, path), text)
  } catch (error) {
    throw new CliError('TRP-7304', Exit.Usage, `cannot write ${path}: ${(error as NodeJS.ErrnoException).code}`)
  }
}

// --- names -------------------------------------------------------------------------------------------------------

function idOf({ id, to }: Frame): string | undefined {
  return id ?? /^[ft]0(\d+)$/.exec(to)?.[1]
}

function nameCall(frame: Frame, book: Book): string {
  const id = idOf(frame)
  const who = (id === undefined ? undefined : book.nameOf(id)) ?? (id === undefined ? frame.to : `t0${id}`)
  return `${who}.${methodName(book, id, frame.method)}`
}

interface Decoded {
  readonly args: readonly unknown[] | null
  readonly returned: unknown
}

/** What an actor sends need not be what the receiver takes: then there are only bytes. */
function decode(frame: Frame, book: Book): Decoded {
  const id = idOf(frame)
  const abi = id === undefined ? undefined : book.actorOf(id)?.abi
  const method = abi?.methods.find(({ number }) => String(number) === frame.method)
  if (abi === undefined || method === undefined) return { args: null, returned: undefined }
  return {
    args: attempt(() => decodeParams(abi, method, fromHex(frame.params ?? '0x'), book.codec)) ?? null,
    returned:
      frame.exitCode === 0 ? attempt(() => decodeReturn(abi, method, fromHex(frame.data), book.codec)) : undefined,
  }
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

function describeFrame(frame: Frame, book: Book): Record<string, unknown> {
  const { args, returned } = decode(frame, book)
  const id = idOf(frame)
  const { from, to, method, value, readOnly, params, exitCode, errno, gasLimit } = frame
  return {
    call: nameCall(frame, book),
    from: book.nameOf(from) ?? `t0${from}`,
    to,
    id: id ?? null,
    method,
    value,
    readOnly,
    params,
    args,
    returned: returned ?? null,
    exitCode,
    errno,
    exitName:
      exitCode === null ? null : exitName(exitCode, id === undefined ? undefined : book.actorOf(id)?.abi.errors),
    gas: gasDecimal(totalOf(frame.steps)),
    ownGas: gasDecimal(ownOf(frame.steps)),
    gasLimit,
    calls: callsIn(frame.steps).map((inner) => describeFrame(inner, book)),
  }
}

// --- text --------------------------------------------------------------------------------------------------------

function render(
  answer: TraceAnswer,
  steps: readonly Step[],
  book: Book,
  detail: number,
  files: Record<string, string>,
): string {
  const { exitCode, gasUsed, height, index, note, failures } = answer
  const name = exitName(exitCode, errorsOf(book, steps))
  const lines = [
    `height ${height}, message ${index}, exit ${exitCode}${exitCode === 0 ? '' : ` (${name})`}, gas ${grouped(gasUsed)}${note === '' ? '' : `, ${note}`}`,
    '',
  ]
  for (const frame of callsIn(steps)) lines.push(...renderFrame(frame, book, detail, '', '', true))
  for (const { id, method, exitCode: code, message } of failures) {
    lines.push(
      `failed: ${book.nameOf(id) ?? `t0${id}`}.${methodName(book, id, method)} exit ${code} ${message}`.trimEnd(),
    )
  }
  lines.push('', costTable('gas per syscall', sumSyscalls(steps), totalOf(steps)))
  if (detail >= 1) lines.push('', costTable('gas per charge', sumCharges(steps), totalOf(steps)))
  for (const file of Object.values(files)) lines.push('', `wrote ${file}`)
  return lines.join('\n')
}

function costTable(title: string, costs: readonly Cost[], total: bigint): string {
  const rows = costs.map(({ name, count, milligas }) => [
    `  ${name}`,
    `${count}×`,
    gasWhole(milligas).padStart(12),
    total === 0n ? '' : `${((Number(milligas) / Number(total)) * 100).toFixed(1).padStart(5)} %`,
  ])
  return table([[title], ...rows])
}

function renderFrame(frame: Frame, book: Book, detail: number, lead: string, below: string, isTop: boolean): string[] {
  const lines = [`${lead}${isTop ? `${book.nameOf(frame.from) ?? `t0${frame.from}`} → ` : ''}${titleOf(frame, book)}`]
  const children: string[][] = []
  if (detail >= 5) {
    if (frame.params !== null) children.push([`params ${frame.params}`])
    if (frame.data !== '0x') children.push([`return ${frame.data} (codec ${frame.codec})`])
  }
  if (detail >= 3) children.push(...renderSteps(frame.steps, book, detail))
  else {
    if (detail === 2) {
      for (const { name, count, milligas } of sumSyscalls(frame.steps.map(withoutCalls)))
        children.push([`${name} ${count}× ${gasWhole(milligas)}`])
      children.push(...textsIn(frame.steps).map((text) => [text]))
    }
    for (const inner of callsIn(frame.steps)) children.push(renderFrame(inner, book, detail, '', '', false))
  }
  for (const [index, child] of children.entries()) {
    const isLast = index === children.length - 1
    for (const [row, text] of child.entries())
      lines.push(`${below}${row === 0 ? (isLast ? '└─ ' : '├─ ') : isLast ? '   ' : '│  '}${text}`)
  }
  return lines
}

function renderSteps(steps: readonly Step[], book: Book, detail: number): string[][] {
  const lines: string[][] = []
  for (const step of steps) {
    switch (step.kind) {
      case 'call':
        lines.push(renderFrame(step, book, detail, '', '', false))
        break
      case 'syscall': {
        const inner = renderSteps(step.steps, book, detail)
        const own = step.steps.filter(({ kind }) => kind !== 'call')
        const head = `${step.name}${step.errno === 0 ? '' : ` error ${step.errno}`} ${gasWhole(totalOf(own))}`
        lines.push([head, ...inner.flat().map((text) => `  ${text}`)])
        break
      }
      case 'charge':
        if (detail >= 4 && step.milligas > 0n) lines.push([`${step.name} ${gasDecimal(step.milligas)}`])
        break
      case 'block':
        if (detail >= 5) lines.push([`${step.access} ${step.cid} ${step.size} B`])
        break
      default:
        lines.push([`${step.from} ${step.text}`])
    }
  }
  return lines
}

function withoutCalls(step: Step): Step {
  return step.kind === 'syscall'
    ? { ...step, steps: step.steps.filter(({ kind }) => kind !== 'call') }
    : step.kind === 'call'
      ? { ...step, steps: [] }
      : step
}

function textsIn(steps: readonly Step[]): string[] {
  return steps.flatMap((step) =>
    step.kind === 'text' ? [`${step.from} ${step.text}`] : step.kind === 'syscall' ? textsIn(step.steps) : [],
  )
}

function titleOf(frame: Frame, book: Book): string {
  const { args, returned } = decode(frame, book)
  const shown =
    args === null
      ? frame.params === null || frame.params === '0x'
        ? ''
        : shorten(frame.params)
      : args.map((arg) => shorten(quoted(arg))).join(', ')
  const value = frame.value === '0' ? '' : ` with ${amountText(BigInt(frame.value))}`
  const id = idOf(frame)
  const errors = id === undefined ? undefined : book.actorOf(id)?.abi.errors
  const end =
    frame.errno !== null
      ? ` error ${frame.errno}`
      : frame.exitCode === null
        ? ' did not end'
        : frame.exitCode === 0
          ? returned === undefined
            ? ''
            : ` → ${shorten(quoted(returned))}`
          : ` exit ${frame.exitCode} (${exitName(frame.exitCode, errors)})`
  return `${nameCall(frame, book)}(${shown})${value}${frame.readOnly ? ' read-only' : ''}${end}  gas ${gasWhole(totalOf(frame.steps))}`
}

/** Amounts that nobody could count the zeros of are shown in attoFIL. */
function amountText(value: bigint): string {
  return value < SMALL ? `${grouped(value)} attoFIL` : `${formatFil(value)} FIL`
}

const SMALL = 1_000_000_000n

function quoted(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : formatValue(value)
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}
