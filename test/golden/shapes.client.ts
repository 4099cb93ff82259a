// A client for Shapes, from its ABI.
import { type ActorConnection, type CallOptions, connectActor, type Provider } from 'troupe/client'

export interface Chain {
  value: number
  next: Chain | null
}

export interface Named {
  x: number
  y: number
  name: string
  tags: (string)[]
}

export interface Pair_actorid_amount {
  first: bigint
  second: bigint
}

export type Phase = 'Open' | 'Closed' | 'Gone'

export interface Point {
  x: number
  y: number
}

export interface ShapesState {
  flag: boolean
  phase: Phase
  named: Named
  maybe: Point | null
  words: (number)[]
  pairs: (Pair_actorid_amount)[]
  wide: bigint
  hash: Uint8Array
  chain: Chain
  lazy: Point
  inner: ReadonlyMap<bigint, ReadonlyMap<bigint, string>>
  small: ReadonlyMap<bigint, boolean>
}

export type ShapesEvent = never

/** The names of this actor's own exit codes. */
export type ShapesError = never

export class ShapesClient {
  private readonly connection: ActorConnection

  constructor(provider: Provider, address: string | bigint) {
    this.connection = connectActor(provider, address, shapesAbi)
  }

  state(): Promise<ShapesState> {
    return this.connection.state()
  }

  events(fromEpoch?: bigint): AsyncIterable<ShapesEvent> {
    return this.connection.events(fromEpoch)
  }

  setNamed(name: string, tags: (string)[], point: Point, options?: CallOptions): Promise<Named> {
    return this.connection.call('SetNamed', [name, tags, point], options)
  }

  getNamed(): Promise<Named> {
    return this.connection.view('GetNamed', [])
  }

  getMaybe(): Promise<Point | null> {
    return this.connection.view('GetMaybe', [])
  }

  getCounter(): Promise<number> {
    return this.connection.view('GetCounter', [])
  }

  close(options?: CallOptions): Promise<Phase> {
    return this.connection.call('Close', [], options)
  }

  addPair(who: bigint, amount: bigint, options?: CallOptions): Promise<number> {
    return this.connection.call('AddPair', [who, amount], options)
  }

  link(values: (number)[], options?: CallOptions): Promise<void> {
    return this.connection.call('Link', [values], options)
  }

  setInner(a: bigint, b: bigint, text: string, options?: CallOptions): Promise<void> {
    return this.connection.call('SetInner', [a, b, text], options)
  }

  getInner(a: bigint, b: bigint): Promise<string> {
    return this.connection.view('GetInner', [a, b])
  }

  setSmall(from: bigint, to: bigint, options?: CallOptions): Promise<void> {
    return this.connection.call('SetSmall', [from, to], options)
  }

  hasSmall(id: bigint): Promise<boolean> {
    return this.connection.view('HasSmall', [id])
  }

  setLazy(x: number, options?: CallOptions): Promise<number> {
    return this.connection.call('SetLazy', [x], options)
  }

  echoCid(cid: string): Promise<string> {
    return this.connection.view('EchoCid', [cid])
  }

  echoAddress(address: string | bigint): Promise<string | bigint> {
    return this.connection.view('EchoAddress', [address])
  }

  echoInts(a: number, b: bigint, c: number): Promise<(bigint)[]> {
    return this.connection.view('EchoInts', [a, b, c])
  }

  roundTrip(text: string): Promise<string> {
    return this.connection.view('RoundTrip', [text])
  }

  join(a: Uint8Array, b: Uint8Array): Promise<Uint8Array> {
    return this.connection.view('Join', [a, b])
  }

}

export const shapesAbi = {
  "abi": 1,
  "actor": "Shapes",
  "doc": "Everything that can be stored.",
  "state": [
    "flag: bool",
    "phase: Phase",
    "named: Named",
    "maybe: Point?",
    "words: [u16]",
    "pairs: [Pair_actorid_amount]",
    "wide: u256",
    "hash: bytes32",
    "chain: Chain",
    "lazy: lazy<Point>",
    "inner: hamt<u64,hamt<u64,string>>",
    "small: hamt<actorid,bool,3>"
  ],
  "types": {
    "Chain": [
      "value: u8",
      "next: Chain?"
    ],
    "Named": [
      "x: i32",
      "y: i16",
      "name: string",
      "tags: [string]"
    ],
    "Pair_actorid_amount": [
      "first: actorid",
      "second: amount"
    ],
    "Point": [
      "x: i32",
      "y: i16"
    ]
  },
  "enums": {
    "Phase": {
      "Open": 0,
      "Closed": 7,
      "Gone": 8
    }
  },
  "methods": [
    {
      "name": "Constructor",
      "number": 1,
      "kind": "constructor",
      "params": [],
      "encoding": "tuple"
    },
    {
      "name": "SetNamed",
      "number": 3264467532,
      "kind": "method",
      "params": [
        "name: string",
        "tags: [string]",
        "point: Point"
      ],
      "encoding": "tuple",
      "returns": "Named",
      "at": "actors/shapes.actor.ts:34:3"
    },
    {
      "name": "GetNamed",
      "number": 2657128511,
      "kind": "view",
      "params": [],
      "encoding": "tuple",
      "returns": "Named",
      "at": "actors/shapes.actor.ts:43:9"
    },
    {
      "name": "GetMaybe",
      "number": 946550088,
      "kind": "view",
      "params": [],
      "encoding": "tuple",
      "returns": "Point?",
      "at": "actors/shapes.actor.ts:44:9"
    },
    {
      "name": "GetCounter",
      "number": 2227205155,
      "kind": "view",
      "params": [],
      "encoding": "tuple",
      "returns": "u32",
      "at": "actors/shapes.actor.ts:45:9"
    },
    {
      "name": "Close",
      "number": 848388411,
      "kind": "method",
      "params": [],
      "encoding": "tuple",
      "returns": "Phase",
      "at": "actors/shapes.actor.ts:46:11"
    },
    {
      "name": "AddPair",
      "number": 3630866077,
      "kind": "method",
      "params": [
        "who: actorid",
        "amount: amount"
      ],
      "encoding": "tuple",
      "returns": "u32",
      "at": "actors/shapes.actor.ts:47:11"
    },
    {
      "name": "Link",
      "number": 1168320754,
      "kind": "method",
      "params": [
        "values: [u8]"
      ],
      "encoding": "tuple",
      "at": "actors/shapes.actor.ts:48:11"
    },
    {
      "name": "SetInner",
      "number": 1305007459,
      "kind": "method",
      "params": [
        "a: u64",
        "b: u64",
        "text: string"
      ],
      "encoding": "tuple",
      "at": "actors/shapes.actor.ts:53:11"
    },
    {
      "name": "GetInner",
      "number": 988432556,
      "kind": "view",
      "params": [
        "a: u64",
        "b: u64"
      ],
      "encoding": "tuple",
      "returns": "string",
      "at": "actors/shapes.actor.ts:58:9"
    },
    {
      "name": "SetSmall",
      "number": 2307926170,
      "kind": "method",
      "params": [
        "from: actorid",
        "to: actorid"
      ],
      "encoding": "tuple",
      "at": "actors/shapes.actor.ts:59:11"
    },
    {
      "name": "HasSmall",
      "number": 2869550452,
      "kind": "view",
      "params": [
        "id: actorid"
      ],
      "encoding": "tuple",
      "returns": "bool",
      "at": "actors/shapes.actor.ts:60:9"
    },
    {
      "name": "SetLazy",
      "number": 4054679859,
      "kind": "method",
      "params": [
        "x: i32"
      ],
      "encoding": "tuple",
      "returns": "i32",
      "at": "actors/shapes.actor.ts:61:11"
    },
    {
      "name": "EchoCid",
      "number": 499913727,
      "kind": "view",
      "params": [
        "cid: cid"
      ],
      "encoding": "tuple",
      "returns": "cid",
      "at": "actors/shapes.actor.ts:62:16"
    },
    {
      "name": "EchoAddress",
      "number": 1584265289,
      "kind": "view",
      "params": [
        "address: address"
      ],
      "encoding": "tuple",
      "returns": "address",
      "at": "actors/shapes.actor.ts:63:16"
    },
    {
      "name": "EchoInts",
      "number": 2552744191,
      "kind": "view",
      "params": [
        "a: i8",
        "b: i64",
        "c: u16"
      ],
      "encoding": "tuple",
      "returns": "[i64]",
      "at": "actors/shapes.actor.ts:64:16"
    },
    {
      "name": "RoundTrip",
      "number": 996450101,
      "kind": "view",
      "params": [
        "text: string"
      ],
      "encoding": "tuple",
      "returns": "string",
      "at": "actors/shapes.actor.ts:65:16"
    },
    {
      "name": "Join",
      "number": 2758473253,
      "kind": "view",
      "params": [
        "a: bytes",
        "b: bytes"
      ],
      "encoding": "tuple",
      "returns": "bytes",
      "at": "actors/shapes.actor.ts:66:16"
    }
  ],
  "events": [],
  "errors": {},
  "evm": [],
  "standards": []
} as const
