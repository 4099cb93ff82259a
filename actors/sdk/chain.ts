// The network around the message: epoch, time, fees, identity, randomness.

import * as network from './sys/network'
import * as rand from './sys/rand'
import { check } from './abort'
import { Bytes } from './bytes'
import { Cid } from './cid'
import { hashBytes, BLAKE2B_256 } from './crypto'
import { TokenAmount } from './token'

/** epoch 0, timestamp 8, base fee 16, chain ID 32, network version 40. */
const CONTEXT: usize = memory.data(48)
const OUT: usize = memory.data(8)
const CID_SIZE_MAX: u32 = 100

let isLoaded: bool = false

function context(): usize {
  if (!isLoaded) {
    check(network.context(CONTEXT))
    isLoaded = true
  }
  return CONTEXT
}

/** blake2b-256 of tag, draw, epoch and entropy, integers as i64 big-endian: what built-in actors do. */
function derive(tag: i64, draw: usize, epoch: i64, entropy: Bytes): Bytes {
  const size = 48 + entropy.length
  const at = __alloc(size)
  store<i64>(at, bswap(tag))
  memory.copy(at + 8, draw, 32)
  store<i64>(at, bswap(epoch), 40)
  memory.copy(at + 48, entropy.ptr, entropy.length)
  return hashBytes(BLAKE2B_256, new Bytes(at, size), 32)
}

export class chain {
  static get epoch(): i64 {
    return load<i64>(context())
  }
  /** Seconds since 1970. */
  static get timestamp(): u64 {
    return load<u64>(context(), 8)
  }
  static get baseFee(): TokenAmount {
    const at = context()
    return new TokenAmount(load<u64>(at, 16), load<u64>(at, 24))
  }
  static get id(): u64 {
    return load<u64>(context(), 32)
  }
  static get networkVersion(): u32 {
    return load<u32>(context(), 40)
  }

  /** The CID of the tipset at an epoch of the last 900. */
  static tipsetCid(epoch: i64): Cid {
    const at = __alloc(CID_SIZE_MAX)
    check(network.tipset_cid(OUT, epoch, at, CID_SIZE_MAX))
    return new Cid(at, load<u32>(OUT))
  }

  /** 32 bytes nobody chose, from the chain. Always fails on IPC subnets. */
  static randomness(tag: i64, epoch: i64, entropy: Bytes): Bytes {
    const draw = __alloc(32)
    check(rand.get_chain_randomness(draw, epoch))
    return derive(tag, draw, epoch, entropy)
  }

  /** 32 bytes nobody could know, from the beacon. Always fails on IPC subnets. */
  static beacon(tag: i64, epoch: i64, entropy: Bytes): Bytes {
    const draw = __alloc(32)
    check(rand.get_beacon_randomness(draw, epoch))
    return derive(tag, draw, epoch, entropy)
  }

  static get circulatingSupply(): TokenAmount {
    const at = __alloc(16)
    check(network.total_fil_circ_supply(at))
    return new TokenAmount(load<u64>(at), load<u64>(at, 8))
  }
}
