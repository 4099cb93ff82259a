// SPDX-License-Identifier: UNLICENSED
// Calls Token from Solidity; from its ABI. FVM addresses and CIDs are bytes in binary form, amounts attoFIL.
pragma solidity ^0.8.20;

library TokenActor {
    struct BurnFromReturn {
        uint256 balance;
        uint256 allowance;
    }

    struct BurnReturn {
        uint256 balance;
    }

    struct TransferFromReturn {
        uint256 fromBalance;
        uint256 toBalance;
        uint256 allowance;
        bytes recipientData;
    }

    struct TransferReturn {
        uint256 fromBalance;
        uint256 toBalance;
        bytes recipientData;
    }

    function name(uint64 actor) internal returns (string memory result) {
        bytes memory data = _call(actor, 48890204, 0, true, "");
        uint256 end;
        (result, end) = _readText(data, 0);
        if (end != data.length) revert Malformed();
    }

    function symbol(uint64 actor) internal returns (string memory result) {
        bytes memory data = _call(actor, 2061153854, 0, true, "");
        uint256 end;
        (result, end) = _readText(data, 0);
        if (end != data.length) revert Malformed();
    }

    function granularity(uint64 actor) internal returns (uint64 result) {
        bytes memory data = _call(actor, 3936767397, 0, true, "");
        uint256 end;
        (result, end) = _readUint64(data, 0);
        if (end != data.length) revert Malformed();
    }

    function totalSupply(uint64 actor) internal returns (uint256 result) {
        bytes memory data = _call(actor, 114981429, 0, true, "");
        uint256 end;
        (result, end) = _readAmount(data, 0);
        if (end != data.length) revert Malformed();
    }

    function balance(uint64 actor, bytes memory owner) internal returns (uint256 result) {
        bytes memory data = _call(actor, 3261979605, 0, true, bytes.concat(_writeBytes(owner)));
        uint256 end;
        (result, end) = _readAmount(data, 0);
        if (end != data.length) revert Malformed();
    }

    function allowance(uint64 actor, bytes memory owner, bytes memory operator) internal returns (uint256 result) {
        bytes memory data = _call(actor, 4205072950, 0, true, bytes.concat(_head(4, 2), _writeBytes(owner), _writeBytes(operator)));
        uint256 end;
        (result, end) = _readAmount(data, 0);
        if (end != data.length) revert Malformed();
    }

    function mint(uint64 actor, bytes memory to, uint256 amount) internal returns (uint256 result) {
        bytes memory data = _call(actor, 116935346, 0, false, bytes.concat(_head(4, 2), _writeBytes(to), _writeAmount(amount)));
        uint256 end;
        (result, end) = _readAmount(data, 0);
        if (end != data.length) revert Malformed();
    }

    function transfer(uint64 actor, bytes memory to, uint256 amount, bytes memory operatorData) internal returns (TransferReturn memory result) {
        bytes memory data = _call(actor, 80475954, 0, false, bytes.concat(_head(4, 3), _writeBytes(to), _writeAmount(amount), _writeBytes(operatorData)));
        uint256 end;
        (result, end) = _readTransferReturn(data, 0);
        if (end != data.length) revert Malformed();
    }

    function transferFrom(uint64 actor, bytes memory from_, bytes memory to, uint256 amount, bytes memory operatorData) internal returns (TransferFromReturn memory result) {
        bytes memory data = _call(actor, 3621052141, 0, false, bytes.concat(_head(4, 4), _writeBytes(from_), _writeBytes(to), _writeAmount(amount), _writeBytes(operatorData)));
        uint256 end;
        (result, end) = _readTransferFromReturn(data, 0);
        if (end != data.length) revert Malformed();
    }

    function increaseAllowance(uint64 actor, bytes memory operator, uint256 increase) internal returns (uint256 result) {
        bytes memory data = _call(actor, 1777121560, 0, false, bytes.concat(_head(4, 2), _writeBytes(operator), _writeAmount(increase)));
        uint256 end;
        (result, end) = _readAmount(data, 0);
        if (end != data.length) revert Malformed();
    }

    function decreaseAllowance(uint64 actor, bytes memory operator, uint256 decrease) internal returns (uint256 result) {
        bytes memory data = _call(actor, 1529376545, 0, false, bytes.concat(_head(4, 2), _writeBytes(operator), _writeAmount(decrease)));
        uint256 end;
        (result, end) = _readAmount(data, 0);
        if (end != data.length) revert Malformed();
    }

    function revokeAllowance(uint64 actor, bytes memory operator) internal {
        _call(actor, 2765635761, 0, false, bytes.concat(_head(4, 1), _writeBytes(operator)));
    }

    function burn(uint64 actor, uint256 amount) internal returns (BurnReturn memory result) {
        bytes memory data = _call(actor, 1434719642, 0, false, bytes.concat(_head(4, 1), _writeAmount(amount)));
        uint256 end;
        (result, end) = _readBurnReturn(data, 0);
        if (end != data.length) revert Malformed();
    }

    function burnFrom(uint64 actor, bytes memory owner, uint256 amount) internal returns (BurnFromReturn memory result) {
        bytes memory data = _call(actor, 2979674018, 0, false, bytes.concat(_head(4, 2), _writeBytes(owner), _writeAmount(amount)));
        uint256 end;
        (result, end) = _readBurnFromReturn(data, 0);
        if (end != data.length) revert Malformed();
    }

    function _readUint64(bytes memory data, uint256 at) private pure returns (uint64 v, uint256 next) {
        uint256 wide;
        (wide, next) = _readHead(data, at, 0);
        v = uint64(wide);
        if (v != wide) revert Malformed();
    }

    function _readTransferReturn(bytes memory data, uint256 at) private pure returns (TransferReturn memory v, uint256 next) {
        next = _readTuple(data, at, 3);
        (v.fromBalance, next) = _readAmount(data, next);
        (v.toBalance, next) = _readAmount(data, next);
        (v.recipientData, next) = _readBytes(data, next);
    }

    function _readTransferFromReturn(bytes memory data, uint256 at) private pure returns (TransferFromReturn memory v, uint256 next) {
        next = _readTuple(data, at, 4);
        (v.fromBalance, next) = _readAmount(data, next);
        (v.toBalance, next) = _readAmount(data, next);
        (v.allowance, next) = _readAmount(data, next);
        (v.recipientData, next) = _readBytes(data, next);
    }

    function _readBurnReturn(bytes memory data, uint256 at) private pure returns (BurnReturn memory v, uint256 next) {
        next = _readTuple(data, at, 1);
        (v.balance, next) = _readAmount(data, next);
    }

    function _readBurnFromReturn(bytes memory data, uint256 at) private pure returns (BurnFromReturn memory v, uint256 next) {
        next = _readTuple(data, at, 2);
        (v.balance, next) = _readAmount(data, next);
        (v.allowance, next) = _readAmount(data, next);
    }

    error CallFailed(int256 exitCode);
    error Malformed();

    address private constant CALL_ACTOR_BY_ID = 0xfe00000000000000000000000000000000000005;

    function _call(uint64 actor, uint64 method, uint256 value, bool isReadOnly, bytes memory params) private returns (bytes memory) {
        uint64 codec = params.length == 0 ? 0 : 0x51;
        uint64 flags = isReadOnly ? 1 : 0;
        (bool ok, bytes memory answer) = CALL_ACTOR_BY_ID.delegatecall(abi.encode(method, value, flags, codec, params, actor));
        if (!ok) revert CallFailed(-1);
        (int256 exitCode, , bytes memory data) = abi.decode(answer, (int256, uint64, bytes));
        if (exitCode != 0) revert CallFailed(exitCode);
        return data;
    }

    function _head(uint8 major, uint256 n) private pure returns (bytes memory) {
        uint8 kind = major << 5;
        if (n < 24) return abi.encodePacked(uint8(kind | uint8(n)));
        if (n < 1 << 8) return abi.encodePacked(uint8(kind | 24), uint8(n));
        if (n < 1 << 16) return abi.encodePacked(uint8(kind | 25), uint16(n));
        if (n < 1 << 32) return abi.encodePacked(uint8(kind | 26), uint32(n));
        return abi.encodePacked(uint8(kind | 27), uint64(n));
    }

    function _writeUint(uint256 v) private pure returns (bytes memory) {
        return _head(0, v);
    }

    function _writeInt(int256 v) private pure returns (bytes memory) {
        return v < 0 ? _head(1, uint256(-1 - v)) : _head(0, uint256(v));
    }

    function _writeBool(bool v) private pure returns (bytes memory) {
        return abi.encodePacked(v ? bytes1(0xf5) : bytes1(0xf4));
    }

    function _writeBytes(bytes memory v) private pure returns (bytes memory) {
        return bytes.concat(_head(2, v.length), v);
    }

    function _writeBytes32(bytes32 v) private pure returns (bytes memory) {
        return abi.encodePacked(hex"5820", v);
    }

    function _writeText(string memory v) private pure returns (bytes memory) {
        return bytes.concat(_head(3, bytes(v).length), bytes(v));
    }

    function _writeAmount(uint256 v) private pure returns (bytes memory) {
        uint256 size = 0;
        for (uint256 rest = v; rest > 0; rest >>= 8) size++;
        if (size == 0) return hex"40";
        bytes memory out = new bytes(size + 1);
        for (uint256 i = 0; i < size; i++) out[size - i] = bytes1(uint8(v >> (8 * i)));
        return _writeBytes(out);
    }

    function _writeCid(bytes memory v) private pure returns (bytes memory) {
        return bytes.concat(hex"d82a", _writeBytes(bytes.concat(hex"00", v)));
    }

    function _readHead(bytes memory data, uint256 at, uint8 major) private pure returns (uint256 n, uint256 next) {
        if (at >= data.length) revert Malformed();
        uint8 first = uint8(data[at]);
        n = first & 31;
        next = at + 1;
        if (first >> 5 != major || n > 27) revert Malformed();
        if (n < 24) return (n, next);
        uint256 size = 1 << (n - 24);
        if (next + size > data.length) revert Malformed();
        n = 0;
        for (uint256 i = 0; i < size; i++) n = (n << 8) | uint8(data[next + i]);
        next += size;
    }

    function _readTuple(bytes memory data, uint256 at, uint256 count) private pure returns (uint256 next) {
        uint256 found;
        (found, next) = _readHead(data, at, 4);
        if (found != count) revert Malformed();
    }

    function _readInt(bytes memory data, uint256 at) private pure returns (int256 v, uint256 next) {
        if (at >= data.length) revert Malformed();
        uint8 major = uint8(data[at]) >> 5 == 1 ? 1 : 0;
        uint256 n;
        (n, next) = _readHead(data, at, major);
        v = major == 1 ? -1 - int256(n) : int256(n);
    }

    function _readBool(bytes memory data, uint256 at) private pure returns (bool v, uint256 next) {
        uint256 n;
        (n, next) = _readHead(data, at, 7);
        if (n != 20 && n != 21) revert Malformed();
        v = n == 21;
    }

    function _readSpan(bytes memory data, uint256 at, uint8 major) private pure returns (bytes memory v, uint256 next) {
        uint256 size;
        (size, next) = _readHead(data, at, major);
        if (size > data.length - next) revert Malformed();
        v = new bytes(size);
        for (uint256 i = 0; i < size; i++) v[i] = data[next + i];
        next += size;
    }

    function _readBytes(bytes memory data, uint256 at) private pure returns (bytes memory v, uint256 next) {
        return _readSpan(data, at, 2);
    }

    function _readBytes32(bytes memory data, uint256 at) private pure returns (bytes32 v, uint256 next) {
        bytes memory span;
        (span, next) = _readSpan(data, at, 2);
        if (span.length != 32) revert Malformed();
        v = bytes32(span);
    }

    function _readText(bytes memory data, uint256 at) private pure returns (string memory v, uint256 next) {
        bytes memory span;
        (span, next) = _readSpan(data, at, 3);
        v = string(span);
    }

    function _readAmount(bytes memory data, uint256 at) private pure returns (uint256 v, uint256 next) {
        bytes memory span;
        (span, next) = _readSpan(data, at, 2);
        if (span.length > 33 || (span.length > 0 && span[0] != 0)) revert Malformed();
        for (uint256 i = 1; i < span.length; i++) v = (v << 8) | uint8(span[i]);
    }

    function _readCid(bytes memory data, uint256 at) private pure returns (bytes memory v, uint256 next) {
        uint256 tag;
        (tag, next) = _readHead(data, at, 6);
        if (tag != 42) revert Malformed();
        bytes memory span;
        (span, next) = _readSpan(data, next, 2);
        if (span.length < 2 || span[0] != 0) revert Malformed();
        v = new bytes(span.length - 1);
        for (uint256 i = 0; i < v.length; i++) v[i] = span[i + 1];
    }
}
