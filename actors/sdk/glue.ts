// Everything that generated code calls, under one name. Not for authors: `index.ts` is theirs.

export { exit, exitText, exitWith, onAbort, fail, onAssert, ownCode, requireLiteral } from './abort'
export {
  openWriter, readDone, readTuple, writeHead,
} from './cbor'
export { Bytes } from './bytes'
export { blank, read, write } from './codec'
export { attach } from './current'
export { allow } from './guard'
export { closeEntry, emitEvent, openEvent } from './event'
export {
  finish, guardConstructor, finishBytes, openMessage, openParams, paramsAsBytes, refuseValue, unhandled,
} from './message'
export { Result, Target, aim, propagate, readReturn, resultOf, sendTo } from './send'
export { commitState, openState, stateMoved } from './state'
export { TokenAmount } from './token'
