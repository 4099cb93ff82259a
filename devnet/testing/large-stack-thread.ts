/** The thread of `large-stack.ts`. */
import { receiveMessageOnPort, workerData } from 'node:worker_threads'
import { Linker } from '../engine/linker.ts'
import type { MachineContext } from '../engine/machine-context.ts'
import { ModuleCache } from '../engine/module-cache.ts'
import { BufferedBlockstore } from '../ipld/blockstore.ts'
import { genesisOf } from './genesis.ts'
import {
  hear,
  type LargeResult,
  type LargeRun,
  type LargeStackData,
  ring,
  type Said,
  type Told,
} from './large-stack.ts'
import { applyWorldMessage, openContext } from './world-message.ts'

const { port, bells } = workerData as LargeStackData
const modules = new ModuleCache()
const linker = new Linker()

port.on('message', ({ kind, ...told }: Told) => {
  if (kind !== 'run') return
  try {
    say({ kind: 'done', done: run((told as { run: LargeRun }).run) })
  } catch (error) {
    say({ kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
})

say({ kind: 'ready' })

function say(said: Said): void {
  port.postMessage(said)
  ring(bells, 0)
}

function run({ surroundings, root, blocks, work, isProbed }: LargeRun): LargeResult {
  const genesis = genesisOf(`/r${surroundings.chainId}`, surroundings.balance)
  const before = new BufferedBlockstore(genesis.store)
  for (const [cid, bytes] of blocks) before.put(cid, bytes)
  const store = new BufferedBlockstore(before)
  const parts = { modules, linker, hasLargestStack: true }
  const plain = openContext(surroundings, genesis, store, root, parts)
  const context: MachineContext = isProbed ? { ...plain, probe: { intercept: ask } } : plain
  const result = applyWorldMessage(context, work, { trace: true })
  return { result, root: context.state.flush(), blocks: store.buffered }
}

/** The world's mocks are on the other thread. */
function ask(call: Extract<Said, { kind: 'call' }>['call']): Extract<Told, { kind: 'answer' }>['answer'] {
  say({ kind: 'call', call })
  hear(bells, 1)
  const { message } = receiveMessageOnPort(port) as { message: Told }
  if (message.kind !== 'answer') throw new Error('the world stopped the message')
  return message.answer
}
