"""What both kinds of producer are made of: where the server is, and how patient they are with it."""

from random import random
from typing import Generic, TypeVar

from tocsin.client.attempts import Patience
from tocsin.client.connections import AsyncConnections, Connections
from tocsin.client.publishing import Publishing
from tocsin.client.remote import find_remote
from tocsin.clock import SystemClock

Http = TypeVar("Http", Connections, AsyncConnections)


class Producing(Generic[Http]):
    """Holds the connections, of the kind that the subclass names, and the plans that it runs."""

    _kind: type[Http]

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        timeout_s: float = 10.0,
        deadline_s: float = 60.0,
    ) -> None:
        """Connect to nothing yet.

        Args:
            url: Address of the server; default: the variable ``TOCSIN_URL``.
            key: An API key; default: the variable ``TOCSIN_KEY``.
            timeout_s: How long one attempt waits for its answer; in threads, the longest silence within it.
            deadline_s: How long one request is tried; a batch is one.

        Raises:
            ConfigError: There is no address, or address or key cannot be what it says.
        """
        remote = find_remote(url, key)
        self._http: Http = self._kind(base_url=remote.url, headers=remote.headers)
        self._plans = Publishing(Patience(timeout_s, deadline_s), SystemClock(), random)
