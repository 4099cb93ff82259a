/** `troupe instrument <in.wasm>`: what the FVM does to a module before it runs it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { instrumentModule } from '../../../compiler/gas/instrument.ts'
import type { Command, Input } from '../command.ts'
import { needWord, textFlag } from '../command.ts'
import { type Answer, CliError, Exit } from '../output.ts'

export const instrument: Command = {
  name: 'instrument',
  usage: 'instrument <in.wasm> [-o out.wasm]',
  about: 'Validates a module as the FVM does and writes it with gas metering and the stack limit injected.',
  example: 'troupe instrument counter.wasm -o counter.metered.wasm',
  flags: { out: { type: 'string', short: 'o', value: 'file', about: 'where to write the result' } },
  run,
}

async function run(input: Input): Promise<Answer> {
  const path = needWord(input, 0, 'the module', instrument)
  let raw: Uint8Array
  try {
    raw = readFileSync(resolve(input.cwd, path))
  } catch (error) {
    throw new CliError('TRP-7303', Exit.Usage, `cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`)
  }
  try {
    const { bytes, facts } = instrumentModule(raw)
    const out = textFlag(input, 'out')
    if (out !== undefined) writeFileSync(resolve(input.cwd, out), bytes)
    const data = {
      bytesBefore: raw.length,
      bytesAfter: bytes.length,
      blocks: facts.blocks,
      linearSites: facts.linearSites,
      out: out ?? null,
    }
    const text = `${raw.length} → ${bytes.length} bytes, ${facts.blocks} metered blocks, ${facts.linearSites} dynamic sites${out === undefined ? '' : `, written to ${out}`}`
    return { data, text }
  } catch (error) {
    throw new CliError('TRP-6003', Exit.Compile, `the FVM refuses this module: ${(error as Error).message}`, {
      place: { file: path },
    })
  }
}
