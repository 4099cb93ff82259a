// SPDX-License-Identifier: UNLICENSED
// Calls Shapes from Solidity; from its ABI. FVM addresses and CIDs are bytes in binary form, amounts attoFIL.
pragma solidity ^0.8.20;

library ShapesActor {
    // GetMaybe (946550088) cannot be called from Solidity.
    struct Named {
        int32 x;
        int16 y;
        string name;
        string[] tags;
    }

    struct Point {
        int32 x;
        int16 y;
    }

    uint32 internal constant Phase_Open = 0;
    uint32 internal constant Phase_Closed = 7;
    uint32 internal constant Phase_Gone = 8;

    function setNamed(uint64 actor, string memory name, string[] memory tags, Point memory point) internal returns (Named memory result) {
        bytes memory data = _call(actor, 3264467532, 0, false, bytes.concat(_head(4, 3), _writeText(name), _writeListOfstring(tags), _writePoint(point)));
        uint256 end;
        (result, end) = _readNamed(data, 0);
        if (end != data.length) revert Malformed();
    }

    function getNamed(uint64 actor) internal returns (Named memory result) {
        bytes memory data = _call(actor, 2657128511, 0, true, "");
        uint256 end;
        (result, end) = _readNamed(data, 0);
        if (end != data.length) revert Malformed();
    }

    function getCounter(uint64 actor) internal returns (uint32 result) {
        bytes memory data = _call(actor, 2227205155, 0, true, "");
        uint256 end;
        (result, end) = _readUint32(data, 0);
        if (end != data.length) revert Malformed();
    }

    function close(uint64 actor) internal returns (uint32 result) {
        bytes memory data = _call(actor, 848388411, 0, false, "");
        uint256 end;
        (result, end) = _readUint32(data, 0);
        if (end != data.length) revert Malformed();
    }

    function addPair(uint64 actor, uint64 who, uint256 amount) internal returns (uint32 result) {
        bytes memory data = _call(actor, 3630866077, 0, false, bytes.concat(_head(4, 2), _writeUint(who), _writeAmount(amount)));
        uint256 end;
        (result, end) = _readUint32(data, 0);
        if (end != data.length) revert Malformed();
    }

    function link(uint64 actor, uint8[] memory values) internal {
        _call(actor, 1168320754, 0, false, bytes.concat(_head(4, 1), _writeListOfu8(values)));
    }

    function setInner(uint64 actor, uint64 a, uint64 b, string memory text) internal {
        _call(actor, 1305007459, 0, false, bytes.concat(_head(4, 3), _writeUint(a), _writeUint(b), _writeText(text)));
    }

    function getInner(uint64 actor, uint64 a, uint64 b) internal returns (string memory result) {
        bytes memory data = _call(actor, 988432556, 0, true, bytes.concat(_head(4, 2), _writeUint(a), _writeUint(b)));
        uint256 end;
        (result, end) = _readText(data, 0);
        if (end != data.length) revert Malformed();
    }

    function setSmall(uint64 actor, uint64 from_, uint64 to) internal {
        _call(actor, 2307926170, 0, false, bytes.concat(_head(4, 2), _writeUint(from_), _writeUint(to)));
    }

    function hasSmall(uint64 actor, uint64 id) internal returns (bool result) {
        bytes memory data = _call(actor, 2869550452, 0, true, bytes.concat(_head(4, 1), _writeUint(id)));
        uint256 end;
        (result, end) = _readBool(data, 0);
        if (end != data.length) revert Malformed();
    }

    function setLazy(uint64 actor, int32 x) internal returns (int32 result) {
        bytes memory data = _call(actor, 4054679859, 0, false, bytes.concat(_head(4, 1), _writeInt(x)));
        uint256 end;
        (result, end) = _readInt32(data, 0);
        if (end != data.length) revert Malformed();
    }

    function echoCid(uint64 actor, bytes memory cid) internal returns (bytes memory result) {
        bytes memory data = _call(actor, 499913727, 0, true, bytes.concat(_head(4, 1), _writeCid(cid)));
        uint256 end;
        (result, end) = _readCid(data, 0);
        if (end != data.length) revert Malformed();
    }

    function echoAddress(uint64 actor, bytes memory address_) internal returns (bytes memory result) {
        bytes memory data = _call(actor, 1584265289, 0, true, bytes.concat(_head(4, 1), _writeBytes(address_)));
        uint256 end;
        (result, end) = _readBytes(data, 0);
        if (end != data.length) revert Malformed();
    }

    function echoInts(uint64 actor, int8 a, int64 b, uint16 c) internal returns (int64[] memory result) {
        bytes memory data = _call(actor, 2552744191, 0, true, bytes.concat(_head(4, 3), _writeInt(a), _writeInt(b), _writeUint(c)));
        uint256 end;
        (result, end) = _readListOfi64(data, 0);
        if (end != data.length) revert Malformed();
    }

    function roundTrip(uint64 actor, string memory text) internal returns (string memory result) {
        bytes memory data = _call(actor, 996450101, 0, true, bytes.concat(_head(4, 1), _writeText(text)));
        uint256 end;
        (result, end) = _readText(data, 0);
        if (end != data.length) revert Malformed();
    }

    function join(uint64 actor, bytes memory a, bytes memory b) internal returns (bytes memory result) {
        bytes memory data = _call(actor, 2758473253, 0, true, bytes.concat(_head(4, 2), _writeBytes(a), _writeBytes(b)));
        uint256 end;
        (result, end) = _readBytes(data, 0);
        if (end != data.length) revert Malformed();
    }

    function _writeListOfstring(string[] memory v) private pure returns (bytes memory out) {
        out = _head(4, v.length);
        for (uint256 i = 0; i < v.length; i++) out = bytes.concat(out, _writeText(v[i]));
    }

    function _writePoint(Point memory v) private pure returns (bytes memory out) {
        out = bytes.concat(_head(4, 2), _writeInt(v.x), _writeInt(v.y));
    }

    function _writeListOfu8(uint8[] memory v) private pure returns (bytes memory out) {
        out = _head(4, v.length);
        for (uint256 i = 0; i < v.length; i++) out = bytes.concat(out, _writeUint(v[i]));
    }

    function _readNamed(bytes memory data, uint256 at) private pure returns (Named memory v, uint256 next) {
        next = _readTuple(data, at, 4);
        (v.x, next) = _readInt32(data, next);
        (v.y, next) = _readInt16(data, next);
        (v.name, next) = _readText(data, next);
        (v.tags, next) = _readListOfstring(data, next);
    }

    function _readInt32(bytes memory data, uint256 at) private pure returns (int32 v, uint256 next) {
        int256 wide;
        (wide, next) = _readInt(data, at);
        v = int32(wide);
        if (v != wide) revert Malformed();
    }

    function _readInt16(bytes memory data, uint256 at) private pure returns (int16 v, uint256 next) {
        int256 wide;
        (wide, next) = _readInt(data, at);
        v = int16(wide);
        if (v != wide) revert Malformed();
    }

    function _readListOfstring(bytes memory data, uint256 at) private pure returns (string[] memory v, uint256 next) {
        uint256 count;
        (count, next) = _readHead(data, at, 4);
        if (count > data.length) revert Malformed();
        v = new string[](count);
        for (uint256 i = 0; i < count; i++) (v[i], next) = _readText(data, next);
    }

    function _readUint32(bytes memory data, uint256 at) private pure returns (uint32 v, uint256 next) {
        uint256 wide;
        (wide, next) = _readHead(data, at, 0);
        v = uint32(wide);
        if (v != wide) revert Malformed();
    }

    function _readListOfi64(bytes memory data, uint256 at) private pure returns (int64[] memory v, uint256 next) {
        uint256 count;
        (count, next) = _readHead(data, at, 4);
        if (count > data.length) revert Malformed();
        v = new int64[](count);
        for (uint256 i = 0; i < count; i++) (v[i], next) = _readInt64(data, next);
    }

    function _readInt64(bytes memory data, uint256 at) private pure returns (int64 v, uint256 next) {
        int256 wide;
        (wide, next) = _readInt(data, at);
        v = int64(wide);
        if (v != wide) revert Malformed();
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
