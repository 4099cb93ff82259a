/** The table of commands. Each is loaded when it is called, so that `troupe --version` stays quick. */
import type { Command } from './command.ts'

export interface Listed {
  readonly about: string
  readonly load: () => Promise<Command>
}

export const COMMANDS: Readonly<Record<string, Listed>> = {
  init: {
    about: 'begin a project',
    load: async () => (await import('./commands/init.ts')).init,
  },
  dev: {
    about: 'compile, run a devnet, watch, hot reload',
    load: async () => (await import('./commands/dev.ts')).dev,
  },
  node: {
    about: 'a devnet without watching',
    load: async () => (await import('./commands/node.ts')).node,
  },
  replay: {
    about: 'run a recorded network again',
    load: async () => (await import('./commands/replay.ts')).replay,
  },
  build: {
    about: 'actors to wasm, ABI and debug twin',
    load: async () => (await import('./commands/build.ts')).build,
  },
  check: {
    about: 'diagnostics only',
    load: async () => (await import('./commands/check.ts')).check,
  },
  test: {
    about: 'run the tests with vitest',
    load: async () => (await import('./commands/test.ts')).test,
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
  gas: {
    about: 'gas per method: report, snapshot, check, diff',
    load: async () => (await import('./commands/gas.ts')).gas,
  },
  inspect: {
    about: 'an actor’s ABI, methods, state, imports, text, size',
    load: async () => (await import('./commands/inspect.ts')).inspect,
  },
  fault: {
    about: 'a bad network between the validators',
    load: async () => (await import('./commands/fault.ts')).fault,
  },
  snapshot: {
    about: 'save, restore and list states of the chain',
    load: async () => (await import('./commands/snapshot.ts')).snapshot,
  },
  state: {
    about: 'dump, load, get and set state',
    load: async () => (await import('./commands/state.ts')).state,
  },
  export: {
    about: 'code as a CAR, or a genesis bundle',
    load: async () => (await import('./commands/export.ts')).exportCode,
  },
  conformance: {
    about: 'run reference vectors through the engine',
    load: async () => (await import('./commands/conformance.ts')).conformance,
  },
  instrument: {
    about: 'add gas metering and the stack limit to a module',
    load: async () => (await import('./commands/instrument.ts')).instrument,
  },
  doctor: {
    about: 'what is wrong with this installation or project',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  explain: {
    about: 'what a code means',
    load: async () => (await import('./commands/explain.ts')).explain,
  },
  clean: {
    about: 'remove what was built',
    load: async () => (await import('./commands/clean.ts')).clean,
  },
}
