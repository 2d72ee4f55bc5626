"""One event, taken to the handler that its hub has for it."""

from typing import Protocol

import structlog

from tocsin.clock import Clock, to_rfc3339
from tocsin.errors import UnavailableError
from tocsin.events.cloud_events import VERSION, Event, event_headers, sign, state_of
from tocsin.events.cookies import Cookies
from tocsin.events.rules import Rule
from tocsin.events.verdict import describe, was_taken
from tocsin.ports.event_handlers import Client, Dealings, Trouble
from tocsin.ports.outbound import Answer, Call, Failed, Outbound, Outcome

log = structlog.get_logger()

_NOT_ALLOWED = "The event handler did not allow this service to call it."
_NOT_REACHED = "The event handler could not be reached."


class AccessKeys(Protocol):
    """Hands out the keys that sign a hub's events."""

    async def access_keys(self, hub: str) -> tuple[bytes, bytes]:
        """Return the hub's primary and secondary key.

        Raises:
            UnavailableError: The keys cannot be read now.
        """
        ...


class Party:
    """What is known of a connection towards its handlers: the state they keep on it, cookies, events so far."""

    __slots__ = ("client", "cookies", "events", "state")

    def __init__(self, client: Client, before: Dealings) -> None:
        """Go on from what was before."""
        self.client = client
        self.cookies = Cookies(before.cookies)
        self.events = before.events
        self.state = before.state

    def dealings(self) -> Dealings:
        """Return what is known, but for the client."""
        return Dealings(self.events, self.state, self.cookies.kept())


class Caller:
    """Calls handlers.  A call that a server failed, or that broke off, is repeated once, with the same ``ce-id``."""

    def __init__(self, outbound: Outbound, keys: AccessKeys, origin: str, clock: Clock) -> None:
        """Make a caller; ``origin`` is the name of this service that handlers see."""
        self._outbound = outbound
        self._keys = keys
        self._origin = origin
        self._clock = clock

    async def ask(self, party: Party, rule: Rule, event: Event) -> Answer | Trouble:
        """Take an event to its handler, and keep the state and the cookies that it answers with."""
        number, party.events = party.events, party.events + 1
        trouble = await rule.validation.trouble()
        if trouble is not None:
            return self._failed(rule, event, trouble, _NOT_ALLOWED)
        try:
            keys = await self._keys.access_keys(party.client.hub)
        except UnavailableError as error:
            return self._failed(rule, event, error.detail, _NOT_REACHED)
        call = self._call(party, rule, event, number, sign(keys, party.client.connection_id))
        outcome = await self._outbound.send(call)
        if _is_worth_repeating(outcome):
            outcome = await self._outbound.send(call)
        if not isinstance(outcome, Answer):
            return self._failed(rule, event, describe(outcome), _NOT_REACHED)
        party.cookies.take(call.url, outcome)
        state = state_of(outcome)
        if was_taken(outcome) and state is not None:
            party.state = state
        return outcome

    def _call(self, party: Party, rule: Rule, event: Event, number: int, signature: str) -> Call:
        url = rule.handler.address(event.name)
        headers = event_headers(
            event,
            party.client,
            number=number,
            time=to_rfc3339(self._clock.now_us()),
            signature=signature,
            state=party.state,
        )
        service = [("WebHook-Request-Origin", self._origin), ("ce-awpsversion", VERSION)]
        return Call(
            purpose="event-handler",
            url=url,
            headers=[*headers, *service, *rule.headers, *party.cookies.headers(url)],
            body=event.body,
        )

    @staticmethod
    def _failed(rule: Rule, event: Event, reason: str, said: str) -> Trouble:
        handler = rule.handler
        log.warning(
            "event_handler.failed",
            hub=handler.hub,
            handler=handler.id,
            event_name=event.name,
            reason=reason,
        )
        return Trouble(said)


def _is_worth_repeating(outcome: Outcome) -> bool:
    """Whether the server failed, or ended the connection; another try may find another server, or a new connection."""
    if isinstance(outcome, Answer):
        return outcome.status // 100 == 5  # noqa: PLR2004 -- the class of server errors
    return isinstance(outcome, Failed) and outcome.kind == "broken"
