/** CometBFT's RPC on Troupe's port: HTTP, URIs and WebSockets below one path. */

import type { ConsensusView } from '../../node/chain.ts'
import type { Clock } from '../../node/ports.ts'
import type { Mount } from '../server.ts'
import type { CometNode } from './node.ts'
import { answerRequest, PROTOCOL_LIMITS } from './protocol.ts'
import { openSession } from './session.ts'
import { Subscriptions } from './subscriptions.ts'

/** `view` tells of new blocks, and of rounds. */
export function mountComet(
  node: CometNode,
  view: Pick<ConsensusView, 'onFinalized' | 'onPassage'>,
  clock: Clock,
): Mount {
  const subscriptions = new Subscriptions(view)
  view.onFinalized((finalized) => subscriptions.publish(finalized))
  return {
    bodyBytesMax: PROTOCOL_LIMITS.bodyBytes,
    answer: (request) => answerRequest(node, request),
    converses: (path) => path === '/websocket',
    converse: (socket) => openSession(socket, { node, subscriptions, clock }),
  }
}
