/** The last look at the finished module: what it imports and exports, how large it is, what its code CID will be. */
import { blake2b } from '@noble/hashes/blake2.js'
import type { Range } from 'assemblyscript'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import type { AbiBuild } from '../abi/schema.ts'
import type { Report } from './report.ts'

/**
 * System calls that every genuine build links. `actor.upgrade_actor` and `actor.install_actor` are not among them.
 *
 * @source ref-fvm `fvm/src/syscalls/mod.rs`
 */
const SYSCALLS: Readonly<Record<string, readonly string[]>> = {
  vm: ['message_context', 'exit'],
  ipld: ['block_open', 'block_read', 'block_create', 'block_stat', 'block_link'],
  self: ['root', 'set_root', 'current_balance', 'self_destruct'],
  send: ['send'],
  actor: [
    'resolve_address',
    'lookup_delegated_address',
    'get_actor_code_cid',
    'get_builtin_actor_type',
    'get_code_cid_for_type',
    'next_actor_address',
    'create_actor',
    'balance_of',
  ],
  network: ['context', 'tipset_cid', 'total_fil_circ_supply'],
  crypto: [
    'hash',
    'verify_signature',
    'verify_bls_aggregate',
    'recover_secp_public_key',
    'compute_unsealed_sector_cid',
    'verify_post',
    'verify_consensus_fault',
    'verify_aggregate_seals',
    'verify_replica_update',
    'batch_verify_seals',
  ],
  rand: ['get_chain_randomness', 'get_beacon_randomness'],
  event: ['emit_event'],
  gas: ['available', 'charge'],
  debug: ['enabled', 'log', 'store_artifact'],
}

const EXPORTS: ReadonlySet<string> = new Set(['invoke', 'memory', 'upgrade'])

/** Multicodecs. */
const RAW = 0x55
const BLAKE2B_256 = 0xb220

const START_SECTION = 8

export interface LinkInput {
  readonly wasm: Uint8Array
  readonly report: Report
  /** Where problems of the whole module are reported. */
  readonly range: Range
  readonly sizeLimit: number | undefined
  readonly versions: { readonly sdk: string; readonly asc: string }
}

/** Checks the module against the FVM's contract and describes it. */
export function linkModule({ wasm, report, range, sizeLimit, versions }: LinkInput): AbiBuild {
  const module = new WebAssembly.Module(new Uint8Array(wasm))
  const imports: string[] = []
  for (const entry of WebAssembly.Module.imports(module)) {
    const name = `${entry.module}.${entry.name}`
    if (entry.kind === 'function' && isSyscall(entry.module, entry.name)) imports.push(name)
    else report.add(6001, range, name, 'something in the standard library wants it; leave that out')
  }
  for (const entry of WebAssembly.Module.exports(module)) {
    if (!EXPORTS.has(entry.name)) report.add(6002, range, entry.name)
  }
  if (sectionIds(wasm).includes(START_SECTION)) report.add(6003, range, '`start section`')
  if (sizeLimit !== undefined && wasm.length > sizeLimit) {
    report.add(6006, range, String(wasm.length), String(sizeLimit), '`troupe inspect` lists the largest functions')
  }
  const digest = create(BLAKE2B_256, blake2b(wasm, { dkLen: 32 }))
  return {
    sdk: versions.sdk,
    asc: versions.asc,
    bytes: wasm.length,
    codeCid: CID.createV1(RAW, digest).toString(),
    imports: imports.sort(),
  }
}

/** Whether every genuine FVM links that import. */
export function isSyscall(module: string, name: string): boolean {
  return SYSCALLS[module]?.includes(name) ?? false
}

function sectionIds(wasm: Uint8Array): number[] {
  const ids: number[] = []
  for (let at = 8; at < wasm.length; ) {
    ids.push(wasm[at++] ?? 0)
    let size = 0
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++] ?? 0
      size |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    at += size
  }
  return ids
}
