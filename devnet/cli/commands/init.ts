/** `troupe init [dir]`: a project from a template. Never asks. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { findPackageRoot } from '../../node/package-root.ts'
import { VERSION } from '../../primitives/version.ts'
import { type Command, type Input, nearest, textFlag } from '../command.ts'
import { type Answer, CliError, Exit } from '../output.ts'

const DEFAULT_TEMPLATE = 'counter'

export const init: Command = {
  name: 'init',
  usage: 'init [dir] [--template counter|token|vault|multisig]',
  about:
    'Writes a new project with an actor, its tests and a config. A folder that has files already is refused unless -y is given, and then its files stay.',
  example: 'troupe init hello --template token',
  flags: { template: { type: 'string', value: 'name', about: `what to begin with (${DEFAULT_TEMPLATE})` } },
  run,
}

async function run(input: Input): Promise<Answer> {
  const template = textFlag(input, 'template') ?? DEFAULT_TEMPLATE
  const source = join(templatesFolder(), template)
  const target = resolve(input.cwd, input.words[0] ?? '.')
  refuseUnknown(template)
  if (existsSync(target) && !statSync(target).isDirectory())
    throw new CliError('TRP-7204', Exit.Refused, `${target} is a file`)
  if (existsSync(target) && readdirSync(target).some((name) => name !== '.git') && input.flags['yes'] !== true) {
    throw new CliError('TRP-7204', Exit.Refused, `${target} is not empty`, {
      fix: 'choose another folder, or give -y: existing files stay',
    })
  }
  const kept: string[] = []
  const files = writeTemplate(source, target, kept)
  const folder = relative(input.cwd, target)
  const steps = [...(folder === '' ? [] : [`cd ${folder}`]), 'npm install', 'npm test', 'npm run dev']
  return {
    data: { folder: target, template, files, next: steps },
    text: [
      `${basename(target)}: ${files.length} files from the template ${template}`,
      '',
      ...steps.map((step) => `  $ ${step}`),
    ].join('\n'),
    warnings: kept.map((file) => `${file} was there already and stays as it was`),
  }
}

function templatesFolder(): string {
  return join(findPackageRoot(), 'templates')
}

function refuseUnknown(template: string): void {
  const names = readdirSync(templatesFolder())
    .filter((name) => !name.startsWith('.'))
    .sort()
  if (names.includes(template)) return
  const near = nearest(template, names)
  throw new CliError('TRP-7203', Exit.Usage, `there is no template ${JSON.stringify(template)}`, {
    fix: near === undefined ? `one of ${names.join(', ')}` : `did you mean ${near}?`,
  })
}

/** Answers the files written, relative to `target`. */
function writeTemplate(source: string, target: string, kept: string[]): string[] {
  const written: string[] = []
  for (const path of listFiles(source)) {
    const name = path.replace(/(^|\/)_gitignore$/, '$1.gitignore')
    const out = join(target, name)
    if (existsSync(out)) {
      kept.push(name)
      continue
    }
    mkdirSync(dirname(out), { recursive: true })
    const content = readFileSync(join(source, path))
    writeFileSync(out, name === 'package.json' ? ownManifest(content.toString('utf8'), basename(target)) : content)
    written.push(name)
  }
  return written
}

/** What npm made while somebody tried a template is no part of it. */
const LEFT_OUT = new Set(['node_modules', '.troupe', 'coverage', 'package-lock.json'])

function listFiles(folder: string, below = ''): string[] {
  return readdirSync(join(folder, below))
    .filter((name) => !LEFT_OUT.has(name))
    .sort()
    .flatMap((name) => {
      const path = below === '' ? name : `${below}/${name}`
      return statSync(join(folder, path)).isDirectory() ? listFiles(folder, path) : [path]
    })
}

interface Manifest {
  name?: string
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

/** The folder's name, and this very package: `TROUPE_PACKAGE` may name its tarball. */
function ownManifest(text: string, folder: string): string {
  const manifest = JSON.parse(text) as Manifest
  const tarball = process.env['TROUPE_PACKAGE']
  const version = tarball === undefined || tarball === '' ? `^${VERSION}` : `file:${resolve(tarball)}`
  for (const group of [manifest.dependencies, manifest.devDependencies])
    if (group?.['troupe'] !== undefined) group['troupe'] = version
  manifest.name = packageName(folder)
  return `${JSON.stringify(manifest, null, 2)}\n`
}

/** As npm takes it: lower case, no spaces, no dot or underscore first. */
function packageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+|-+$/g, '')
  return name === '' ? 'actors' : name
}
