import { describe, expect, test } from 'vitest'
import { type Command, countFlag, helpOf, nearest, parseInput } from '../../../devnet/cli/command.ts'
import { test as testCommand } from '../../../devnet/cli/commands/test.ts'
import { trace } from '../../../devnet/cli/commands/trace.ts'
import { COMMANDS } from '../../../devnet/cli/commands.ts'

describe('every command', () => {
  test.each(Object.keys(COMMANDS))('%s has help with an example, and is called as it is listed', async (name) => {
    const command: Command = await COMMANDS[name]!.load()
    expect(command.name).toBe(name)
    expect(command.usage.split(' ')[0]).toBe(name)
    expect(command.example).toContain(`troupe ${name}`)
    expect(command.about.length).toBeGreaterThan(20)
    const help = helpOf(command)
    expect(help).toContain('Example')
    expect(help).toContain('--json')
  })

  test('is among those that the design names', () => {
    const named =
      'init dev node build check test deploy call view send accounts balance fund trace gas inspect snapshot state export conformance instrument doctor explain clean'
    expect(Object.keys(COMMANDS)).toEqual(expect.arrayContaining(named.split(' ')))
  })
})

describe('a command line', () => {
  test('may have negative numbers', () => {
    expect(parseInput(trace, ['-5', '-v'], '.').words).toEqual(['-5'])
  })

  test.each([
    [[], 0],
    [['-v'], 1],
    [['-vvv'], 3],
    [['-v', '--verbose'], 2],
  ])('%j is %i of -v', (argv, count) => {
    expect(countFlag(parseInput(trace, argv, '.'), 'verbose')).toBe(count)
  })

  test('of `test` leaves everything foreign where it stands', () => {
    const { words, flags } = parseInput(
      testCommand,
      ['counter', '-t', 'a name', '--gas', '--bail=1', '--seed', '5', '--coverage.reporter', 'html', '--', '--gas'],
      '.',
    )
    expect(words).toEqual(['counter', '-t', 'a name', '--bail=1', '--coverage.reporter', 'html', '--gas'])
    expect(flags).toEqual({ gas: true, seed: '5' })
  })

  test('with an unknown flag is refused', () => {
    expect(() => parseInput(trace, ['--flamegraf', 'x'], '.')).toThrowError(
      expect.objectContaining({ code: 'TRP-7001', fix: 'did you mean --flamegraph?' }),
    )
  })
})

test('a near miss is close, and nothing else is', () => {
  expect(nearest('incremnt', ['increment', 'get'])).toBe('increment')
  expect(nearest('xyz', ['increment', 'get'])).toBeUndefined()
})
