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
  deploy: {
    about: 'compile an actor and put it on the network',
    load: async () => (await import('./commands/deploy.ts')).deploy,
  },
  call: {
    about: 'send a message to an actor',
    load: async () => (await import('./commands/call.ts')).call,
  },
  view: {
    about: 'ask an actor, change nothing',
    load: async () => (await import('./commands/view.ts')).view,
  },
  send: {
    about: 'send FIL',
    load: async () => (await import('./commands/send.ts')).send,
  },
  accounts: {
    about: 'the accounts of the network',
    load: async () => (await import('./commands/accounts.ts')).accounts,
  },
  balance: {
    about: 'what somebody has',
    load: async () => (await import('./commands/balance.ts')).balance,
  },
  fund: {
    about: 'the faucet',
    load: async () => (await import('./commands/fund.ts')).fund,
  },
  trace: {
    about: 'what a message did: calls, gas, flamegraph',
    load: async () => (await import('./commands/trace.ts')).trace,
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
