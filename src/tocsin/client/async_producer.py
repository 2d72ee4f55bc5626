"""Publishing alerts from an asyncio program: what ``producer.py`` does, awaited."""

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Self, TypeVar

import httpx

from tocsin.client.alert import Alert
from tocsin.client.attempts import Attempt, Lost, Plan, Reply
from tocsin.client.connections import AsyncConnections
from tocsin.client.producing import Producing
from tocsin.client.publishing import Accepted, Outcome, Standing

T = TypeVar("T")


class AsyncProducer(Producing[AsyncConnections]):
    """Publishes alerts, and repeats each under one id until an answer settles it.

    Network failures, timeouts, 408, 425, 429 and 5xx are tried again after a jittered pause, or when the server said.  It keeps its
    connections, and any number of calls may be under way, of which 100 are sent at once.  Close it, or use it in ``async with``.
    """

    _kind = AsyncConnections

    async def publish(self, alert: Alert) -> Accepted:
        """Publish one alert; it is on the server's disk when this returns.

        Raises:
            RefusedError: The server said no.
            UnsettledError: The deadline came before an answer.
        """
        return await self._run(self._plans.publish(alert))

    async def publish_many(self, alerts: Iterable[Alert]) -> list[Outcome]:
        """Publish alerts in batches, and return what became of each, in order.

        Refusals are among the outcomes and are not raised: one bad alert spoils no other.
        """
        return await self._run(self._plans.publish_many(alerts))

    async def status(self, alert_id: str) -> Standing:
        """Return where an alert stands, as ``GET /v1/alerts/{id}`` tells it.

        Raises:
            RefusedError: E.g. ``alert-not-found``.
            UnsettledError: The deadline came before an answer.
        """
        return await self._run(self._plans.status(alert_id))

    async def withdraw(self, alert_id: str) -> Standing:
        """Take an alert back from every inbox where it is unread, and return where it stands.

        Raises:
            RefusedError: E.g. ``alert-not-found``.
            UnsettledError: The deadline came before an answer; repeat it.
        """
        return await self._run(self._plans.withdraw(alert_id))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _run(self, plan: Plan[T]) -> T:
        try:
            attempt = next(plan)
            while True:
                await asyncio.sleep(attempt.after_s)
                attempt = plan.send(await try_once(self._http, attempt))
        except StopIteration as done:
            result: T = done.value
            return result


async def try_once(http: httpx.AsyncClient, attempt: Attempt) -> Reply | Lost:
    """Send the request of an attempt, without the pause before it, and wait for the answer as long as it says."""
    request = attempt.request
    try:
        async with asyncio.timeout(attempt.timeout_s):
            answer = await http.request(
                request.method,
                request.path,
                content=request.body,
                headers={"content-type": request.content_type},
                timeout=None,
            )
    except (httpx.RequestError, TimeoutError) as error:
        return Lost(f"{type(error).__name__} {error}")
    return Reply(answer.status_code, answer.content, answer.headers.get("retry-after"))
