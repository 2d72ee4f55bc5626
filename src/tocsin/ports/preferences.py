"""What people and hubs prefer.

Guarantee: a change is one transaction, durable when its call returns.  Who said nothing prefers nothing: an unset value and
an empty one are the same.  Users begin to exist when something of theirs is kept, not when they are looked at.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple, Protocol

import msgspec

from tocsin.errors import OutdatedError
from tocsin.model.preference import HubPreferences, Preferences, Rules
from tocsin.ports.audit import Deed

_TAG_BYTES: Final = 8
_encoder: Final = msgspec.json.Encoder(order="deterministic")
_nobody: Final = Preferences()


def encode_preferences(preferences: Preferences | HubPreferences) -> bytes:
    """Write preferences in their one form, in which they are kept and compared."""
    return _encoder.encode(preferences)


def tag_of(preferences: Preferences | HubPreferences) -> str:
    """Return what names this version of preferences: the same content has the same."""
    return blake2b(encode_preferences(preferences), digest_size=_TAG_BYTES).hexdigest()


def check_version(stands: Preferences | HubPreferences, expected: str | None) -> None:
    """Refuse to replace what the caller has not seen.

    Raises:
        OutdatedError: ``expected`` is not the tag of what stands.
    """
    if expected not in (None, tag_of(stands)):
        detail = "the preferences were changed since you read them; read them again, and decide"
        raise OutdatedError(detail, code="preferences-changed")


class Preferred(NamedTuple):
    """What a hub prefers and what some of its people do, from one snapshot; who said nothing is not among ``people``."""

    hub: HubPreferences
    people: Mapping[str, Preferences]

    def rules(self, user: str) -> Rules:
        """Return what holds for one of the people that were asked about."""
        return Rules(self.people.get(user, _nobody), self.hub)


class PreferenceStore(Protocol):
    """Keeps preferences."""

    async def preferences(self, hub: str, users: Sequence[str]) -> Preferred:
        """Read what a hub and these of its users prefer."""
        ...

    async def keep_preferences(
        self, hub: str, user: str, preferences: Preferences, *, instead_of: str | None = None
    ) -> None:
        """Replace what a user prefers; with ``instead_of`` only if that is the tag of what stands.

        Raises:
            OutdatedError: Something else stands; nothing was changed.
        """
        ...

    async def keep_hub_preferences(
        self,
        hub: str,
        preferences: HubPreferences,
        *,
        instead_of: str | None = None,
        deed: Deed | None = None,
    ) -> None:
        """Replace what a hub prefers, likewise.

        Raises:
            OutdatedError: Something else stands; nothing was changed.
        """
        ...
