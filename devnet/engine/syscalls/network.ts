/** `network`: the block that a message runs in. @source ref-fvm `fvm/src/syscalls/network.rs` */
import { FatalError } from '../failure.ts'
import type { Guest } from '../guest.ts'
import type { Syscall } from './syscall.ts'
import { syscall, toU64 } from './syscall.ts'

const U128_MAX = (1n << 128n) - 1n

export const networkSyscalls: Readonly<Record<string, Syscall>> = {
  context: syscall('i32', 44, context),
  tipset_cid: syscall('i32 i64 i32 i32', 4, tipsetCid),
  total_fil_circ_supply: syscall('i32', 16, circulatingSupply),
}

/** Writes: epoch i64, timestamp u64, base fee 16 bytes, chain id u64, network version u32 (44 bytes). */
function context({ kernel, memory }: Guest, out: number): void {
  const { machine } = kernel.calls
  kernel.chargeNetworkContext()
  if (machine.baseFee > U128_MAX || machine.baseFee < 0n) throw new FatalError('the base fee exceeds 128 bits')
  const { view } = memory
  const at = out >>> 0
  view.setBigInt64(at, machine.epoch, true)
  view.setBigUint64(at + 8, machine.timestamp, true)
  memory.writeU128(at + 16, machine.baseFee)
  view.setBigUint64(at + 32, toU64(machine.chainId), true)
  view.setUint32(at + 40, machine.networkVersion, true)
}

/** Writes the CID of the tipset at `epoch` into a buffer; the result is its size. */
function tipsetCid({ kernel, memory }: Guest, out: number, epoch: bigint, at: number, size: number): void {
  memory.check(at >>> 0, size >>> 0)
  const cid = kernel.tipsetCid(epoch)
  memory.view.setUint32(out >>> 0, memory.writeBinary(cid, at >>> 0, size >>> 0), true)
}

/** Writes the circulating supply, 16 bytes. */
function circulatingSupply({ kernel, memory }: Guest, out: number): void {
  const supply = kernel.calls.machine.circulatingSupply
  if (supply > U128_MAX || supply < 0n) throw new FatalError('the circulating supply exceeds 128 bits')
  memory.writeU128(out >>> 0, supply)
}
