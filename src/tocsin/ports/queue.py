"""The durable queue between ingest and processing.

Guarantee: at least once.  What ``publish`` reports as accepted is on disk (I1) and is leased again and again until it is
acknowledged.  Order is roughly that of acceptance and is no promise, but within a batch (``Envelope.batch``): what is
behind in it is leased when nothing before it waits or is in other hands.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from tocsin.model.alert import Envelope
from tocsin.ports.audit import Deed
from tocsin.ports.producer_ids import ProducerIds


class Published(msgspec.Struct, frozen=True):
    """What became of one published envelope.

    ``accepted``: durable.  ``duplicate``: the same content under the same key was accepted before, as ``id``.
    ``conflict``: other content stands under that key, as ``id``.  ``expired``: refused, it is late and repeats nothing.
    ``full``: refused, the bound is reached; ``schedule_full``: likewise, that of alerts whose time is to come.
    ``unknown``: it may or may not be durable; publish again with the same key.
    """

    outcome: Literal[
        "accepted", "duplicate", "conflict", "expired", "full", "schedule_full", "unknown"
    ]
    id: str


class Leased(msgspec.Struct, frozen=True):
    """One envelope a worker holds.

    ``attempt`` counts from 1 and survives restarts (I11); a lease that others shared when its process ended is not
    counted.  ``crashes`` is how often a process ended while this envelope was the only one leased.
    """

    receipt: int
    envelope: Envelope
    attempt: int
    crashes: int = 0


class QueueDepth(msgspec.Struct, frozen=True):
    """How much is due, and for how long the oldest has been (0 when nothing is); ``scheduled`` waits for its time."""

    waiting: int
    oldest_age_s: float
    scheduled: int = 0


class DeadLetter(msgspec.Struct, frozen=True):
    """An alert that was given up: after how many attempts, why, and when."""

    envelope: Envelope
    attempts: int
    reason: str
    at_us: int


class DeadLetters(Protocol):
    """What was given up, kept until somebody decides."""

    async def dead_letters(
        self, *, limit: int, below: tuple[int, str] | None = None
    ) -> Sequence[DeadLetter]:
        """List dead letters of every hub, newest first; ``below`` is the ``(at_us, alert id)`` to stay below."""
        ...

    async def dead_letter(self, alert_id: str) -> DeadLetter | None:
        """Return one."""
        ...

    async def keep_dead(self, letter: DeadLetter) -> None:
        """Keep what never came onto the queue; where there is one of that alert id already, nothing changes.

        Raises:
            UnavailableError: It was not kept.
        """
        ...

    async def revive(self, alert_id: str, deed: Deed | None = None) -> bool:
        """Put one back on the queue, due at once and with no attempts, in one transaction; False if there is none.

        The bound of the queue does not hold for it.
        """
        ...

    async def drop_dead(self, alert_id: str, deed: Deed | None = None) -> bool:
        """Forget one for good; False if there is none."""
        ...


class Source(Protocol):
    """Where work is taken from."""

    async def lease(self, *, limit: int, lease_s: float) -> Sequence[Leased]:
        """Take up to ``limit`` envelopes that are due and hide them for ``lease_s`` seconds.

        Returns at once, also when nothing is due; ``wait_ready`` is the call that waits.  An envelope not acknowledged
        in time becomes due again, so effects must be idempotent (I2).  What was put off and is due again comes first,
        then the rest in order.  Of those whose audience expands at most one is taken, the last, so that others have their
        turn between its chunks.  The due time of what was never put off or scheduled depends on no clock.

        One that was leased when a process ended, unless in good order, is leased alone from then on: so it is known which
        one crashes processes, and the others are not blamed.

        Raises:
            UnavailableError: The queue was not reached; nothing was leased.
        """
        ...

    async def wait_ready(self, timeout_s: float) -> None:
        """Return when something may be due, at the latest after ``timeout_s`` seconds."""
        ...

    async def ack(self, receipts: Sequence[int]) -> None:
        """Remove what is done.  Unknown receipts are ignored."""
        ...

    async def retry_later(self, receipt: int, *, delay_s: float, reason: str) -> None:
        """Make one envelope that failed due again after ``delay_s`` seconds; its attempts are kept.

        It leaves its batch: what is behind does not wait for it.
        """
        ...

    async def put_off(self, receipts: Sequence[int], *, delay_s: float, reason: str) -> None:
        """Make envelopes that nobody could work on due again after ``delay_s`` seconds; they keep attempts and order.

        What is not leased any more is left alone.
        """
        ...

    async def put_back(self, receipt: int) -> None:
        """Make one envelope that came a part of its way due again at once, after all that waits; its receipt changes.

        Its attempts begin anew, since they count failures (I11).
        """
        ...

    async def bury(self, receipt: int, *, reason: str) -> None:
        """Move one envelope to the dead letters with its reason, in one transaction (I11)."""
        ...

    async def depth(self) -> QueueDepth:
        """Tell how much is due, how old the oldest is, and how much waits for its time."""
        ...


class Intake(Protocol):
    """Where alerts are taken in."""

    async def publish(self, envelopes: Sequence[Envelope]) -> Sequence[Published]:
        """Put envelopes on disk; one answer each, in order, after the commit that covers them.

        One whose ``deliver_us`` is to come is kept apart, under a bound of its own, and joins the queue at that time.
        A repeat within the same call is told like any other, and so is one that is late (``Envelope.is_late``); what is late and
        no repeat is not stored, and its key stays free.  Nothing is half done: each is accepted or not.

        Raises:
            UnavailableError: Nothing of it was stored (e.g. the disk is full).
        """
        ...

    async def bring(self, alert_id: str) -> bool:
        """Make the store know an alert that was accepted and may be elsewhere still; False if it is nowhere else.

        Raises:
            UnavailableError: Nobody knows.
        """
        ...


class Queue(Intake, Source, DeadLetters, ProducerIds, Protocol):
    """A source that also takes alerts in, knows their producers' ids, and keeps what was given up."""

    async def check_writable(self) -> None:
        """See whether what is accepted now would be durable, as far as the store does not know.

        Raises:
            UnavailableError: It would not; the detail says why.
        """
        ...
