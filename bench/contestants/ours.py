"""Tocsin itself, as it is started by everybody, through each of the gateway's four protocols."""

import contextlib
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager

import jwt
from bench.contestants.venue import ROOM, TOKEN_S, Contestant, Venue
from bench.load.client import BINARY, TEXT, frame, upgrade
from bench.load.guest import Door, Speaker, Wire
from bench.servers import Tocsin, tocsin, user_name

JSON = "json.webpubsub.azure.v1"
RELIABLE_JSON = "json.reliable.webpubsub.azure.v1"
PROTOBUF = "protobuf.webpubsub.azure.v1"
RELIABLE_PROTOBUF = "protobuf.reliable.webpubsub.azure.v1"
_HUB = "default"
_BEFORE = b'{"type":"sendToGroup","group":"%b","dataType":"json","data":' % ROOM.encode()


class _Groups:
    """A room is a group that the token names; who publishes may only do that, and speaks JSON to all."""

    def __init__(self, process: Tocsin, protocol: str, wire: Wire) -> None:
        self.process = process
        self.wire = wire
        self._protocol = protocol
        self._key = process.access_key()

    def door(self, client: int, room: str) -> Door:
        claims = {"sub": user_name(client), "webpubsub.group": room}
        return Door(upgrade(self._path(claims), self._protocol), hears=_connected(self._protocol))

    def speaker(self) -> Speaker:
        path = self._path({"role": f"webpubsub.sendToGroup.{ROOM}"})
        return Speaker(Door(upgrade(path, JSON), hears=_connected(JSON)), Wire(), _BEFORE, b"}")

    def _path(self, claims: dict[str, str]) -> str:
        """Return the path with a token as Microsoft's SDKs sign it."""
        address = f"http://127.0.0.1:{self.process.port}/client/hubs/{_HUB}"
        said = {**claims, "aud": address, "exp": int(time.time()) + TOKEN_S}
        return f"/client/hubs/{_HUB}?access_token={jwt.encode(said, self._key, algorithm='HS256')}"


def acknowledge_json(sequence_id: int) -> bytes:
    """Return the frame that acknowledges everything up to ``sequence_id``."""
    return frame(TEXT, b'{"type":"sequenceAck","sequenceId":%d}' % sequence_id)


def acknowledge_protobuf(sequence_id: int) -> bytes:
    """Return the same in protobuf: field 8 of ``UpstreamMessage``, with field 1 in it."""
    number = b"\x08" + _varint(sequence_id)
    return frame(BINARY, b"\x42" + _varint(len(number)) + number)


def _varint(value: int) -> bytes:
    some = bytearray()
    while value > 0x7F:
        some.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*some, value))


def _connected(protocol: str) -> bytes:
    """Return the beginning of what says that a client is in: the event, or the protobuf frame that holds user's name."""
    return b'"event":"connected"' if protocol.startswith("json") else b"user-"


@contextlib.contextmanager
def _run(protocol: str, wire: Wire) -> Iterator[Venue]:
    with tocsin() as server:
        yield _Groups(server, protocol, wire)


def _contestant(name: str, settings: str, protocol: str, wire: Wire) -> Contestant:
    def run() -> AbstractContextManager[Venue]:
        return _run(protocol, wire)

    return Contestant(name, settings, run, installed=lambda: True)


BY_JSON = _contestant("Tocsin, JSON", "not acknowledged, not recoverable", JSON, Wire())
BY_RELIABLE_JSON = _contestant(
    "Tocsin, reliable JSON",
    "sequence ids, kept for a recovery until acknowledged, each client acknowledges once a second",
    RELIABLE_JSON,
    Wire(acknowledges=acknowledge_json),
)
BY_PROTOBUF = _contestant("Tocsin, protobuf", "not acknowledged, not recoverable", PROTOBUF, Wire())
BY_RELIABLE_PROTOBUF = _contestant(
    "Tocsin, reliable protobuf",
    "as reliable JSON, in protobuf",
    RELIABLE_PROTOBUF,
    Wire(acknowledges=acknowledge_protobuf),
)
OURS = (BY_JSON, BY_RELIABLE_JSON, BY_PROTOBUF, BY_RELIABLE_PROTOBUF)
