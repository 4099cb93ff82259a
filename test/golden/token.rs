//! Token, from its ABI.

use cid::Cid;
use fvm_ipld_encoding::strict_bytes::ByteBuf as RawBytesValue;
use fvm_ipld_encoding::tuple::*;
use fvm_shared::ActorID;
use fvm_shared::MethodNum;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use serde::{Deserialize, Serialize};

pub const NAME: MethodNum = 48890204;
pub const SYMBOL: MethodNum = 2061153854;
pub const GRANULARITY: MethodNum = 3936767397;
pub const TOTAL_SUPPLY: MethodNum = 114981429;
pub const BALANCE: MethodNum = 3261979605;
pub const ALLOWANCE: MethodNum = 4205072950;
pub const MINT: MethodNum = 116935346;
pub const TRANSFER: MethodNum = 80475954;
pub const TRANSFER_FROM: MethodNum = 3621052141;
pub const INCREASE_ALLOWANCE: MethodNum = 1777121560;
pub const DECREASE_ALLOWANCE: MethodNum = 1529376545;
pub const REVOKE_ALLOWANCE: MethodNum = 2765635761;
pub const BURN: MethodNum = 1434719642;
pub const BURN_FROM: MethodNum = 2979674018;

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct TokenState {
    pub token_name: String,
    pub token_symbol: String,
    pub minter: ActorID,
    pub supply: TokenAmount,
    pub balances: Cid,
    pub allowances: Cid,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct BurnFromReturn {
    pub balance: TokenAmount,
    pub allowance: TokenAmount,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct BurnReturn {
    pub balance: TokenAmount,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Grant {
    pub owner: ActorID,
    pub operator: ActorID,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct TransferFromReturn {
    pub from_balance: TokenAmount,
    pub to_balance: TokenAmount,
    pub allowance: TokenAmount,
    pub recipient_data: RawBytesValue,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct TransferReturn {
    pub from_balance: TokenAmount,
    pub to_balance: TokenAmount,
    pub recipient_data: RawBytesValue,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct ConstructorParams {
    pub name: String,
    pub symbol: String,
}

pub type NameReturn = String;

pub type SymbolReturn = String;

pub type GranularityReturn = u64;

pub type TotalSupplyReturn = TokenAmount;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BalanceParams(pub Address);

pub type BalanceReturn = TokenAmount;

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct AllowanceParams {
    pub owner: Address,
    pub operator: Address,
}

pub type AllowanceReturn = TokenAmount;

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct MintParams {
    pub to: Address,
    pub amount: TokenAmount,
}

pub type MintReturn = TokenAmount;

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct TransferParams {
    pub to: Address,
    pub amount: TokenAmount,
    pub operator_data: RawBytesValue,
}

pub type TransferReturn = TransferReturn;

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct TransferFromParams {
    pub from: Address,
    pub to: Address,
    pub amount: TokenAmount,
    pub operator_data: RawBytesValue,
}

pub type TransferFromReturn = TransferFromReturn;

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct IncreaseAllowanceParams {
    pub operator: Address,
    pub increase: TokenAmount,
}

pub type IncreaseAllowanceReturn = TokenAmount;

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct DecreaseAllowanceParams {
    pub operator: Address,
    pub decrease: TokenAmount,
}

pub type DecreaseAllowanceReturn = TokenAmount;

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct RevokeAllowanceParams {
    pub operator: Address,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct BurnParams {
    pub amount: TokenAmount,
}

pub type BurnReturn = BurnReturn;

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct BurnFromParams {
    pub owner: Address,
    pub amount: TokenAmount,
}

pub type BurnFromReturn = BurnFromReturn;
