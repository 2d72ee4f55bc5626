"""Hunts for bytes of clients that break what reads them; a short one each time, a long one with ``make soak``."""

import os
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.fuzz.hunt import FoundError
from tests.fuzz.targets import LIMIT, QUARRIES
from tocsin.api import upgrade
from tocsin.realtime import deflate, frames, json_codec, odata, protobuf_codec
from tocsin.realtime.frames import FrameReader
from tocsin.realtime.odata import Term

SHORT_RUNS = 8_000
LONG_RUNS = int(os.environ.get("TOCSIN_FUZZ_RUNS", "200_000"))
# So many are enough for each of the planted faults: most are found within a few thousand.
FAULT_RUNS = 40_000


@pytest.mark.parametrize("name", QUARRIES)
def test_no_input_breaks_a_reader(name: str) -> None:
    quarry = QUARRIES[name]
    assert quarry.hunt(SHORT_RUNS) > len(quarry.seeds), "it gets deeper than the seeds"


@pytest.mark.soak
@pytest.mark.parametrize("name", QUARRIES)
def test_no_input_breaks_a_reader_for_long(name: str) -> None:
    QUARRIES[name].hunt(LONG_RUNS, seed=int.from_bytes(os.urandom(4)))


_inflate = deflate.inflate


def _hasty(original: Callable[..., Any]) -> Callable[..., Any]:
    def measure(self: FrameReader, data: bytes, at: int) -> Any:
        """Read the length before all of it is here."""
        measured = original(self, data, at)
        if measured is None and len(data) - at == 3 and data[at + 1] & 0x7F == 126:
            return at + 4, data[at + 2]
        return measured

    return measure


# Each plants one mistake that somebody could make; the name says where.
FAULTS: dict[str, tuple[str, Callable[[pytest.MonkeyPatch], None]]] = {
    "a close frame of one byte": (
        "frames",
        lambda patch: patch.setattr(frames, "_check_close", lambda payload: payload and payload[1]),
    ),
    "a length that is cut": (
        "frames",
        lambda patch: patch.setattr(FrameReader, "_measure", _hasty(FrameReader._measure)),
    ),
    "a bomb": (
        "frames",
        lambda patch: patch.setattr(
            deflate, "inflate", lambda data, _limit: _inflate(data, 4 * LIMIT)
        ),
    ),
    "numbers without a bound": (
        "json",
        lambda patch: patch.setattr(json_codec, "check_numbers", lambda *_: None),
    ),
    "base64 that is none": (
        "json",
        lambda patch: patch.setattr(json_codec, "is_of", lambda *_: True),
    ),
    "text that is not UTF-8": (
        "protobuf",
        lambda patch: patch.setattr(protobuf_codec, "is_of", lambda *_: True),
    ),
    "a frame's text that is not UTF-8": (
        "plain",
        lambda patch: patch.setattr(frames, "_check_utf8", lambda _: None),
    ),
    "a field that may be null": (
        "filter",
        lambda patch: patch.setitem(
            odata._FIELDS,
            "protocol",
            Term("string", lambda session: str(session.dialect.subprotocol).encode("ascii")[99]),
        ),
    ),
    "an origin that is no address": (
        "handshake",
        lambda patch: patch.setattr(upgrade, "_authority", lambda address: urlsplit(address).port),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, plant = FAULTS[fault]
    plant(monkeypatch)
    with pytest.raises(FoundError):
        QUARRIES[name].hunt(FAULT_RUNS)
