/** The thread with the large stack: runs the command that `main` names. */
import { parentPort, workerData } from 'node:worker_threads'
import { COMMANDS } from './commands.ts'
import { execute } from './execute.ts'
import { deliver } from './signals.ts'

const { name, argv } = workerData as { name: string; argv: string[] }
parentPort?.on('message', deliver)
parentPort?.unref()
const command = await COMMANDS[name]!.load()
process.exitCode = await execute(command, argv)
