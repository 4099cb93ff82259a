// An account of an Ethereum address. The machine makes it of a placeholder that sends its first message.

import { Actors, Bytes, ExitCode, actor, fail, fallback, msg, require } from 'troupe/actor'

const SYSTEM_ACTOR: u64 = 0
const FIRST_EXPORTED: u64 = 1 << 24

@actor
export class EthAccount {
  constructor() {
    require(msg.caller == SYSTEM_ACTOR, 'only the system makes accounts', ExitCode.Forbidden)
    if (!Actors.delegated(msg.receiver)) fail(ExitCode.IllegalArgument, 'not the address of an Ethereum account')
  }

  @fallback
  accept(number: u64, params: Bytes): Bytes {
    if (number < FIRST_EXPORTED) fail(ExitCode.UnhandledMessage, 'no such method')
    return Bytes.empty
  }
}
