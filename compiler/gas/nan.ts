/**
 * Canonical NaNs. The reference's compiler replaces a NaN that an operation computed by the positive quiet one; V8 keeps whatever the
 * processor made. So each such operation is followed by `x == x ? x : canonical`, neither metered nor counted by the stack limiter.
 * @source spec/fvm.md 8.9 (cranelift's `nan_canonicalization` in the wasmtime 36 series)
 */
import { OP, OPCODE_SLOTS, OPCODES, opcodeSlot } from '../wasm/opcodes.ts'
import { type Sink, writeByte, writeU32 } from '../wasm/writer.ts'

const COMPUTED = ['add', 'sub', 'mul', 'div', 'min', 'max', 'sqrt', 'ceil', 'floor', 'trunc', 'nearest']

/** The result of an instruction may be a NaN of its own making: `NO_NAN`, or the float type. */
export const NO_NAN = 0
export const NAN_F32 = 1
export const NAN_F64 = 2

/** By slot. */
export const NAN_RESULT: Uint8Array = new Uint8Array(OPCODE_SLOTS)

for (const [code, name] of OPCODES) {
  const [type, operation] = name.split('.')
  const computes = COMPUTED.includes(operation!) || operation === 'demote_f64' || operation === 'promote_f32'
  if (type === 'f32' && computes) NAN_RESULT[opcodeSlot(code)] = NAN_F32
  if (type === 'f64' && computes) NAN_RESULT[opcodeSlot(code)] = NAN_F64
}

/** Replaces a NaN on the stack by the canonical one, through the local `temporary`. */
export function writeCanonicalNan(out: Sink, result: number, temporary: number): void {
  writeLocal(out, OP.localSet, temporary)
  writeCanonicalOfLocal(out, result, temporary)
}

/** The value of `local`, or the canonical NaN for any NaN. */
export function writeCanonicalOfLocal(out: Sink, result: number, local: number): void {
  writeLocal(out, OP.localGet, local)
  const constant = result === NAN_F32 ? [0x43, 0x00, 0x00, 0xc0, 0x7f] : [0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f]
  for (const byte of constant) writeByte(out, byte)
  writeLocal(out, OP.localGet, local)
  writeLocal(out, OP.localGet, local)
  writeByte(out, result === NAN_F32 ? OP.f32Eq : OP.f64Eq)
  writeByte(out, OP.select)
}

function writeLocal(out: Sink, opcode: number, local: number): void {
  writeByte(out, opcode)
  writeU32(out, local)
}
