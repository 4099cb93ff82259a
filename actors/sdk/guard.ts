// `@only`: who may call a method.

import { Address } from './address'
import { forbid, msg } from './message'

/** Passes when the caller is `who`, is among `who`, or when `who` is true. */
export function allow<T>(who: T): void {
  if (isBoolean<T>()) {
    if (!who) forbid()
  } else if (isInteger<T>()) {
    if (<u64>who != msg.caller) forbid()
  } else if (isArray<T>()) {
    for (let i = 0; i < who.length; i++) {
      if (<u64>who[i] == msg.caller) return
    }
    forbid()
  } else if (changetype<Address>(who).id() != msg.caller) forbid()
}
