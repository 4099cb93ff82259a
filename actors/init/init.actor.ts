// Actor 1: gives out ids and addresses, and makes actors. Genuine networks make only multisigs and payment channels for
// users; a devnet also makes actors of code that was installed there.

import {
  ActorId, ActorType, Actors, Address, Bytes, Cid, ExitCode, Hamt, Result, TokenAmount,
  actor, call, fail, method, msg, payable, require,
} from 'troupe/actor'

const SYSTEM_ACTOR: u64 = 0
const EAM_ACTOR: u64 = 10
const CONSTRUCTOR: u64 = 1
const FIRST_USER_ID: ActorId = 100

export class ExecReturn {
  constructor(
    public idAddress: Address,
    public robustAddress: Address,
  ) {}
}

@actor
export class Init {
  addressMap: Hamt<Address, ActorId> = new Hamt<Address, ActorId>()
  nextId: ActorId = FIRST_USER_ID
  networkName: string

  constructor(networkName: string) {
    require(msg.caller == SYSTEM_ACTOR, 'only the system calls', ExitCode.Forbidden)
    this.networkName = networkName
  }

  /** Makes an actor of `codeCid` and runs its constructor. */
  @payable
  @method(2)
  exec(codeCid: Cid, constructorParams: Bytes): ExecReturn {
    this.refuseCode(codeCid)
    const robust = Actors.nextAddress()
    const id = this.takeId()
    this.register(robust, id)
    return this.create(codeCid, id, robust, null, constructorParams)
  }

  /** The same for the Ethereum address manager, whose actors have an address of their creator's choice. */
  @payable
  @method(3)
  exec4(codeCid: Cid, constructorParams: Bytes, subaddress: Bytes): ExecReturn {
    require(msg.caller == EAM_ACTOR, 'only the Ethereum address manager calls', ExitCode.Forbidden)
    const delegated = Address.delegated(EAM_ACTOR, subaddress)
    const robust = Actors.nextAddress()
    let id: ActorId
    if (this.addressMap.has(delegated)) {
      id = this.addressMap.get(delegated)
      require(Actors.isBuiltin(id, ActorType.Placeholder), 'another actor has this address', ExitCode.Forbidden)
    } else {
      id = this.takeId()
      this.addressMap.set(delegated, id)
    }
    this.register(robust, id)
    return this.create(codeCid, id, robust, delegated, constructorParams)
  }

  private takeId(): ActorId {
    return this.nextId++
  }

  private register(address: Address, id: ActorId): void {
    require(!this.addressMap.has(address), 'the address is taken', ExitCode.Forbidden)
    this.addressMap.set(address, id)
  }

  private create(code: Cid, id: ActorId, robust: Address, delegated: Address | null, params: Bytes): ExecReturn {
    require(Actors.create(id, code, delegated) == 0, 'the actor cannot be made', ExitCode.Forbidden)
    const constructed = call<ActorId>(id, CONSTRUCTOR, params, msg.value)
    if (!constructed.ok) fail(constructed.exitCode, 'constructor failed')
    return new ExecReturn(Address.fromId(id), robust)
  }

  /** Built-in code is for its own makers; code of type 0 was installed by the developer. */
  private refuseCode(code: Cid): void {
    const type = Actors.typeOf(code)
    if (type == 0 || type == ActorType.Multisig || type == ActorType.PaymentChannel) return
    const byPower = type == ActorType.Miner && Actors.typeOf(Actors.codeOf(msg.caller)) == ActorType.Power
    require(byPower, 'this code is not for everybody', ExitCode.Forbidden)
  }
}
