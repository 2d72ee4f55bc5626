"""From a broker, where alerts were accepted, to the store's own queue, where they are worked on."""

from collections.abc import Sequence
from typing import Protocol

from tocsin.model.alert import Envelope
from tocsin.ports.queue import Published


class Handover(Protocol):
    """What a queue outside the store asks of the one within it."""

    async def take_turn(self) -> int | None:
        """Be the one process that takes over, or stay it, for ten seconds; None while another one is.

        What is taken over in the broker's order stays in it: by two at a time it would not.  The number is another one
        whenever somebody else may have taken over meanwhile.

        Raises:
            UnavailableError: The store cannot be asked.
        """
        ...

    async def standing(self, envelopes: Sequence[Envelope]) -> Sequence[Published | None]:
        """Tell what stands in the store under the producer's id of each, ``duplicate`` or ``conflict``; None if nothing does.

        Raises:
            UnavailableError: The store cannot be read.
        """
        ...

    async def take_over(self, envelopes: Sequence[Envelope]) -> None:
        """Put accepted envelopes on the store's queue, whose bound does not hold for them; once only, however often it is asked.

        Under a producer's id that another alert has, one becomes a dead letter that names it: it was accepted, so it is
        not dropped in silence.

        Raises:
            UnavailableError: The store did not take them; nothing was stored.
        """
        ...


def verdict(envelope: Envelope, alert_id: str, fingerprint: bytes) -> Published:
    """Tell what an envelope is where an alert stands under its producer's id."""
    same = fingerprint == envelope.fingerprint
    return Published("duplicate" if same else "conflict", alert_id)


def reason(repeat: Published) -> str:
    """Say why an accepted envelope was not delivered."""
    if repeat.outcome == "conflict":
        return f"conflict: other content was accepted under this id as {repeat.id}"
    return f"repeat: accepted before as {repeat.id}"
