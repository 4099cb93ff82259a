/** `troupe deploy [Actor] [args…]`: compiles an actor of the project and puts it on the network. */

import { parseField } from '../../../compiler/abi/types.ts'
import { toHex } from '../../primitives/bytes.ts'
import { writeArtifact } from '../../reload/project.ts'
import { encodeParams } from '../../rpc/abi-codec.ts'
import type { IncludedReceipt } from '../../rpc/client.ts'
import { type Command, type Input, textFlag } from '../command.ts'
import { encodeArguments, MESSAGE_FLAGS, parseAmount } from '../invocation.ts'
import { Book, type Network, openBook, openNetwork } from '../network.ts'
import { type Answer, CliError, Exit } from '../output.ts'
import { withProgress } from '../progress.ts'
import { grouped, nameFailure } from '../receipts.ts'
import { type ActorSource, compileOne, needActors, pickActor, warningsOf } from '../sources.ts'

export const deploy: Command = {
  name: 'deploy',
  usage: 'deploy [Actor] [args…] [--value amount] [--from who]',
  about:
    'Compiles an actor and runs its constructor on the network. Without arguments those of the config (deploy: { Actor: […] }) ' +
    'are used; without a name, all actors of the project are deployed in the order of the config.',
  example: 'troupe deploy Counter 0',
  flags: { value: MESSAGE_FLAGS['value']! },
  run,
}

/** Stands for the id of an actor that could not be made. */
const NEW = 'new'

interface Deployed {
  readonly actor: string
  readonly id: string
  readonly address: string
  readonly code: string
  readonly bytes: number
  readonly gasUsed: string
  readonly height: number
}

async function run(input: Input): Promise<Answer> {
  const network = await openNetwork(input)
  const { project } = network
  const [word, ...args] = input.words
  const warnings: string[] = []
  if (word !== undefined) {
    const done = await deployOne(input, network, pickActor(project, input.cwd, word), args, warnings)
    return { data: done, text: line(done), warnings }
  }
  const order = Object.keys(project.config.deploy ?? {})
  const rank = ({ actor }: ActorSource) => (order.includes(actor) ? order.indexOf(actor) : order.length)
  const all = needActors(project)
    .filter(({ actor }) => project.config.deploy?.[actor] !== false)
    .sort((a, b) => rank(a) - rank(b))
  const done: Deployed[] = []
  for (const source of all) done.push(await deployOne(input, network, source, [], warnings))
  return { data: { actors: done }, text: done.map(line).join('\n'), warnings }
}

function line({ actor, address, id, bytes, gasUsed, height }: Deployed): string {
  return `${actor} ${address} (t0${id}), ${grouped(bytes)} B, gas ${grouped(gasUsed)}, height ${height}`
}

async function deployOne(
  input: Input,
  network: Network,
  source: ActorSource,
  args: readonly string[],
  warnings: string[],
): Promise<Deployed> {
  const book = await openBook(network)
  const artifact = await compileOne(input, network.project, source)
  warnings.push(...warningsOf(artifact))
  const { actor, abi, wasm } = artifact
  const params = constructorParams(network, book, abi, args)
  const value = textFlag(input, 'value')
  return withProgress(input, `deploying ${actor}`, async () => {
    try {
      const done = await network.request<IncludedReceipt & { id: string; address: string; code: string }>(
        'troupe_deploy',
        {
          name: actor,
          abi,
          code: `0x${toHex(wasm)}`,
          params: `0x${toHex(params)}`,
          from: textFlag(input, 'from') ?? 'alice',
          ...(value === undefined ? {} : { value: parseAmount(value).toString() }),
        },
      )
      writeArtifact(network.project, artifact)
      const { id, address, code, gasUsed, height } = done
      return { actor, id, address, code, bytes: wasm.length, gasUsed, height }
    } catch (error) {
      const known = new Book(book.accounts, [...book.actors, { name: actor, id: NEW, address: '', code: '', abi }])
      throw nameFailure(error, `constructor of ${actor}`, NEW, known)
    }
  })
}

/** From the words, else from the config. */
function constructorParams(
  { project }: Network,
  book: Book,
  abi: Parameters<typeof encodeParams>[0],
  args: readonly string[],
): Uint8Array {
  const method = abi.methods.find(({ kind }) => kind === 'constructor')
  if (method === undefined) {
    if (args.length === 0) return new Uint8Array(0)
    throw new CliError('TRP-8301', Exit.Usage, `${abi.actor} has no constructor, but got ${args.length} arguments`)
  }
  const configured = project.config.deploy?.[abi.actor]
  if (args.length > 0 || method.params.length === 0 || !Array.isArray(configured)) {
    return encodeArguments(abi, method, args, book, `the constructor of ${abi.actor}`)
  }
  try {
    return encodeParams(abi, method, configured, book.codec)
  } catch (error) {
    const wanted = method.params.map((field) => parseField(field).name).join(', ')
    throw new CliError('TRP-8301', Exit.Project, `deploy.${abi.actor} of the config: ${(error as Error).message}`, {
      place: { file: 'troupe.config.ts' },
      fix: `give [${wanted}]`,
    })
  }
}
