"""Outgoing HTTP/1.1, behind the guard: a few bytes out, a few bytes in, on connections that are kept."""

import asyncio
import functools
import ssl
from pathlib import Path
from typing import Final

from tocsin.adapters.outbound.answer import NoAnswerError
from tocsin.adapters.outbound.connection import StaleError
from tocsin.adapters.outbound.dialer import Dialer
from tocsin.adapters.outbound.guard import Guard, NotAllowedError
from tocsin.adapters.outbound.pool import Pool
from tocsin.adapters.outbound.request import request_bytes
from tocsin.adapters.outbound.resolver import GuardedResolver, Lookup, system_lookup
from tocsin.adapters.outbound.target import Place
from tocsin.config import Outbound as OutboundSettings
from tocsin.errors import ConfigError
from tocsin.ports.outbound import Answer, Call, Failed, Outcome, Refused
from tocsin.telemetry import Metrics

# RFC 9110 section 9.2.2
_IDEMPOTENT: Final = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))


class OutboundClient:
    """The guarded client; made within a running loop, and closed by :meth:`close`."""

    def __init__(
        self, settings: OutboundSettings, metrics: Metrics, lookup: Lookup = system_lookup
    ) -> None:
        self._settings = settings
        # Kept, because a look at the labels costs more than the counting.
        self._calls = functools.cache(metrics.outbound.labels)
        self._seconds = functools.cache(metrics.outbound_s.labels)
        self._guard = Guard(settings.allow)
        self._resolver = GuardedResolver(self._guard, lookup)
        tls = _tls(settings.ca_file)
        dialer = Dialer(self._resolver, tls, settings.connect_s, settings.answer_bytes)
        self._pool = Pool(dialer.dial, settings.connections, settings.connections_per_host)

    async def close(self) -> None:
        """Close every connection; calls under way fail."""
        self._pool.close()
        self._resolver.close()

    async def send(self, call: Call) -> Outcome:
        """Make one call and wait for its outcome."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        outcome = await self._outcome(call, began_s)
        self._calls(call.purpose, label_of(outcome)).inc()
        self._seconds(call.purpose).observe(loop.time() - began_s)
        return outcome

    async def refusal(self, url: str) -> Refused | None:
        """Tell whether ``send`` would refuse that URL now."""
        try:
            place = self._guard.check_url(url).place
            async with asyncio.timeout(self._settings.connect_s):
                await self._resolver.look_up(place.host, place.port)
        except NotAllowedError as error:
            return Refused(str(error))
        except OSError:
            return None
        return None

    async def _outcome(self, call: Call, began_s: float) -> Outcome:
        bound_s = min(self._settings.total_s, call.total_s or self._settings.total_s)
        try:
            target = self._guard.check_url(call.url)
            request = request_bytes(call, target)
            return await self._answer(call, target.place, request, began_s + bound_s)
        except NotAllowedError as error:
            return Refused(str(error))
        except NoAnswerError as error:
            return Failed(error.kind, error.reason)
        except TimeoutError:
            return Failed("timeout", f"no whole answer within {bound_s:g} s")

    async def _answer(self, call: Call, place: Place, request: bytes, until_s: float) -> Answer:
        """Exchange; once more, on a new connection, if a kept one was at its end and a repeat does no harm."""
        try:
            return await self._exchange(call, place, request, until_s)
        except StaleError:
            if not call.repeatable and call.method not in _IDEMPOTENT:
                raise
        self._pool.drop_idle(place)
        return await self._exchange(call, place, request, until_s)

    async def _exchange(self, call: Call, place: Place, request: bytes, until_s: float) -> Answer:
        connection = await self._pool.take(place, until_s)
        try:
            return await connection.exchange(request, call.method, until_s)
        finally:
            self._pool.give(connection)


def label_of(outcome: Outcome) -> str:
    """Return what the metrics call an outcome."""
    match outcome:
        case Answer():
            return f"{outcome.status // 100}xx"
        case Refused():
            return "refused"
        case Failed():
            return outcome.kind


@functools.cache  # reading what a machine trusts takes 25 ms and 0.8 MB, and a node has three clients
def _tls(ca_file: Path | None) -> ssl.SSLContext:
    """Trust what the machine trusts, and ``ca_file`` besides; both are read once in the life of a process.

    Raises:
        ConfigError: The file holds no certificates.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError as error:
            detail = f"outbound.ca_file = {ca_file}: no certificates can be read from it ({error})"
            raise ConfigError(detail) from error
    return context
