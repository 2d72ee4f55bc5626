"""Whether a refusal is about our credentials, or about one person's devices only.

A device's owner chooses what is called, and may choose what always answers that our credentials are bad.  If that were
believed at once, one person could stop the pushes of everybody; so people are counted, not their devices.

Bounds:  ``MOST_HOSTS`` hosts, of which clients may choose among very many, and ``ENOUGH`` people of each.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
import structlog

from tocsin.ports.push import Accepted, Later, Misconfigured, PushOutcome

log = structlog.get_logger()

# So many people in a row, with nothing accepted between them, are no coincidence.
ENOUGH: Final = 5
MOST_HOSTS: Final = 1_024

Person = tuple[str, str]
"""Hub and user."""


class _Doubt(msgspec.Struct):
    reason: str
    people: set[Person]


class Credentials:
    """Counts, for each host, the people in a row at whose devices our credentials were refused."""

    def __init__(self) -> None:
        self._doubts: dict[str, _Doubt] = {}

    def weigh(self, host: str, person: Person, said: PushOutcome) -> PushOutcome:
        """Return what an outcome means: a refusal is a later try for this person, until enough of them say so."""
        match said:
            case Accepted():
                self._doubts.pop(host, None)
            case Misconfigured(certain=False):
                return self._refused(host, person, said)
            case _:
                pass
        return said

    def doubted(self) -> Mapping[str, str]:
        """Tell which hosts refused our credentials and have accepted nothing since, and what they said last."""
        return {
            host: f"{said.reason} (people in a row: {len(said.people)})"
            for host, said in self._doubts.items()
        }

    def _refused(self, host: str, person: Person, said: Misconfigured) -> Later | Misconfigured:
        if host not in self._doubts and len(self._doubts) >= MOST_HOSTS:
            del self._doubts[next(iter(self._doubts))]
        doubt = self._doubts.setdefault(host, _Doubt(said.reason, set()))
        doubt.reason = said.reason
        if len(doubt.people) < ENOUGH:
            doubt.people.add(person)
        log.warning("push.refused", host=host, reason=said.reason, people=len(doubt.people))
        return said if len(doubt.people) >= ENOUGH else Later(said.reason)
