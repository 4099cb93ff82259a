// Actor 0: names the manifest of built-in actors. It sends implicit messages and receives none.

import { Cid, actor } from 'troupe/actor'

@actor
export class System {
  /** The manifest's data: `[[name, code]…]`. */
  builtinActors: Cid

  constructor(builtinActors: Cid) {
    this.builtinActors = builtinActors
  }
}
