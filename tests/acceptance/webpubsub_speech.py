"""The protocols of Web PubSub as a client speaks them: JSON by hand, protobuf by code generated from our schema."""

import base64
import functools
import importlib.resources
import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
from websockets.typing import Subprotocol

from tests.acceptance.server_process import ServerProcess
from tocsin.clock import SystemClock
from tocsin.realtime.tokens import sign_token

SCHEMA = Path(__file__).parents[2] / "docs/reference/webpubsub.proto"


@dataclass(frozen=True)
class Heard:
    """What the server said, whatever the protocol; ``what`` is connected, ack, message, pong or disconnected.

    ``data`` of a message is a text or bytes; JSON, byte for byte as it came, and a packed Any are told by ``data_type``.
    """

    what: str
    connection_id: str = ""
    token: str = ""
    ack_id: int = 0
    error: str = ""
    group: str = ""
    data_type: str = ""
    data: str | bytes = ""
    sequence_id: int = 0
    metadata: dict[str, str] | None = None


class Speech(Protocol):
    """One protocol; what it returns is sent as a WebSocket message."""

    name: str
    subprotocol: Subprotocol

    def join(self, group: str, ack_id: int) -> str | bytes:
        """Ask to be let into a group."""
        ...

    def send(
        self, group: str, data_type: str, data: str | bytes, ack_id: int | None = None
    ) -> str | bytes:
        """Send to a group; JSON data is its text."""
        ...

    def acknowledge(self, sequence_id: int) -> str | bytes:
        """Say that everything up to this came."""
        ...

    def hear(self, said: str | bytes) -> Heard:
        """Read what the server said."""
        ...


class _Bare(msgspec.Struct):
    """The data of a message as it stands in the frame."""

    data: msgspec.Raw


_read_bare = msgspec.json.Decoder(_Bare).decode


class JsonSpeech:
    """``json[.reliable].webpubsub.azure.v1``."""

    def __init__(self, *, reliable: bool) -> None:
        self.name = "json-reliable" if reliable else "json"
        self.subprotocol = _subprotocol("json", reliable)

    def join(self, group: str, ack_id: int) -> str:
        return json.dumps({"type": "joinGroup", "group": group, "ackId": ack_id})

    def send(self, group: str, data_type: str, data: str | bytes, ack_id: int | None = None) -> str:
        value = data if isinstance(data, str) else base64.b64encode(data).decode()
        written = value if data_type == "json" else json.dumps(value)
        more = "" if ack_id is None else f',"ackId":{ack_id}'
        return (
            f'{{"type":"sendToGroup","group":{json.dumps(group)},"dataType":"{data_type}"'
            f',"data":{written}{more}}}'
        )

    def acknowledge(self, sequence_id: int) -> str:
        return json.dumps({"type": "sequenceAck", "sequenceId": sequence_id})

    def hear(self, said: str | bytes) -> Heard:
        assert isinstance(said, str)
        message = json.loads(said)
        what = message["event"] if message["type"] == "system" else message["type"]
        data_type, data = message.get("dataType", ""), message.get("data", "")
        if data_type == "json":
            data = bytes(_read_bare(said).data).decode()
        elif data_type in {"binary", "protobuf"}:
            data = base64.b64decode(data, validate=True)
        return Heard(
            what,
            message.get("connectionId", ""),
            message.get("reconnectionToken", ""),
            message.get("ackId", 0),
            message.get("error", {}).get("name", ""),
            message.get("group", ""),
            data_type,
            data,
            message.get("sequenceId", 0),
            message.get("metadata"),
        )


class ProtobufSpeech:
    """``protobuf[.reliable].webpubsub.azure.v1``, by generated classes."""

    def __init__(self, schema: Any, *, reliable: bool) -> None:
        self.name = "protobuf-reliable" if reliable else "protobuf"
        self.subprotocol = _subprotocol("protobuf", reliable)
        self._schema = schema

    def join(self, group: str, ack_id: int) -> bytes:
        upstream = self._schema.UpstreamMessage()
        upstream.join_group_message.group = group
        upstream.join_group_message.ack_id = ack_id
        encoded: bytes = upstream.SerializeToString()
        return encoded

    def send(
        self, group: str, data_type: str, data: str | bytes, ack_id: int | None = None
    ) -> bytes:
        upstream = self._schema.UpstreamMessage()
        request = upstream.send_to_group_message
        request.group = group
        if data_type == "protobuf":
            assert isinstance(data, bytes)
            request.data.protobuf_data.ParseFromString(data)
        else:
            setattr(request.data, f"{data_type}_data", data)
        if ack_id is not None:
            request.ack_id = ack_id
        encoded: bytes = upstream.SerializeToString()
        return encoded

    def acknowledge(self, sequence_id: int) -> bytes:
        upstream = self._schema.UpstreamMessage()
        upstream.sequence_ack_message.sequence_id = sequence_id
        encoded: bytes = upstream.SerializeToString()
        return encoded

    def hear(self, said: str | bytes) -> Heard:
        assert isinstance(said, bytes)
        downstream = self._schema.DownstreamMessage.FromString(said)
        match downstream.WhichOneof("message"):
            case "system_message":
                return self._hear_system(downstream.system_message)
            case "ack_message":
                ack = downstream.ack_message
                assert ack.success != ack.HasField("error")
                return Heard("ack", ack_id=ack.ack_id, error=ack.error.name)
            case "data_message":
                return self._hear_data(downstream.data_message)
            case other:
                assert other == "pong_message"
                return Heard("pong")

    def _hear_system(self, system: Any) -> Heard:
        if system.WhichOneof("message") == "disconnected_message":
            return Heard("disconnected", data=system.disconnected_message.reason)
        hello = system.connected_message
        return Heard("connected", hello.connection_id, hello.reconnection_token)

    def _hear_data(self, message: Any) -> Heard:
        member = message.data.WhichOneof("data")
        data = getattr(message.data, member)
        if member == "protobuf_data":
            data = data.SerializeToString()
        return Heard(
            "message",
            group=message.group,
            data_type=member.removesuffix("_data"),
            data=data,
            sequence_id=message.sequence_id,
            metadata=dict(message.metadata),
        )


def _subprotocol(kind: str, reliable: bool) -> Subprotocol:
    return Subprotocol(f"{kind}{'.reliable' if reliable else ''}.webpubsub.azure.v1")


def generate_schema(folder: Path) -> Any:
    """Generate Python classes from our schema into ``folder``, as anybody would, and return their module."""
    includes = importlib.resources.files("grpc_tools") / "_proto"
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{SCHEMA.parent}", f"-I{includes}"]
    subprocess.run([*command, f"--python_out={folder}", SCHEMA.name], check=True)
    spec = importlib.util.spec_from_file_location("webpubsub_pb2", folder / "webpubsub_pb2.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def client_url(
    server: ServerProcess,
    user: str,
    *,
    roles: Sequence[str] = (),
    groups: Sequence[str] = (),
    scope: str | None = None,
    port: int | None = None,
) -> str:
    """Return a client URL of the default hub, signed as the service SDKs do; ``port`` is that of a network between.

    The SDKs know no ``scope``; ``inbox`` is what Tocsin's own tokens have.
    """
    key = _access_key(server)
    token, _ = sign_token(
        (key, key),
        endpoint=server.url,
        hub="default",
        user=user,
        ttl_s=3600,
        now_us=SystemClock().now_us(),
        scope=scope,
        roles=roles,
        groups=groups,
    )
    return f"ws://127.0.0.1:{port or server.port}/client/hubs/default?access_token={token}"


@functools.cache
def _access_key(server: ServerProcess) -> bytes:
    parts = dict(part.split("=", 1) for part in server.cli("connection-string").split(";") if part)
    return parts["AccessKey"].encode()
