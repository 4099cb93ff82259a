/** `troupe export`: the project's code for elsewhere. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { snakeCase } from '../../../compiler/abi/words.ts'
import { type Command, type Input, textFlag } from '../command.ts'
import { loadProject } from '../load-project.ts'
import { type Answer, CliError, Exit, table } from '../output.ts'
import { grouped } from '../receipts.ts'
import { compileOne, pickActors, warningsOf } from '../sources.ts'

export const exportCode: Command = {
  name: 'export',
  usage: 'export [Actor…] [--bundle] [-o file]',
  about:
    'Writes the code of the actors as a CAR, each module a root. --bundle writes a genesis bundle instead, a manifest of ' +
    '[name, code], which is how actors of one’s own come onto a real IPC subnet (custom_actors_bundle.car).',
  example: 'troupe export --bundle -o custom_actors_bundle.car',
  flags: {
    bundle: { type: 'boolean', about: 'a genesis bundle with a manifest' },
    out: { type: 'string', short: 'o', value: 'file', about: 'where to write (code.car, custom_actors_bundle.car)' },
  },
  run,
}

async function run(input: Input): Promise<Answer> {
  const project = await loadProject(input)
  const isBundle = input.flags['bundle'] === true
  const { codeCid, writeBundle, writeCodeCar } = await import('../../../compiler/bundle.ts')
  const codes: { readonly actor: string; readonly name: string; readonly wasm: Uint8Array }[] = []
  const warnings: string[] = []
  for (const source of pickActors(project, input)) {
    const artifact = await compileOne(input, project, source)
    warnings.push(...warningsOf(artifact))
    codes.push({ actor: artifact.actor, name: snakeCase(artifact.actor), wasm: artifact.wasm })
  }
  const bytes = isBundle ? writeBundle(codes) : writeCodeCar(codes.map(({ wasm }) => wasm))
  const out = resolve(input.cwd, textFlag(input, 'out') ?? (isBundle ? 'custom_actors_bundle.car' : 'code.car'))
  try {
    mkdirSync(dirname(out), { recursive: true })
    writeFileSync(out, bytes)
  } catch (error) {
    throw new CliError('TRP-7304', Exit.Usage, `cannot write ${out}: ${(error as NodeJS.ErrnoException).code}`)
  }
  const actors = codes.map(({ actor, name, wasm }) => ({ actor, name, code: codeCid(wasm), bytes: wasm.length }))
  const file = relative(input.cwd, out)
  const rows = actors.map(({ actor, name, code, bytes: size }) => [isBundle ? name : actor, code, `${grouped(size)} B`])
  return {
    data: { out: file, bundle: isBundle, bytes: bytes.length, actors },
    text: `${table(rows)}\nwrote ${file} (${grouped(bytes.length)} B)`,
    warnings,
  }
}
