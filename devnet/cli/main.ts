/** `troupe`: finds the command, runs it, prints its answer. Commands that execute actors run in a thread with a large stack. */
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { type Command, helpOf, nearest, parseInput } from './command.ts'
import { COMMANDS } from './commands.ts'
import { execute } from './execute.ts'
import { CliError, Exit, printError } from './output.ts'

const STACK_MB = 256
/** For new objects: what a message leaves behind is gone sooner in little room; a compiler leaves much more, and wants to be asked seldom. */
const YOUNG_MB = 12
const YOUNG_COMPILING_MB = 128
/**
 * Bytes of an actor's function that run before V8 optimises it; V8's own figure is 1.8 million. Most actors of a devnet run a few
 * times between two versions: optimising them took a fifth of the time of Filecoin's official vectors, and thirty megabytes.
 */
const TIERING_BUDGET = 100_000_000

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(overview())
    return name === undefined ? Exit.Usage : Exit.Done
  }
  const isJson = rest.includes('--json')
  const listed = COMMANDS[name]
  if (listed === undefined) {
    const near = nearest(name, Object.keys(COMMANDS))
    const fix = near === undefined ? 'troupe --help lists the commands' : `did you mean troupe ${near}?`
    printError(
      name,
      new CliError('TRP-7000', Exit.Usage, `there is no command ${JSON.stringify(name)}`, { fix }),
      isJson,
    )
    return Exit.Usage
  }
  const command = await listed.load()
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(`${helpOf(command)}\n`)
    return Exit.Done
  }
  return command.needsStack === true ? runInThread(command, rest, isJson) : execute(command, rest)
}

function overview(): string {
  const lines = Object.entries(COMMANDS).map(([name, { about }]) => `  ${name.padEnd(14)} ${about}`)
  return [
    'troupe: actors for InterPlanetary Consensus, and a devnet to run them',
    '',
    ...lines,
    '',
    'troupe <command> --help says more',
    '',
  ].join('\n')
}

/** Checks the words here, so that a typo does not start a thread. */
function runInThread(command: Command, rest: readonly string[], isJson: boolean): Promise<number> {
  try {
    parseInput(command, rest, process.cwd())
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    printError(command.name, error, isJson)
    return Promise.resolve(error.exit)
  }
  setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`)
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: { name: command.name, argv: rest },
      resourceLimits: {
        stackSizeMb: STACK_MB,
        maxYoungGenerationSizeMb: command.name === 'dev' ? YOUNG_COMPILING_MB : YOUNG_MB,
        maxOldGenerationSizeMb: 8192,
      },
    })
    const stop = () => worker.postMessage({ kind: 'stop' })
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
    // A validator that another process started ends with it, however that ends.
    if (process.env['TROUPE_ENDS_WITH_STDIN'] === '1') process.stdin.on('end', stop).resume()
    if (process.stdin.isTTY && command.name === 'dev') forwardKeys(worker)
    worker.on('error', (error) => {
      printError(command.name, new CliError('TRP-9999', Exit.Bug, `troupe failed: ${error.message}`), isJson)
      resolve(Exit.Bug)
    })
    worker.on('exit', (code) => resolve(code))
  })
}

function forwardKeys(worker: Worker): void {
  process.stdin.setRawMode(true)
  process.stdin.unref()
  process.stdin.on('data', (bytes) => {
    for (const key of bytes.toString('utf8'))
      worker.postMessage(key === '\u0003' ? { kind: 'stop' } : { kind: 'key', key })
  })
  worker.on('exit', () => process.stdin.setRawMode(false))
}

process.exitCode = await main(process.argv.slice(2))
if (process.stdin.isTTY) process.stdin.pause()
