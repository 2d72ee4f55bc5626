"""Which event handler takes which event of a hub: those of the file first, then the stored ones, oldest first.

The first that takes an event gets it.  One process owns the store, so what is kept here cannot be stale.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from tocsin.config import WantedHandler
from tocsin.errors import ConfigError, ConflictError, InvalidInputError, NotFoundError
from tocsin.events.signing import Seal
from tocsin.events.validation import Validation, Validator
from tocsin.model.event_handler import (
    VALIDATE,
    EventHandler,
    check_events,
    check_template,
)
from tocsin.model.ids import canonical_hub, uuid7
from tocsin.ports.audit import Deed
from tocsin.ports.event_handler_store import EventHandlerStore
from tocsin.ports.outbound import Outbound

_AUTHORIZATION_MAX = 4096


class Rule(msgspec.Struct, frozen=True, eq=False):
    """An event handler in use; ``headers`` go with every call to it."""

    handler: EventHandler
    names: frozenset[str]
    headers: tuple[tuple[str, str], ...]
    validation: Validation
    from_file: bool = False

    def takes(self, event: str, *, system: bool) -> bool:
        """Tell whether this event is one of its own; names of user events are compared without case."""
        if system:
            return event in self.handler.system_events
        return "*" in self.names or event.lower() in self.names


class InFile(NamedTuple):
    """An event handler of the settings, the value of its ``Authorization`` header, and where it stands there."""

    handler: EventHandler
    authorization: str | None
    where: str


def read_file(hubs: Mapping[str, Sequence[WantedHandler]]) -> Iterator[InFile]:
    """Go through the event handlers of the settings.

    Raises:
        ConfigError: One cannot be.
    """
    for hub, given in hubs.items():
        for number, one in enumerate(given, 1):
            where = f"hubs.{hub}.event_handlers, number {number}"
            try:
                handler = _checked(canonical_hub(hub), f"file-{number}", one)
            except InvalidInputError as error:
                detail = f"{where}: {error.detail}"
                raise ConfigError(detail) from error
            yield InFile(handler, one.authorization, where)


class Rules:
    """The event handlers of all hubs."""

    def __init__(
        self,
        store: EventHandlerStore,
        outbound: Outbound,
        seal: Seal,
        validator: Validator,
        per_hub: int,
    ) -> None:
        self._store = store
        self._outbound = outbound
        self._seal = seal
        self._validator = validator
        self._per_hub = per_hub
        self._in_file: dict[str, list[Rule]] = {}
        self._stored: dict[str, list[Rule]] = {}

    def read_file(self, hubs: Mapping[str, Sequence[WantedHandler]]) -> None:
        """Take the handlers of the settings.

        Raises:
            ConfigError: One cannot be.
        """
        for handler, authorization, _where in read_file(hubs):
            rule = self._rule(handler, authorization, from_file=True)
            self._in_file.setdefault(handler.hub, []).append(rule)

    async def load(self) -> None:
        """Read the stored handlers, before the first event and whenever another process changed them.

        One that is known stays as it is, with what its validation found.
        """
        known = {rule.handler.id: rule for rules in self._stored.values() for rule in rules}
        stored: dict[str, list[Rule]] = {}
        for handler in await self._store.event_handlers():
            rule = known.get(handler.id) or self._read(handler)
            stored.setdefault(handler.hub, []).append(rule)
        self._stored = stored

    def _read(self, handler: EventHandler) -> Rule:
        sealed = handler.authorization
        return self._rule(handler, None if sealed is None else self._seal.open(sealed).decode())

    def of(self, hub: str) -> Sequence[Rule]:
        """List a hub's handlers in the order in which they are asked."""
        return [*self._in_file.get(hub, ()), *self._stored.get(hub, ())]

    def serve(self, hub: str) -> bool:
        """Tell whether a hub has handlers."""
        return bool(self._in_file.get(hub) or self._stored.get(hub))

    def find(self, hub: str, event: str, *, system: bool) -> Rule | None:
        """Return the handler that takes an event."""
        return next((r for r in self.of(hub) if r.takes(event, system=system)), None)

    def named(self, hub: str, handler_id: str) -> Rule:
        """Return one of a hub.

        Raises:
            NotFoundError: There is none of that id.
        """
        for rule in self.of(hub):
            if rule.handler.id == handler_id:
                return rule
        detail = (
            f"the hub has no event handler {handler_id[:80]!r}; "
            "`tocsin event-handler list` shows them"
        )
        raise NotFoundError(detail, code="event-handler-not-found")

    async def add(
        self, hub: str, wanted: WantedHandler, now_us: int, deed: Deed | None = None
    ) -> Rule:
        """Keep a handler; it is asked after those that are there.

        Raises:
            InvalidInputError: It cannot be one, or its URL may not be called.
            ConflictError: The hub has as many as it may.
        """
        handler = _checked(hub, uuid7(now_us), wanted)
        refused = await self._outbound.refusal(handler.address(VALIDATE))
        if refused is not None:
            raise InvalidInputError(refused.reason, code="event-handler-url", pointer="/url")
        stored = self._stored.get(hub, [])
        if len(stored) >= self._per_hub:
            detail = (
                f"the hub has {len(stored)} event handlers; event_handlers.per_hub = "
                f"{self._per_hub} are allowed; remove one first"
            )
            raise ConflictError(detail, code="too-many-event-handlers")
        text = wanted.authorization
        sealed = None if text is None else self._seal.close(text.encode())
        handler = replace(handler, authorization=sealed, created_us=now_us)
        await self._store.add_event_handler(handler, deed and replace(deed, target=handler.id))
        rule = self._rule(handler, text)
        others = [one for one in self._stored.get(hub, []) if one.handler.id != handler.id]
        self._stored[hub] = [*others, rule]
        return rule

    async def remove(self, hub: str, handler_id: str, deed: Deed | None = None) -> None:
        """Forget a stored handler.

        Raises:
            NotFoundError: There is none of that id.
            ConflictError: It stands in the file.
        """
        rule = self.named(hub, handler_id)
        if rule.from_file:
            detail = (
                f"{handler_id} stands in the settings, hubs.{hub}.event_handlers; remove it there"
            )
            raise ConflictError(detail, code="event-handler-in-file")
        await self._store.remove_event_handler(hub, handler_id, deed)
        self._stored[hub] = [r for r in self._stored.get(hub, []) if r.handler.id != handler_id]

    def _rule(
        self, handler: EventHandler, authorization: str | None, *, from_file: bool = False
    ) -> Rule:
        headers = () if authorization is None else (("Authorization", authorization),)
        validation = Validation(self._validator, handler.address(VALIDATE), headers)
        return Rule(handler, handler.user_event_names(), headers, validation, from_file)


def _checked(hub: str, handler_id: str, wanted: WantedHandler) -> EventHandler:
    check_template(wanted.url)
    check_events(wanted.user_events, wanted.system_events)
    text = wanted.authorization
    if text is not None and not (
        0 < len(text) <= _AUTHORIZATION_MAX and text.isascii() and text.isprintable()
    ):
        detail = (
            f"authorization is the value of a header: 1 to {_AUTHORIZATION_MAX} characters of ASCII"
        )
        raise InvalidInputError(
            detail, code="event-handler-authorization", pointer="/authorization"
        )
    return EventHandler(
        id=handler_id,
        hub=hub,
        url=wanted.url,
        user_events=wanted.user_events,
        system_events=tuple(wanted.system_events),
    )
