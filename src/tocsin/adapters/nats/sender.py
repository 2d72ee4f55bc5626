"""Putting messages into a stream, so that as many as can share an fsync.

With one replica the server syncs once per message, however many are under way, and once per atomic batch: so batches (ADR-50 of
NATS).  With three, what is under way at the same moment shares a sync: so all at once.
"""

import asyncio
from collections.abc import Sequence
from secrets import token_hex
from typing import Final, Literal, NamedTuple

import msgspec
from nats.aio.client import Client
from nats.errors import Error, NoRespondersError, OutboundBufferLimitError

ANSWER_S: Final = 5.0
# Below this a batch costs more syncs than it saves.
_SMALLEST_BATCH: Final = 5
# The server takes 1,000 within 10 s.
_BATCH_MESSAGES: Final = 500
_BATCH_BYTES: Final = 4_194_304
_AT_ONCE: Final = 256
# Of the server: over max_msgs or max_bytes.
_FULL: Final = 10_077
# Of the server, with several replicas: another message of that id is on its way to them.
_IN_PROCESS: Final = 10_158
# Of the server: a rollup, which a stream that denies purges never takes.
_NO_ROLLUP: Final = 10_111
# Until one that is on its way is stored: milliseconds, unless the servers choose a leader.
_PAUSES_S: Final = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


Outcome = Literal["accepted", "repeat", "absent", "full", "refused", "unknown"]


class Parcel(NamedTuple):
    """One message; the server takes only one of an ``id`` within its window."""

    subject: str
    body: bytes
    id: str


class Answer(NamedTuple):
    """What became of it.  ``repeat``: one of that id is, or was, in the stream at ``seq``; ``absent``: it was asked for, and none is.

    ``refused`` and ``full`` are certain: it was not stored.  ``code`` is the server's, if it took it for a fault.
    """

    outcome: Outcome
    seq: int = 0
    reason: str = ""
    code: int = 0


class _Fault(msgspec.Struct, frozen=True):
    err_code: int = 0
    description: str = ""


class _Ack(msgspec.Struct, frozen=True):
    """The server's answer to a message, or to the last of a batch."""

    seq: int = 0
    duplicate: bool = False
    error: _Fault | None = None


_decode = msgspec.json.Decoder(_Ack).decode


class Sender:
    """Sends to one stream of a known number of replicas."""

    def __init__(self, client: Client, replicas: int) -> None:
        self._client = client
        self._in_batches = replicas == 1

    async def send(self, parcels: Sequence[Parcel]) -> list[Answer]:
        """Store messages; one answer each, in order."""
        if not self._in_batches:
            return await self._send_singly(parcels)
        answers: list[Answer] = []
        for some in _batches(parcels):
            answers += await self._send_batch(some)
        return answers

    async def ask(self, parcels: Sequence[Parcel]) -> list[Answer]:
        """Tell which of them repeat a message that the stream knows, and store none.

        The server looks for a message's id first, and then refuses a rollup.  Not everything that it refuses would do: with
        several replicas a wrong ``Nats-Expected-Last-Msg-Id`` leaves the next message without an answer (2.15.1).
        """
        return await self._send_singly(parcels, rollup=True)

    async def _send_batch(self, parcels: Sequence[Parcel]) -> list[Answer]:
        """Store all of them or none; where the server takes none, each is tried alone."""
        if len(parcels) < _SMALLEST_BATCH:
            return await self._send_singly(parcels)
        batch = token_hex(16)
        for number, parcel in enumerate(parcels[:-1], 1):
            headers = _headers(parcel, batch, number)
            try:
                await self._client.publish(parcel.subject, parcel.body, headers=headers)
            except (Error, OSError):  # without its last message nothing of a batch is stored
                return await self._send_singly(parcels)
        headers = {**_headers(parcels[-1], batch, len(parcels)), "Nats-Batch-Commit": "1"}
        answer = await self._request(parcels[-1], headers)
        if answer.outcome in ("accepted", "unknown"):
            return [answer] * len(parcels)
        return await self._send_singly(parcels)

    async def _send_singly(
        self, parcels: Sequence[Parcel], *, rollup: bool = False
    ) -> list[Answer]:
        answers: list[Answer] = []
        for start in range(0, len(parcels), _AT_ONCE):
            some = parcels[start : start + _AT_ONCE]
            async with asyncio.TaskGroup() as under_way:
                tasks = [under_way.create_task(self._send_one(one, rollup=rollup)) for one in some]
            answers += [task.result() for task in tasks]
        return answers

    async def _send_one(self, parcel: Parcel, *, rollup: bool) -> Answer:
        """Store one; while another of its id is on its way, wait for what becomes of that."""
        headers = {"Nats-Msg-Id": parcel.id} | ({"Nats-Rollup": "sub"} if rollup else {})
        answer = await self._request(parcel, headers)
        for pause_s in _PAUSES_S:
            if answer.code != _IN_PROCESS:
                break
            await asyncio.sleep(pause_s)
            answer = await self._request(parcel, headers)
        return answer

    async def _request(self, parcel: Parcel, headers: dict[str, str]) -> Answer:
        """Send one that is answered.  No answer in time means that nobody knows."""
        try:
            told = await self._client.request(
                parcel.subject, parcel.body, timeout=ANSWER_S, headers=headers
            )
            ack = _decode(told.data)
        except NoRespondersError:
            return Answer("refused", reason="no stream takes the subject, or it has no leader")
        except OutboundBufferLimitError:
            return Answer("refused", reason="the line to NATS is full")
        except (Error, OSError, TimeoutError, msgspec.DecodeError) as error:
            return Answer("unknown", reason=str(error) or type(error).__name__)
        if ack.error is not None:
            return _fault(ack.error)
        return Answer("repeat" if ack.duplicate else "accepted", ack.seq)


def _fault(error: _Fault) -> Answer:
    outcomes: dict[int, Outcome] = {
        _FULL: "full",
        _IN_PROCESS: "unknown",
        _NO_ROLLUP: "absent",
    }
    outcome = outcomes.get(error.err_code, "refused")
    reason = f"{error.description} ({error.err_code})"
    return Answer(outcome, reason=reason, code=error.err_code)


def _headers(parcel: Parcel, batch: str, number: int) -> dict[str, str]:
    return {
        "Nats-Msg-Id": parcel.id,
        "Nats-Batch-Id": batch,
        "Nats-Batch-Sequence": str(number),
    }


def _batches(parcels: Sequence[Parcel]) -> list[list[Parcel]]:
    batches: list[list[Parcel]] = []
    room = 0
    for parcel in parcels:
        if not batches or len(batches[-1]) == _BATCH_MESSAGES or len(parcel.body) > room:
            batches.append([])
            room = _BATCH_BYTES
        batches[-1].append(parcel)
        room -= len(parcel.body)
    return batches
