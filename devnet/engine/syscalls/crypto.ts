/** `crypto`. @source ref-fvm `fvm/src/syscalls/crypto.rs`, `filecoin.rs`; spec fvm §5.9 */
import { ErrorNumber, SyscallError } from '../failure.ts'
import type { Guest } from '../guest.ts'
import {
  decodeAggregateSeals,
  decodePieces,
  decodeReplicaUpdate,
  decodeSealBatch,
  decodeWindowPost,
} from '../proofs.ts'
import type { Syscall } from './syscall.ts'
import { syscall } from './syscall.ts'

const SECP_SIGNATURE_BYTES = 65
const SECP_HASH_BYTES = 32
const BLS_KEY_BYTES = 48
const BLS_SIGNATURE_BYTES = 96
const VALID = 0
const INVALID = -1

export const cryptoSyscalls: Readonly<Record<string, Syscall>> = {
  verify_signature: syscall('i32 i32 i32 i32 i32 i32 i32 i32', 4, verifySignature),
  verify_bls_aggregate: syscall('i32 i32 i32 i32 i32 i32', 4, verifyBlsAggregate),
  recover_secp_public_key: syscall('i32 i32 i32', 65, recoverSecpPublicKey),
  hash: syscall('i32 i64 i32 i32 i32 i32', 4, hash),
  compute_unsealed_sector_cid: syscall('i32 i64 i32 i32 i32 i32', 4, computeUnsealedSectorCid),
  verify_post: syscall('i32 i32 i32', 4, verifyPost),
  verify_consensus_fault: syscall('i32 i32 i32 i32 i32 i32 i32', 20, verifyConsensusFault),
  verify_aggregate_seals: syscall('i32 i32 i32', 4, verifyAggregateSeals),
  verify_replica_update: syscall('i32 i32 i32', 4, verifyReplicaUpdate),
  batch_verify_seals: syscall('i32 i32 i32', 0, batchVerifySeals),
}

/** The result is 0 for a valid signature and −1 for any other. */
function verifySignature(
  { kernel, memory }: Guest,
  out: number,
  type: number,
  signatureAt: number,
  signatureSize: number,
  addressAt: number,
  addressSize: number,
  plaintextAt: number,
  plaintextSize: number,
): void {
  if (type !== 1 && type !== 2) throw new SyscallError(ErrorNumber.IllegalArgument, `signature type ${type} is unknown`)
  const signature = memory.slice(signatureAt >>> 0, signatureSize >>> 0)
  const signer = memory.readAddress(addressAt >>> 0, addressSize >>> 0)
  const plaintext = memory.slice(plaintextAt >>> 0, plaintextSize >>> 0)
  const isValid = kernel.verifySignature(type, signature, signer, plaintext)
  memory.view.setInt32(out >>> 0, isValid ? VALID : INVALID, true)
}

/** Plaintexts lie one after the other, their sizes as u32 in another buffer, whose sum wraps. */
function verifyBlsAggregate(
  { kernel, memory }: Guest,
  out: number,
  signers: number,
  signatureAt: number,
  keysAt: number,
  plaintextsAt: number,
  sizesAt: number,
): void {
  const count = signers >>> 0
  if (count * BLS_KEY_BYTES > 0xffff_ffff) throw new SyscallError(ErrorNumber.IllegalArgument, 'too many signers')
  const signature = memory.slice(signatureAt >>> 0, BLS_SIGNATURE_BYTES)
  const allKeys = memory.slice(keysAt >>> 0, count * BLS_KEY_BYTES)
  memory.check(sizesAt >>> 0, count * 4)
  const keys: Uint8Array[] = []
  const sizes: number[] = []
  let total = 0
  for (let i = 0; i < count; i++) {
    keys.push(allKeys.subarray(i * BLS_KEY_BYTES, (i + 1) * BLS_KEY_BYTES))
    const size = memory.view.getUint32((sizesAt >>> 0) + i * 4, true)
    sizes.push(size)
    total = (total + size) >>> 0
  }
  const plaintexts = memory.slice(plaintextsAt >>> 0, total)
  const isValid = kernel.verifyBlsAggregate(signature, keys, plaintexts, sizes)
  memory.view.setInt32(out >>> 0, isValid ? VALID : INVALID, true)
}

/** Writes the uncompressed key, 65 bytes. */
function recoverSecpPublicKey({ kernel, memory }: Guest, out: number, hashAt: number, signatureAt: number): void {
  const digest = memory.slice(hashAt >>> 0, SECP_HASH_BYTES)
  const key = kernel.recoverKey(digest, memory.slice(signatureAt >>> 0, SECP_SIGNATURE_BYTES))
  memory.bytes.set(key, out >>> 0)
}

/** Copies as much of the digest as fits; the result is how much. */
function hash(
  { kernel, memory }: Guest,
  out: number,
  code: bigint,
  at: number,
  size: number,
  digestAt: number,
  digestSize: number,
): void {
  memory.check(digestAt >>> 0, digestSize >>> 0)
  const digest = kernel.hash(code, memory.slice(at >>> 0, size >>> 0))
  const length = Math.min(digest.length, digestSize >>> 0)
  memory.bytes.set(length < digest.length ? digest.subarray(0, length) : digest, digestAt >>> 0)
  memory.view.setUint32(out >>> 0, length, true)
}

/** Writes the CID into a buffer; the result is its size. */
function computeUnsealedSectorCid(
  { kernel, memory }: Guest,
  out: number,
  proofType: bigint,
  at: number,
  size: number,
  cidAt: number,
  cidSize: number,
): void {
  if (proofType < 0n || proofType > kernel.calls.machine.line.sealProofMax) {
    throw new SyscallError(ErrorNumber.IllegalArgument, `seal proof type ${proofType} is unknown`)
  }
  const pieces = decodePieces(memory.slice(at >>> 0, size >>> 0))
  memory.check(cidAt >>> 0, cidSize >>> 0)
  const cid = kernel.unsealedSectorCid(proofType, pieces)
  memory.view.setUint32(out >>> 0, memory.writeBinary(cid, cidAt >>> 0, cidSize >>> 0), true)
}

/** Writes 0 for a good proof and −1 for a bad one. @throws {SyscallError} IllegalArgument when nobody can tell */
function answer({ memory }: Guest, out: number, isValid: boolean | undefined): void {
  if (isValid === undefined) {
    throw new SyscallError(ErrorNumber.IllegalArgument, 'this machine cannot verify proofs of storage')
  }
  memory.view.setInt32(out >>> 0, isValid ? VALID : INVALID, true)
}

function verifyPost(guest: Guest, out: number, at: number, size: number): void {
  const { kernel, memory } = guest
  const question = memory.slice(at >>> 0, size >>> 0)
  kernel.chargeVerifyPost(decodeWindowPost(question).sectors)
  answer(guest, out, kernel.calls.machine.proofs.verifyPost(question))
}

function verifyAggregateSeals(guest: Guest, out: number, at: number, size: number): void {
  const { kernel, memory } = guest
  const question = memory.slice(at >>> 0, size >>> 0)
  const { sealType, infos } = decodeAggregateSeals(question)
  kernel.chargeVerifyAggregateSeals(sealType, infos)
  answer(guest, out, kernel.calls.machine.proofs.verifyAggregateSeals(question))
}

function verifyReplicaUpdate(guest: Guest, out: number, at: number, size: number): void {
  const { kernel, memory } = guest
  const question = memory.slice(at >>> 0, size >>> 0)
  decodeReplicaUpdate(question)
  kernel.chargeVerifyReplicaUpdate()
  answer(guest, out, kernel.calls.machine.proofs.verifyReplicaUpdate(question))
}

/** Writes one byte a seal: 1 for a good one. */
function batchVerifySeals({ kernel, memory }: Guest, at: number, size: number, resultAt: number): void {
  const question = memory.slice(at >>> 0, size >>> 0)
  const count = decodeSealBatch(question)
  memory.check(resultAt >>> 0, count)
  for (let i = 0; i < count; i++) kernel.chargeVerifySeal()
  const answers = kernel.calls.machine.proofs.verifySeals(question, count)
  for (let i = 0; i < count; i++) memory.bytes[(resultAt >>> 0) + i] = answers[i] === true ? 1 : 0
}

/** Writes: epoch i64, target u64, fault u32 (20 bytes); all zero for no fault. */
function verifyConsensusFault(
  { kernel, memory }: Guest,
  out: number,
  at1: number,
  size1: number,
  at2: number,
  size2: number,
  at3: number,
  size3: number,
): void {
  const header1 = memory.slice(at1 >>> 0, size1 >>> 0)
  const header2 = memory.slice(at2 >>> 0, size2 >>> 0)
  const extra = memory.slice(at3 >>> 0, size3 >>> 0)
  const fault = kernel.verifyConsensusFault(header1, header2, extra)
  const start = out >>> 0
  memory.view.setBigInt64(start, fault?.epoch ?? 0n, true)
  memory.view.setBigUint64(start + 8, fault?.target ?? 0n, true)
  memory.view.setUint32(start + 16, fault?.kind ?? 0, true)
}
