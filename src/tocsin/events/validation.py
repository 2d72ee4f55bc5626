"""Abuse protection: a handler is asked whether it wants our events, before the first one and again while they go on.

Source:  https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#4-abuse-protection
"""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from tocsin.clock import Clock
from tocsin.events.cloud_events import VERSION
from tocsin.events.verdict import describe
from tocsin.ports.outbound import Answer, Call, Method, Outbound, Outcome
from tocsin.supervisor import Supervisor

# A good answer holds this long; then the next event asks again in the background, and does not wait.
_GOOD_S: Final = 60.0
# A bad one is believed this long, so that a handler that is down is not asked for every event.
_BAD_S: Final = 5.0


class Validator:
    """Asks; ``origin`` is the name of this service that handlers see."""

    def __init__(
        self,
        outbound: Outbound,
        origin: str,
        clock: Clock,
        supervisor: Supervisor,
        timeout_s: float,
    ) -> None:
        self.origin = origin
        self.clock = clock
        self.supervisor = supervisor
        self._outbound = outbound
        self._timeout_s = timeout_s

    async def trouble(self, url: str, headers: Sequence[tuple[str, str]]) -> str | None:
        """Ask the handler at ``url``; return why it may not be sent events, None if it may."""
        outcome = await self._ask("OPTIONS", url, headers)
        if isinstance(outcome, Answer) and outcome.status == HTTPStatus.NOT_FOUND:
            outcome = await self._ask("GET", url, headers)
        if not isinstance(outcome, Answer) or outcome.status // 100 != 2:  # noqa: PLR2004 -- the class of success
            return f"the abuse protection handshake failed: {describe(outcome)}"
        if not self._is_allowed(outcome):
            return f"its WebHook-Allowed-Origin does not name {self.origin!r}, nor all by *"
        return None

    async def _ask(self, method: Method, url: str, headers: Sequence[tuple[str, str]]) -> Outcome:
        return await self._outbound.send(
            Call(
                purpose="event-handler",
                method=method,
                url=url,
                headers=[
                    ("WebHook-Request-Origin", self.origin),
                    ("ce-awpsversion", VERSION),
                    *headers,
                ],
                total_s=self._timeout_s,
            )
        )

    def _is_allowed(self, answer: Answer) -> bool:
        fields = [value for name, value in answer.headers if name == "webhook-allowed-origin"]
        allowed = {origin.strip().lower() for field in fields for origin in field.split(",")}
        return "*" in allowed or self.origin.lower() in allowed


class Validation:
    """What is known of one handler; questions at the same time become one."""

    def __init__(
        self, validator: Validator, url: str, headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        self._validator = validator
        self._url = url
        self._headers = headers
        self._trouble: str | None = None
        self._asked_s: float | None = None
        self._asking: asyncio.Task[None] | None = None

    async def trouble(self) -> str | None:
        """Return why the handler may not be called, None if it may; it is asked if that is not known well enough."""
        good = self._asked_s is not None and self._trouble is None
        if self._age_s() > (_GOOD_S if good else _BAD_S):
            asking = self._ask_once()
            if not good:
                await asyncio.shield(asking)
        return self._trouble

    async def again(self) -> str | None:
        """Ask the handler now; return why it may not be called."""
        await asyncio.shield(self._ask_once())
        return self._trouble

    def _age_s(self) -> float:
        if self._asked_s is None:
            return float("inf")
        return self._validator.clock.monotonic_s() - self._asked_s

    def _ask_once(self) -> asyncio.Task[None]:
        if self._asking is None or self._asking.done():
            self._asking = self._validator.supervisor.start("events.validation", self._ask())
        return self._asking

    async def _ask(self) -> None:
        self._trouble = await self._validator.trouble(self._url, self._headers)
        self._asked_s = self._validator.clock.monotonic_s()
