/**
 * The actors of a project on a running devnet: deploys what is missing, and carries a change of source into the network
 * through one block. A change that cannot be made leaves the old code answering.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Abi, formatAbi } from '../../compiler/abi/schema.ts'
import { type AbiType, parseField } from '../../compiler/abi/types.ts'
import type { Artifact } from '../../compiler/artifact.ts'
import type { Diagnostic } from '../../compiler/diagnostic.ts'
import { cidOf, RAW } from '../ipld/cid.ts'
import { CborReader } from '../ipld/dag-cbor.ts'
import type { KnownActor } from '../node/actor-registry.ts'
import type { Devnet } from '../node/devnet.ts'
import type { Power } from '../node/transaction.ts'
import { decodeState, encodeParams } from '../rpc/abi-codec.ts'
import type { ActorId } from '../state/actor.ts'
import { type Address, decodeAddress, formatAddress, parseAddress } from '../state/address.ts'
import type { TokenAmount } from '../state/token.ts'
import { type LayoutChange, planReload } from './plan.ts'
import { compileFile, listActorFiles, type Project, warmCompiler, writeArtifact } from './project.ts'

const WARM_UP_AFTER_MS = 50
const ILLEGAL_ARGUMENT = 16

/** What happened to one actor. */
export type LiveChange =
  | {
      readonly kind: 'deployed'
      readonly actor: string
      readonly id: ActorId
      readonly address: string
      readonly bytes: number
    }
  | { readonly kind: 'failed'; readonly actor: string; readonly exitCode: number; readonly reason: string }
  | {
      readonly kind: 'upgraded'
      readonly actor: string
      readonly mode: 'keep' | 'migrate' | 'discard'
      readonly height: number
      readonly bytes: number
    }
  | { readonly kind: 'unchanged'; readonly actor: string }
  | {
      readonly kind: 'refused'
      readonly actor: string
      readonly file: string
      readonly change: LayoutChange
      readonly live: unknown
      readonly before: Abi
      readonly after: Abi
    }
  | { readonly kind: 'broken'; readonly file: string; readonly diagnostics: readonly Diagnostic[] }

interface Compiled {
  readonly file: string
  readonly artifact: Artifact
}

export class LiveProject {
  readonly project: Project
  readonly devnet: Devnet
  /** Which files each actor file was compiled from. Those that do not compile are not in it. */
  readonly #sources = new Map<string, readonly string[]>()
  /** File of each actor's class. */
  readonly #files = new Map<string, string>()
  #waiting: { readonly compiled: Compiled; readonly known: KnownActor }[] = []
  /** Changes are made one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(project: Project, devnet: Devnet) {
    this.project = project
    this.devnet = devnet
  }

  /** Compiles everything and brings the network up to it. */
  start(): Promise<LiveChange[]> {
    return this.#inTurn(() => this.#apply(listActorFiles(this.project)))
  }

  /** Loads the compiler while nothing else is to be done, if what `start` needed came from the cache. */
  warmUp(): void {
    const [file] = this.#sources.keys()
    if (file === undefined) return
    const warm = () => this.#inTurn(() => warmCompiler(this.project, file)).catch(() => {})
    setTimeout(() => void warm(), WARM_UP_AFTER_MS).unref()
  }

  /** Project-relative paths that changed, actors or what they import. An actor that does not compile is always tried. */
  reload(changed: readonly string[]): Promise<LiveChange[]> {
    const isTouched = (file: string) =>
      changed.includes(file) || (this.#sources.get(file)?.some((source) => changed.includes(source)) ?? true)
    return this.#inTurn(() => this.#apply(listActorFiles(this.project).filter(isTouched)))
  }

  /** Goes on with actors whose change was refused, from an empty state. */
  discard(): Promise<LiveChange[]> {
    return this.#inTurn(() => {
      const waiting = this.#waiting
      this.#waiting = []
      return this.#upgrade(waiting.map(({ compiled, known }) => ({ compiled, known, mode: 'discard' as const })))
    })
  }

  get refused(): readonly { readonly file: string; readonly before: Abi; readonly after: Abi }[] {
    return this.#waiting.map(({ compiled, known }) => ({
      file: compiled.file,
      before: known.abi,
      after: compiled.artifact.abi,
    }))
  }

  /** Every file that an actor was compiled from. */
  get sources(): ReadonlySet<string> {
    return new Set([...this.#sources.values()].flat())
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => {})
    return done
  }

  async #apply(files: readonly string[]): Promise<LiveChange[]> {
    const changes: LiveChange[] = []
    const compiled: Compiled[] = []
    for (const file of files) {
      const result = await compileFile(this.project, file)
      if (!result.ok) {
        this.#sources.delete(file)
        this.#waiting = this.#waiting.filter((waiting) => waiting.compiled.file !== file)
        changes.push({ kind: 'broken', file, diagnostics: result.diagnostics })
        continue
      }
      const { artifact } = result
      this.#sources.set(file, artifact.sources)
      const other = this.#files.get(artifact.actor) ?? file
      if (other !== file && existsSync(join(this.project.root, other))) {
        const reason = `${other} has an actor of this name too; rename one of them`
        changes.push({ kind: 'failed', actor: artifact.actor, exitCode: ILLEGAL_ARGUMENT, reason })
        continue
      }
      this.#files.set(artifact.actor, file)
      compiled.push({ file, artifact })
    }
    const upgrades: Upgrade[] = []
    const fresh: Compiled[] = []
    for (const one of compiled) {
      const known = this.#known(one.artifact.actor)
      if (known === undefined) fresh.push(one)
      else changes.push(...this.#plan(one, known, upgrades))
    }
    changes.push(...(await this.#upgrade(upgrades)))
    for (const one of inOrder(fresh, this.project)) changes.push(...(await this.#deploy(one)))
    for (const { artifact } of compiled) writeArtifact(this.project, artifact)
    return changes
  }

  /** As the chain has it now: it may have gone back to older code, or to before the actor. */
  #known(name: string): KnownActor | undefined {
    const known = this.devnet.actors.byName(name)
    if (known === undefined) return undefined
    const actor = this.devnet.chain.application.queryMachine().context.state.getActor(known.id)
    if (actor === undefined) return undefined
    return actor.code === known.code
      ? known
      : { ...known, code: actor.code, abi: this.devnet.actors.abiOf(actor.code) ?? known.abi }
  }

  #plan(compiled: Compiled, known: KnownActor, upgrades: Upgrade[]): LiveChange[] {
    const { artifact, file } = compiled
    this.#waiting = this.#waiting.filter((waiting) => waiting.known.id !== known.id)
    const plan = planReload({
      before: known.abi,
      after: artifact.abi,
      isSameCode: cidOf(RAW, artifact.wasm) === known.code,
      canMigrate: hasUpgrade(artifact.wasm),
    })
    switch (plan.kind) {
      case 'same':
        // A renamed field leaves the code as it is.
        if (formatAbi(artifact.abi) !== formatAbi(known.abi)) this.devnet.actors.put({ ...known, abi: artifact.abi })
        return [{ kind: 'unchanged', actor: artifact.actor }]
      case 'refuse': {
        this.#waiting.push({ compiled, known })
        const live = this.#liveValue(known, plan.change.index)
        return [
          {
            kind: 'refused',
            actor: artifact.actor,
            file,
            change: plan.change,
            live,
            before: known.abi,
            after: artifact.abi,
          },
        ]
      }
      default:
        upgrades.push({ compiled, known, mode: plan.kind })
        return []
    }
  }

  /** The value that the new code would misread. */
  #liveValue(known: KnownActor, index: number): unknown {
    const { state, store } = this.devnet.chain.application.queryMachine().context
    const actor = state.getActor(known.id)
    const block = actor === undefined ? undefined : store.get(actor.state)
    const field = known.abi.state[index]
    if (block === undefined || field === undefined) return undefined
    try {
      return decodeState(known.abi, block, { store })[parseField(field).name]
    } catch {
      return undefined
    }
  }

  /** All together in one block: every actor changes, or none. */
  async #upgrade(upgrades: readonly Upgrade[]): Promise<LiveChange[]> {
    if (upgrades.length === 0) return []
    const powers: Power[] = upgrades.map(({ compiled, known, mode }) => ({
      power: 'upgrade',
      actor: known.id,
      code: compiled.artifact.wasm,
      mode,
      params: mode === 'discard' ? this.#constructorParams(compiled) : new Uint8Array(0),
    }))
    for (const { compiled } of upgrades) {
      this.devnet.actors.putAbi(cidOf(RAW, compiled.artifact.wasm), compiled.artifact.abi)
    }
    const { result, height } = await this.devnet.chain.apply(powers)
    if (result.exitCode !== 0) {
      return upgrades.map(({ compiled }) => ({
        kind: 'failed',
        actor: compiled.artifact.actor,
        exitCode: result.exitCode,
        reason: result.note,
      }))
    }
    return upgrades.map(({ compiled: { artifact }, known, mode }) => {
      this.devnet.actors.put({ ...known, code: cidOf(RAW, artifact.wasm), abi: artifact.abi })
      return { kind: 'upgraded', actor: artifact.actor, mode, height, bytes: artifact.wasm.length }
    })
  }

  async #deploy(compiled: Compiled): Promise<LiveChange[]> {
    const { artifact } = compiled
    const configured = this.project.config.deploy?.[artifact.actor]
    if (configured === false) return []
    let params: Uint8Array
    try {
      params = this.#constructorParams(compiled)
    } catch (error) {
      return [
        {
          kind: 'failed',
          actor: artifact.actor,
          exitCode: ILLEGAL_ARGUMENT,
          reason: `constructor arguments: ${(error as Error).message}`,
        },
      ]
    }
    this.devnet.actors.putAbi(cidOf(RAW, artifact.wasm), artifact.abi)
    const { result } = await this.devnet.chain.apply([
      {
        power: 'deploy',
        code: artifact.wasm,
        params,
        value: 0n as TokenAmount,
        from: this.devnet.accounts[0]!.address,
      },
    ])
    if (result.exitCode !== 0)
      return [{ kind: 'failed', actor: artifact.actor, exitCode: result.exitCode, reason: result.note }]
    const { id, address } = readDeployed(result.returnData)
    this.devnet.actors.put({ name: artifact.actor, id, address, code: cidOf(RAW, artifact.wasm), abi: artifact.abi })
    await this.devnet.chain.application.store.commit()
    return [{ kind: 'deployed', actor: artifact.actor, id, address, bytes: artifact.wasm.length }]
  }

  /** From the config, or zero, empty and the first account. */
  #constructorParams({ artifact }: Compiled): Uint8Array {
    const { abi } = artifact
    const made = abi.methods.find(({ kind }) => kind === 'constructor')
    if (made === undefined) return new Uint8Array(0)
    const configured = this.project.config.deploy?.[artifact.actor]
    const args = Array.isArray(configured)
      ? configured
      : made.params.map((field) => this.#zero(abi, parseField(field).type))
    return encodeParams(abi, made, args, { resolveAddress: (text) => this.#named(text) })
  }

  #named(text: string): Address | undefined {
    const account = this.devnet.accounts.find(({ name }) => name === text)
    if (account !== undefined) return account.address
    const actor = this.devnet.actors.byName(text)
    return actor === undefined ? undefined : parseAddress(actor.address)
  }

  #zero(abi: Abi, type: AbiType): unknown {
    switch (type.kind) {
      case 'nullable':
        return null
      case 'list':
        return []
      case 'name': {
        const members = abi.enums[type.name]
        if (members !== undefined) return Object.values(members)[0]
        return Object.fromEntries(
          (abi.types[type.name] ?? []).map(parseField).map((field) => [field.name, this.#zero(abi, field.type)]),
        )
      }
      case 'primitive':
        if (type.name === 'bool') return false
        if (type.name === 'string') return ''
        if (type.name === 'bytes') return new Uint8Array(0)
        if (type.name === 'bytes32') return new Uint8Array(32)
        if (type.name === 'address') return this.devnet.accounts[0]!.name
        return 0
      default:
        return []
    }
  }
}

interface Upgrade {
  readonly compiled: Compiled
  readonly known: KnownActor
  readonly mode: 'keep' | 'migrate' | 'discard'
}

/** Actors named in the config come in its order: later ones may take earlier ones' addresses. */
function inOrder(compiled: readonly Compiled[], { config }: Project): Compiled[] {
  const names = Object.keys(config.deploy ?? {})
  const rank = ({ artifact }: Compiled) => {
    const at = names.indexOf(artifact.actor)
    return at < 0 ? names.length : at
  }
  return [...compiled].sort((a, b) => rank(a) - rank(b))
}

function hasUpgrade(wasm: Uint8Array): boolean {
  return WebAssembly.Module.exports(new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>)).some(
    ({ name }) => name === 'upgrade',
  )
}

/** `[[id, robust address, return]]`. */
function readDeployed(bytes: Uint8Array): { readonly id: ActorId; readonly address: string } {
  const reader = new CborReader(bytes)
  reader.tuple(1)
  reader.tuple(3)
  const id = reader.uint() as ActorId
  return { id, address: formatAddress(decodeAddress(reader.bytes())!, 't') }
}
