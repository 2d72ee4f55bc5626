"""What a device reports about alerts, by socket or HTTP, and what of it is taken."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tocsin.clock import from_datetime
from tocsin.errors import InvalidInputError
from tocsin.model.receipt import Told

MAX_REPORTED = 200


class Reported(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fact; ``at`` is for one that could not be told at once, ``action`` for ``acted`` only."""

    alert_id: Annotated[str, Meta(min_length=1, max_length=256)]
    fact: Literal["received", "shown", "seen", "read", "acted"]
    action: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    at: datetime | None = None


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Facts of one device."""

    receipts: Annotated[tuple[Reported, ...], Meta(min_length=1, max_length=MAX_REPORTED)]

    def told_by(self, hub: str, user: str, device: str | None, now_us: int) -> list[Told]:
        """Return the facts as those of ``user`` on ``device``; what has no time is true now.

        Raises:
            InvalidInputError: An action is missing or too many, or a time has no zone; the pointer tells where.
        """
        return [
            Told(
                hub=hub,
                alert_id=one.alert_id,
                user=user,
                fact=one.fact,
                at_us=_at_us(one, now_us, f"/receipts/{index}"),
                device=device,
                action=one.action,
            )
            for index, one in enumerate(self.receipts)
        ]


def _at_us(one: Reported, now_us: int, pointer: str) -> int:
    if (one.fact == "acted") != (one.action is not None):
        detail = f"{one.fact} {'needs the id of an' if one.fact == 'acted' else 'has no'} action"
        raise InvalidInputError(detail, code="invalid-field", pointer=f"{pointer}/action")
    if one.at is None:
        return now_us
    try:
        return from_datetime(one.at)
    except ValueError as error:
        raise InvalidInputError(str(error), code="invalid-time", pointer=f"{pointer}/at") from error


report_decoder = msgspec.json.Decoder(Report)
