"""Outgoing HTTP on aiohttp, behind the guard."""

import asyncio
import ssl
from pathlib import Path

import aiohttp
from yarl import URL

from tocsin import __version__
from tocsin.adapters.outbound.guard import Guard, NotAllowedError
from tocsin.adapters.outbound.resolver import GuardedResolver, Lookup, system_lookup
from tocsin.config import Outbound as OutboundSettings
from tocsin.errors import ConfigError
from tocsin.ports.outbound import Answer, Call, Failed, FailureKind, Outcome, Refused
from tocsin.telemetry import Metrics

USER_AGENT = f"Tocsin/{__version__}"
# The head of an answer: at most this many fields of that many bytes.
_FIELDS = 100
_FIELD_BYTES = 4096
_KEEP_ALIVE_S = 30.0
# Connections made at once to one name share a lookup.  What is remembered are checked addresses.
_LOOKUP_TTL_S = 5
_REASON_CHARACTERS = 500
# The most special class first; the first that fits decides.
_FAILURES: tuple[tuple[type[Exception], FailureKind, str], ...] = (
    (aiohttp.ClientConnectorDNSError, "unresolved", "the name has no address now"),
    (aiohttp.ClientSSLError, "tls", "certificate or TLS do not hold"),
    (aiohttp.ClientConnectorError, "unreachable", "no connection"),
    (aiohttp.ClientResponseError, "malformed", "the answer is no HTTP that is taken"),
    (Exception, "broken", "the connection ended before the answer did"),
)


class OutboundClient:
    """The guarded client; made within a running loop, and closed by :meth:`close`."""

    def __init__(
        self, settings: OutboundSettings, metrics: Metrics, lookup: Lookup = system_lookup
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._guard = Guard(settings.allow)
        self._resolver = GuardedResolver(self._guard, lookup)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=self._resolver,
                ttl_dns_cache=_LOOKUP_TTL_S,
                ssl=_tls(settings.ca_file),
                limit=settings.connections,
                limit_per_host=settings.connections_per_host,
                keepalive_timeout=_KEEP_ALIVE_S,
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=settings.connect_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"user-agent": USER_AGENT, "accept-encoding": "identity"},
            skip_auto_headers=("accept",),
            auto_decompress=False,
            trust_env=False,
            max_line_size=_FIELD_BYTES,
            max_field_size=_FIELD_BYTES,
            max_headers=_FIELDS,
        )

    async def close(self) -> None:
        """Close every connection; calls under way fail."""
        await self._session.close()
        await self._resolver.close()

    async def send(self, call: Call) -> Outcome:
        """Make one call and wait for its outcome."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        outcome = await self._outcome(call)
        self._metrics.outbound.labels(call.purpose, label_of(outcome)).inc()
        self._metrics.outbound_s.labels(call.purpose).observe(loop.time() - began)
        return outcome

    async def refusal(self, url: str) -> Refused | None:
        """Tell whether ``send`` would refuse that URL now."""
        try:
            checked = self._guard.check_url(url)
            async with asyncio.timeout(self._settings.connect_s):
                await self._resolve(checked)
        except NotAllowedError as error:
            return Refused(str(error))
        except (OSError, TimeoutError):
            return None
        return None

    async def _resolve(self, url: URL) -> None:
        host = url.raw_host or ""
        if ":" not in host:
            await self._resolver.resolve(host, url.port or 0)

    async def _outcome(self, call: Call) -> Outcome:
        bound_s = min(self._settings.total_s, call.total_s or self._settings.total_s)
        try:
            url = self._guard.check_url(call.url)
            async with asyncio.timeout(bound_s):
                return await self._exchange(call, url)
        except NotAllowedError as error:
            return Refused(str(error))
        except TimeoutError as error:
            return Failed("timeout", _late(error, bound_s, self._settings.connect_s))
        except (aiohttp.ClientError, OSError) as error:
            return _failure(error, call.url)

    async def _exchange(self, call: Call, url: URL) -> Outcome:
        async with self._session.request(
            call.method, url, headers=call.headers, data=call.body or None, allow_redirects=False
        ) as response:
            body = await self._body(response)
            if body is None:
                bound = self._settings.answer_bytes
                return Failed("too-large", f"the answer has more than {bound} bytes")
            fields = tuple((name.lower(), value) for name, value in response.headers.items())
            return Answer(response.status, fields, body)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes | None:
        """Read the body; None if it is longer than the bound, and then the connection is given up."""
        parts, room = [], self._settings.answer_bytes
        async for chunk in response.content.iter_any():
            room -= len(chunk)
            if room < 0:
                response.close()
                return None
            parts.append(chunk)
        return b"".join(parts)


def label_of(outcome: Outcome) -> str:
    """Return what the metrics call an outcome."""
    match outcome:
        case Answer():
            return f"{outcome.status // 100}xx"
        case Refused():
            return "refused"
        case Failed():
            return outcome.kind


def _late(error: TimeoutError, total_s: float, connect_s: float) -> str:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return f"no connection within {connect_s:g} s"
    return f"no whole answer within {total_s:g} s"


def _failure(error: aiohttp.ClientError | OSError, url: str) -> Failed:
    kind, words = next(row[1:] for row in _FAILURES if isinstance(error, row[0]))
    said = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
    # A URL may be a secret, as that of a browser's subscription is; a reason goes to logs and people.
    for secret in (url, str(URL(url))):
        said = said.replace(secret, "the URL")
    return Failed(kind, f"{words}: {said}"[:_REASON_CHARACTERS])


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    """Trust what the machine trusts, and ``ca_file`` besides.

    Raises:
        ConfigError: The file holds no certificates.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError as error:
            detail = f"outbound.ca_file = {ca_file}: no certificates can be read from it ({error})"
            raise ConfigError(detail) from error
    return context
