"""Publishing alerts from a program that waits for its calls; ``async_producer.py`` has the other kind."""

import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self, TypeVar

import httpx

from tocsin.client.alert import Alert
from tocsin.client.attempts import Attempt, Lost, Plan, Reply
from tocsin.client.connections import Connections
from tocsin.client.producing import Producing
from tocsin.client.publishing import Accepted, Outcome, Standing

T = TypeVar("T")


class Producer(Producing[Connections]):
    """Publishes alerts, and repeats each under one id until an answer settles it.

    Network failures, timeouts, 408, 425, 429 and 5xx are tried again after a jittered pause, or when the server said.  It keeps its
    connections, and may be used by several threads.  Close it, or use it in ``with``.
    """

    _kind = Connections

    def publish(self, alert: Alert) -> Accepted:
        """Publish one alert; it is on the server's disk when this returns.

        Raises:
            RefusedError: The server said no.
            UnsettledError: The deadline came before an answer.
        """
        return self._run(self._plans.publish(alert))

    def publish_many(self, alerts: Iterable[Alert]) -> list[Outcome]:
        """Publish alerts in batches, and return what became of each, in order.

        Refusals are among the outcomes and are not raised: one bad alert spoils no other.
        """
        return self._run(self._plans.publish_many(alerts))

    def status(self, alert_id: str) -> Standing:
        """Return where an alert stands, as ``GET /v1/alerts/{id}`` tells it.

        Raises:
            RefusedError: E.g. ``alert-not-found``.
            UnsettledError: The deadline came before an answer.
        """
        return self._run(self._plans.status(alert_id))

    def withdraw(self, alert_id: str) -> Standing:
        """Take an alert back from every inbox where it is unread, and return where it stands.

        Raises:
            RefusedError: E.g. ``alert-not-found``.
            UnsettledError: The deadline came before an answer; repeat it.
        """
        return self._run(self._plans.withdraw(alert_id))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self, plan: Plan[T]) -> T:
        try:
            attempt = next(plan)
            while True:
                time.sleep(attempt.after_s)
                attempt = plan.send(self._try(attempt))
        except StopIteration as done:
            result: T = done.value
            return result

    def _try(self, attempt: Attempt) -> Reply | Lost:
        request = attempt.request
        try:
            answer = self._http.request(
                request.method,
                request.path,
                content=request.body,
                headers={"content-type": request.content_type},
                timeout=attempt.timeout_s,
            )
        except httpx.RequestError as error:
            return Lost(f"{type(error).__name__} {error}")
        return Reply(answer.status_code, answer.content, answer.headers.get("retry-after"))
