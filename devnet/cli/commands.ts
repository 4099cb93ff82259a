/** The table of commands. Each is loaded when it is called, so that `troupe --version` stays quick. */
import type { Command } from './command.ts'

export interface Listed {
  readonly about: string
  readonly load: () => Promise<Command>
}

export const COMMANDS: Readonly<Record<string, Listed>> = {
  dev: {
    about: 'compile, run a devnet, watch, hot reload',
    load: async () => (await import('./commands/dev.ts')).dev,
  },
  node: {
    about: 'a devnet without watching',
    load: async () => (await import('./commands/node.ts')).node,
  },
  conformance: {
    about: 'run reference vectors through the engine',
    load: async () => (await import('./commands/conformance.ts')).conformance,
  },
  instrument: {
    about: 'add gas metering and the stack limit to a module',
    load: async () => (await import('./commands/instrument.ts')).instrument,
  },
}
