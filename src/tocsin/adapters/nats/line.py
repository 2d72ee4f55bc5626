"""The line of a queue to its stream: opened, verified, and asked whether what it accepts is safe."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec
import structlog
from nats.aio.client import Client
from nats.errors import Error
from nats.js import JetStreamContext
from nats.js.api import StreamState
from nats.js.errors import NotFoundError

from tocsin.adapters.nats.connection import Place, connect
from tocsin.adapters.nats.pull import Pull
from tocsin.adapters.nats.sender import Sender
from tocsin.adapters.nats.stream import Stream
from tocsin.adapters.nats.vitals import OLDEST, Vitals
from tocsin.errors import ConfigError, UnavailableError

log = structlog.get_logger()

_ANSWER_S: Final = 2.0
# At the start nobody waits for an answer but the start itself, and servers may have much to do then.
START_S: Final = 15.0


class Terms(msgspec.Struct, frozen=True):
    """How the stream is to be.

    ``messages`` may wait at most, each of ``message_bytes`` at most.  ``monitors`` are asked whether the servers write before
    they answer; with ``may_lose`` what they say is a warning only.
    """

    messages: int
    message_bytes: int
    replicas: int = 1
    monitors: tuple[str, ...] = ()
    may_lose: bool = False


class Line:
    """A connection with a stream on it."""

    def __init__(self, client: Client, place: Place, terms: Terms, vitals: Vitals) -> None:
        self._client = client
        self._place = place
        self._terms = terms
        self._vitals = vitals
        self._jetstream: JetStreamContext = client.jetstream(timeout=_ANSWER_S)
        self.stream = Stream(self._jetstream, place.deployment)
        self.sender = Sender(client, terms.replicas)
        self.pull = self._pull_of("")

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str, terms: Terms) -> AsyncIterator["Line"]:
        """Connect, make or verify the stream, and see that its servers lose nothing; disconnect at the end.

        Raises:
            ConfigError: No server was reached, or alerts would not be safe there.
        """
        place = Place.of(url)
        client = await connect(place, "queue", failed=_failed)
        vitals = Vitals(terms.monitors, terms.replicas)
        try:
            line = cls(client, place, terms, vitals)
            await line._prepare()
            yield line
        finally:
            await vitals.close()
            await client.close()

    async def _prepare(self) -> None:
        terms = self._terms
        self._check_server()
        patient = Stream(self._client.jetstream(timeout=START_S), self._place.deployment)
        await patient.prepare(
            messages=terms.messages, message_bytes=terms.message_bytes, replicas=terms.replicas
        )
        doubts = await self._vitals.doubts(START_S)
        for doubt in doubts:
            log.warning("queue.may_lose", doubt=doubt)
        if doubts and not terms.may_lose:
            detail = f"queue: {'; '.join(doubts)}. To start all the same, where that may be, set queue_may_lose"
            raise ConfigError(detail)

    def _pull_of(self, consumer: str) -> Pull:
        return Pull(self._client, self.stream.name, consumer)

    async def begin_anew(self) -> bool:
        """Bring what is in the stream from its oldest message on; False if JetStream cannot be asked now."""
        if not self._client.is_connected:
            return False
        try:
            await self.pull.end()
            self.pull = self._pull_of(await self.stream.begin_anew())
            await self.pull.start()
        except (Error, TimeoutError) as error:
            log.warning("queue.begins_later", reason=str(error) or type(error).__name__)
            return False
        return True

    def _check_server(self) -> None:
        version, needed = self._client.connected_server_version, self._terms.message_bytes
        if (version.major, version.minor) < OLDEST:
            said = f"{version.major}.{version.minor}.{version.patch}"
            detail = f"queue: nats-server is {said}, and has to be {OLDEST[0]}.{OLDEST[1]} or newer"
            raise ConfigError(detail)
        if self._client.max_payload < needed:
            detail = (
                f"queue: the servers take messages of {self._client.max_payload} bytes, and an alert may have {needed} "
                "with its envelope: raise max_payload there, or lower limits.alert_bytes"
            )
            raise ConfigError(detail)

    def check_connected(self) -> None:
        """See that there is a server now.

        Raises:
            UnavailableError: There is none, so nothing can be stored.
        """
        if not self._client.is_connected:
            detail = "queue: NATS is away; nothing was stored"
            raise UnavailableError(detail, code="queue-failed")

    async def check(self) -> None:
        """See that what the stream accepts now is safe.

        Raises:
            UnavailableError: It is not, or nobody knows.
        """
        self.check_connected()
        try:
            await self.state()
        except (Error, TimeoutError) as error:
            detail = f"queue: the stream does not answer ({str(error) or type(error).__name__})"
            raise UnavailableError(detail, code="queue-failed") from error
        doubts = [] if self._terms.may_lose else await self._vitals.doubts()
        if doubts:
            detail = f"queue: {'; '.join(doubts)}"
            raise UnavailableError(detail, code="queue-not-durable")

    async def state(self) -> StreamState:
        """Tell how much is in the stream."""
        return (await self._jetstream.stream_info(self.stream.name)).state

    async def read(self, seq: int) -> bytes:
        """Return the message of a number.

        Raises:
            NotFoundError: It is not in the stream any more.
        """
        return (await self._jetstream.get_msg(self.stream.name, seq=seq)).data or b""

    async def find(self, alert_id: str) -> bytes | None:
        """Return the message of an alert while it is in the stream.

        Raises:
            UnavailableError: The stream cannot be asked.
        """
        subject = self.stream.subject(alert_id)
        try:
            return (await self._jetstream.get_last_msg(self.stream.name, subject)).data
        except NotFoundError:
            return None
        except (Error, TimeoutError) as error:
            detail = f"queue: the stream does not answer ({str(error) or type(error).__name__})"
            raise UnavailableError(detail, code="queue-failed") from error


async def _failed(error: Exception) -> None:
    log.warning("queue.failed", reason=str(error) or type(error).__name__)
