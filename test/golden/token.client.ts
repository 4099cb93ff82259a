// A client for Token, from its ABI.
import { type ActorConnection, type CallOptions, connectActor, type Provider } from 'troupe/client'

export interface BurnFromReturn {
  balance: bigint
  allowance: bigint
}

export interface BurnReturn {
  balance: bigint
}

export interface Grant {
  owner: bigint
  operator: bigint
}

export interface TransferFromReturn {
  fromBalance: bigint
  toBalance: bigint
  allowance: bigint
  recipientData: Uint8Array
}

export interface TransferReturn {
  fromBalance: bigint
  toBalance: bigint
  recipientData: Uint8Array
}

export interface TokenState {
  tokenName: string
  tokenSymbol: string
  minter: bigint
  supply: bigint
  balances: ReadonlyMap<bigint, bigint>
  allowances: ReadonlyMap<Grant, bigint>
}

export type TokenEvent = 
  | { type: 'transfer'; operator: bigint; from: bigint; to: bigint; amount: bigint }
  | { type: 'transfer'; operator: bigint; from: bigint; to: bigint; amount: bigint }

/** The names of this actor's own exit codes. */
export type TokenError = never

export class TokenClient {
  private readonly connection: ActorConnection

  constructor(provider: Provider, address: string | bigint) {
    this.connection = connectActor(provider, address, tokenAbi)
  }

  state(): Promise<TokenState> {
    return this.connection.state()
  }

  events(fromEpoch?: bigint): AsyncIterable<TokenEvent> {
    return this.connection.events(fromEpoch)
  }

  name(): Promise<string> {
    return this.connection.view('Name', [])
  }

  symbol(): Promise<string> {
    return this.connection.view('Symbol', [])
  }

  granularity(): Promise<bigint> {
    return this.connection.view('Granularity', [])
  }

  totalSupply(): Promise<bigint> {
    return this.connection.view('TotalSupply', [])
  }

  balance(owner: string | bigint): Promise<bigint> {
    return this.connection.view('Balance', [owner])
  }

  allowance(owner: string | bigint, operator: string | bigint): Promise<bigint> {
    return this.connection.view('Allowance', [owner, operator])
  }

  mint(to: string | bigint, amount: bigint, options?: CallOptions): Promise<bigint> {
    return this.connection.call('Mint', [to, amount], options)
  }

  transfer(to: string | bigint, amount: bigint, operatorData: Uint8Array, options?: CallOptions): Promise<TransferReturn> {
    return this.connection.call('Transfer', [to, amount, operatorData], options)
  }

  transferFrom(from: string | bigint, to: string | bigint, amount: bigint, operatorData: Uint8Array, options?: CallOptions): Promise<TransferFromReturn> {
    return this.connection.call('TransferFrom', [from, to, amount, operatorData], options)
  }

  increaseAllowance(operator: string | bigint, increase: bigint, options?: CallOptions): Promise<bigint> {
    return this.connection.call('IncreaseAllowance', [operator, increase], options)
  }

  decreaseAllowance(operator: string | bigint, decrease: bigint, options?: CallOptions): Promise<bigint> {
    return this.connection.call('DecreaseAllowance', [operator, decrease], options)
  }

  revokeAllowance(operator: string | bigint, options?: CallOptions): Promise<void> {
    return this.connection.call('RevokeAllowance', [operator], options)
  }

  burn(amount: bigint, options?: CallOptions): Promise<BurnReturn> {
    return this.connection.call('Burn', [amount], options)
  }

  burnFrom(owner: string | bigint, amount: bigint, options?: CallOptions): Promise<BurnFromReturn> {
    return this.connection.call('BurnFrom', [owner, amount], options)
  }

}

export const tokenAbi = {
  "abi": 1,
  "actor": "Token",
  "state": [
    "tokenName: string",
    "tokenSymbol: string",
    "minter: actorid",
    "supply: amount",
    "balances: hamt<actorid,amount>",
    "allowances: hamt<Grant,amount>"
  ],
  "types": {
    "BurnFromReturn": [
      "balance: amount",
      "allowance: amount"
    ],
    "BurnReturn": [
      "balance: amount"
    ],
    "Grant": [
      "owner: actorid",
      "operator: actorid"
    ],
    "TransferFromReturn": [
      "fromBalance: amount",
      "toBalance: amount",
      "allowance: amount",
      "recipientData: bytes"
    ],
    "TransferReturn": [
      "fromBalance: amount",
      "toBalance: amount",
      "recipientData: bytes"
    ]
  },
  "enums": {},
  "methods": [
    {
      "name": "Constructor",
      "number": 1,
      "kind": "constructor",
      "params": [
        "name: string",
        "symbol: string"
      ],
      "encoding": "tuple",
      "at": "actors/token.actor.ts:25:3"
    },
    {
      "name": "Name",
      "number": 48890204,
      "kind": "view",
      "params": [],
      "encoding": "tuple",
      "returns": "string",
      "at": "actors/token.actor.ts:30:9"
    },
    {
      "name": "Symbol",
      "number": 2061153854,
      "kind": "view",
      "params": [],
      "encoding": "tuple",
      "returns": "string",
      "at": "actors/token.actor.ts:31:9"
    },
    {
      "name": "Granularity",
      "number": 3936767397,
      "kind": "view",
      "params": [],
      "encoding": "tuple",
      "returns": "u64",
      "at": "actors/token.actor.ts:32:16"
    },
    {
      "name": "TotalSupply",
      "number": 114981429,
      "kind": "view",
      "params": [],
      "encoding": "tuple",
      "returns": "amount",
      "at": "actors/token.actor.ts:33:9"
    },
    {
      "name": "Balance",
      "number": 3261979605,
      "kind": "view",
      "params": [
        "owner: address"
      ],
      "encoding": "bare",
      "returns": "amount",
      "at": "actors/token.actor.ts:34:15"
    },
    {
      "name": "Allowance",
      "number": 4205072950,
      "kind": "view",
      "params": [
        "owner: address",
        "operator: address"
      ],
      "encoding": "tuple",
      "returns": "amount",
      "at": "actors/token.actor.ts:35:9"
    },
    {
      "name": "Mint",
      "number": 116935346,
      "kind": "method",
      "params": [
        "to: address",
        "amount: amount"
      ],
      "encoding": "tuple",
      "returns": "amount",
      "only": "minter",
      "at": "actors/token.actor.ts:40:3"
    },
    {
      "name": "Transfer",
      "number": 80475954,
      "kind": "method",
      "params": [
        "to: address",
        "amount: amount",
        "operatorData: bytes"
      ],
      "encoding": "tuple",
      "returns": "TransferReturn",
      "at": "actors/token.actor.ts:49:3"
    },
    {
      "name": "TransferFrom",
      "number": 3621052141,
      "kind": "method",
      "params": [
        "from: address",
        "to: address",
        "amount: amount",
        "operatorData: bytes"
      ],
      "encoding": "tuple",
      "returns": "TransferFromReturn",
      "at": "actors/token.actor.ts:58:3"
    },
    {
      "name": "IncreaseAllowance",
      "number": 1777121560,
      "kind": "method",
      "params": [
        "operator: address",
        "increase: amount"
      ],
      "encoding": "tuple",
      "returns": "amount",
      "at": "actors/token.actor.ts:68:3"
    },
    {
      "name": "DecreaseAllowance",
      "number": 1529376545,
      "kind": "method",
      "params": [
        "operator: address",
        "decrease: amount"
      ],
      "encoding": "tuple",
      "returns": "amount",
      "at": "actors/token.actor.ts:74:3"
    },
    {
      "name": "RevokeAllowance",
      "number": 2765635761,
      "kind": "method",
      "params": [
        "operator: address"
      ],
      "encoding": "tuple",
      "at": "actors/token.actor.ts:80:11"
    },
    {
      "name": "Burn",
      "number": 1434719642,
      "kind": "method",
      "params": [
        "amount: amount"
      ],
      "encoding": "tuple",
      "returns": "BurnReturn",
      "at": "actors/token.actor.ts:82:11"
    },
    {
      "name": "BurnFrom",
      "number": 2979674018,
      "kind": "method",
      "params": [
        "owner: address",
        "amount: amount"
      ],
      "encoding": "tuple",
      "returns": "BurnFromReturn",
      "at": "actors/token.actor.ts:87:11"
    }
  ],
  "events": [
    {
      "name": "transfer",
      "fields": [
        "operator: actorid",
        "from: actorid",
        "to: actorid",
        "amount: amount"
      ],
      "indexed": [
        "operator",
        "from",
        "to",
        "amount"
      ],
      "form": "cbor"
    },
    {
      "name": "transfer",
      "fields": [
        "operator: actorid",
        "from: actorid",
        "to: actorid",
        "amount: amount"
      ],
      "indexed": [
        "operator",
        "from",
        "to",
        "amount"
      ],
      "form": "cbor"
    }
  ],
  "errors": {},
  "evm": [],
  "standards": [
    "FRC-46"
  ]
} as const
