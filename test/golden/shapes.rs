//! Shapes, from its ABI.

use cid::Cid;
use fvm_ipld_encoding::strict_bytes::ByteBuf as RawBytesValue;
use fvm_ipld_encoding::tuple::*;
use fvm_shared::ActorID;
use fvm_shared::MethodNum;
use fvm_shared::address::Address;
use fvm_shared::bigint::bigint_ser::BigIntDe;
use fvm_shared::econ::TokenAmount;
use serde_repr::{Deserialize_repr, Serialize_repr};

pub const SET_NAMED: MethodNum = 3264467532;
pub const GET_NAMED: MethodNum = 2657128511;
pub const GET_MAYBE: MethodNum = 946550088;
pub const GET_COUNTER: MethodNum = 2227205155;
pub const CLOSE: MethodNum = 848388411;
pub const ADD_PAIR: MethodNum = 3630866077;
pub const LINK: MethodNum = 1168320754;
pub const SET_INNER: MethodNum = 1305007459;
pub const GET_INNER: MethodNum = 988432556;
pub const SET_SMALL: MethodNum = 2307926170;
pub const HAS_SMALL: MethodNum = 2869550452;
pub const SET_LAZY: MethodNum = 4054679859;
pub const ECHO_CID: MethodNum = 499913727;
pub const ECHO_ADDRESS: MethodNum = 1584265289;
pub const ECHO_INTS: MethodNum = 2552744191;
pub const ROUND_TRIP: MethodNum = 996450101;
pub const JOIN: MethodNum = 2758473253;

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct ShapesState {
    pub flag: bool,
    pub phase: Phase,
    pub named: Named,
    pub maybe: Option<Box<Point>>,
    pub words: Vec<u16>,
    pub pairs: Vec<Pair_actorid_amount>,
    pub wide: BigIntDe,
    pub hash: RawBytesValue,
    pub chain: Chain,
    pub lazy: Cid,
    pub inner: Cid,
    pub small: Cid,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Chain {
    pub value: u8,
    pub next: Option<Box<Chain>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Named {
    pub x: i32,
    pub y: i16,
    pub name: String,
    pub tags: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Pair_actorid_amount {
    pub first: ActorID,
    pub second: TokenAmount,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Point {
    pub x: i32,
    pub y: i16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize_repr, Deserialize_repr)]
#[repr(u32)]
pub enum Phase {
    Open = 0,
    Closed = 7,
    Gone = 8,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct SetNamedParams {
    pub name: String,
    pub tags: Vec<String>,
    pub point: Point,
}

pub type SetNamedReturn = Named;

pub type GetNamedReturn = Named;

pub type GetMaybeReturn = Option<Box<Point>>;

pub type GetCounterReturn = u32;

pub type CloseReturn = Phase;

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct AddPairParams {
    pub who: ActorID,
    pub amount: TokenAmount,
}

pub type AddPairReturn = u32;

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct LinkParams {
    pub values: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct SetInnerParams {
    pub a: u64,
    pub b: u64,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct GetInnerParams {
    pub a: u64,
    pub b: u64,
}

pub type GetInnerReturn = String;

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct SetSmallParams {
    pub from: ActorID,
    pub to: ActorID,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct HasSmallParams {
    pub id: ActorID,
}

pub type HasSmallReturn = bool;

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct SetLazyParams {
    pub x: i32,
}

pub type SetLazyReturn = i32;

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct EchoCidParams {
    pub cid: Cid,
}

pub type EchoCidReturn = Cid;

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct EchoAddressParams {
    pub address: Address,
}

pub type EchoAddressReturn = Address;

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct EchoIntsParams {
    pub a: i8,
    pub b: i64,
    pub c: u16,
}

pub type EchoIntsReturn = Vec<i64>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct RoundTripParams {
    pub text: String,
}

pub type RoundTripReturn = String;

#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct JoinParams {
    pub a: RawBytesValue,
    pub b: RawBytesValue,
}

pub type JoinReturn = RawBytesValue;
