"""The stream in which accepted alerts wait: made, and verified; and its consumer, made anew by whoever carries.

Every alert has a subject of its own, ``DEPLOYMENT.queue.ID``, so that one can be found by its id while it waits.
"""

import contextlib
import secrets
from enum import Enum
from typing import Final

import nats
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    PersistMode,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import APIError, NotFoundError

from tocsin.adapters.nats.subjects import token
from tocsin.errors import ConfigError

_CONSUMER: Final = "tocsin"
# How long a message may be in one processor's hands before another gets it: a handover takes milliseconds.
ACK_WAIT_S: Final = 30
# Repeats within it are known to the server; older ones to the store.
WINDOW_S: Final = 600
_MAX_ACK_PENDING: Final = 20_000


class Stream:
    """Where the alerts of one deployment wait."""

    def __init__(self, jetstream: JetStreamContext, deployment: str) -> None:
        self._jetstream = jetstream
        self._subject = f"{deployment}.queue"
        # Names have no dots; those of deployments cannot meet, since % is kept by them alone.
        self.name = f"{deployment.replace('%', '=')}-queue"

    def subject(self, alert_id: str) -> str:
        """Return the subject of an alert."""
        return f"{self._subject}.{token(alert_id)}"

    async def prepare(self, *, messages: int, message_bytes: int, replicas: int) -> None:
        """Make the stream, or see that the one which is there keeps what was promised.

        Raises:
            ConfigError: They do not, or cannot be made; the detail says how to mend it.
        """
        wanted = StreamConfig(
            name=self.name,
            description="alerts accepted by Tocsin, until the store has them",
            subjects=[f"{self._subject}.*"],
            retention=RetentionPolicy.WORK_QUEUE,
            storage=StorageType.FILE,
            discard=DiscardPolicy.NEW,
            max_age=0,
            max_msgs=messages,
            max_msg_size=message_bytes,
            num_replicas=replicas,
            duplicate_window=WINDOW_S,
            allow_atomic=True,
            allow_rollup_hdrs=False,
            deny_delete=True,
            deny_purge=True,
        )
        try:
            try:
                found = (await self._jetstream.stream_info(self.name)).config
            except NotFoundError:
                found = (await self._jetstream.add_stream(wanted)).config
            self._verify(found, wanted)
            if (found.max_msgs, found.max_msg_size) != (messages, message_bytes):
                found.max_msgs, found.max_msg_size = messages, message_bytes
                await self._jetstream.update_stream(found)
        except APIError as error:
            detail = f"queue: the stream {self.name} cannot be used: {error.description} ({error.err_code})"
            raise ConfigError(detail) from error
        except nats.errors.Error as error:
            detail = f"queue: JetStream does not answer ({str(error) or type(error).__name__}): turn it on in the servers"
            raise ConfigError(detail) from error

    async def begin_anew(self) -> str:
        """Make a consumer that begins with the oldest message, whatever was in somebody's hands, and return its name.

        The stream has one consumer.  Whoever still asks the former one is told that it is gone.

        Raises:
            Error, TimeoutError: JetStream does not answer, or refuses.
        """
        for former in await self._jetstream.consumers_info(self.name):
            with contextlib.suppress(NotFoundError):
                await self._jetstream.delete_consumer(self.name, former.name)
        name = f"{_CONSUMER}-{secrets.token_hex(4)}"
        await self._jetstream.add_consumer(self.name, _consumer(name))
        return name

    def _verify(self, found: StreamConfig, wanted: StreamConfig) -> None:
        """See that a stream somebody made, or changed, loses nothing."""
        kept = (
            "subjects",
            "retention",
            "storage",
            "discard",
            "max_age",
            "num_replicas",
            "allow_atomic",
            "allow_rollup_hdrs",
        )
        wrong = [
            f"{name} is {_plain(getattr(found, name))}, and has to be {_plain(getattr(wanted, name))}"
            for name in kept
            if _plain(getattr(found, name)) != _plain(getattr(wanted, name))
        ]
        if found.persist_mode == PersistMode.ASYNC:
            wrong.append("persist_mode is async, and has to be default")
        if wrong:
            detail = (
                f"queue: the stream {self.name} was made otherwise: {'; '.join(wrong)}. Mend it with `nats stream edit`, "
                "or let it run empty and remove it"
            )
            raise ConfigError(detail)


def _plain(value: object) -> object:
    """Return a setting as the server writes it, which leaves out what is nought."""
    return value.value if isinstance(value, Enum) else value or None


def _consumer(name: str) -> ConsumerConfig:
    # Attempts are counted by the store: here a message is only handed over, as often as it takes.
    return ConsumerConfig(
        durable_name=name,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT_S,
        max_deliver=-1,
        max_ack_pending=_MAX_ACK_PENDING,
    )
