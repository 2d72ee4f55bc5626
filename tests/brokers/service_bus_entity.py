"""One queue of the stand-in for Azure Service Bus: what waits, what is locked, and what is dead."""

import time
import uuid
from collections import deque
from collections.abc import Iterator

import msgspec
from proton import Message, timestamp

MAX_DELIVERIES = 10


class Stored(msgspec.Struct):
    """A message as it is kept; ``deliveries`` are those that failed."""

    number: int
    at_s: float
    message: Message
    deliveries: int = 0


class Lock(msgspec.Struct):
    """Who holds a message, and until when."""

    stored: Stored
    until_s: float


class Entity:
    """A queue with peek-lock: what is not settled before its lock ends waits again, one delivery later."""

    def __init__(self, lock_s: float) -> None:
        self.lock_s = lock_s
        self.waiting: deque[Stored] = deque()
        self.locks: dict[uuid.UUID, Lock] = {}
        self.dead: list[Message] = []
        self._number = 0

    def put(self, message: Message) -> None:
        """Take a message in."""
        self._number += 1
        self.waiting.append(Stored(self._number, time.time(), message))

    def lend(self) -> Iterator[tuple[uuid.UUID, Message]]:
        """Lock the messages that wait, one by one, each as it goes on the wire."""
        while self.waiting:
            stored = self.waiting.popleft()
            token = uuid.uuid4()
            self.locks[token] = Lock(stored, time.time() + self.lock_s)
            yield token, self.shown(stored, self.locks[token].until_s)

    def shown(self, stored: Stored, until_s: float | None = None) -> Message:
        """Return a message with what the service adds."""
        message = Message()
        message.decode(stored.message.encode())
        message.delivery_count = stored.deliveries
        message.annotations = {
            "x-opt-sequence-number": stored.number,
            "x-opt-enqueue-sequence-number": stored.number,
            "x-opt-enqueued-time": timestamp(stored.at_s * 1000),
        }
        if until_s is not None:
            message.annotations["x-opt-locked-until"] = timestamp(until_s * 1000)
        return message

    def renew(self, token: uuid.UUID) -> float | None:
        """Begin a lock anew; returns until when it holds, None if it is lost."""
        lock = self.locks.get(token)
        if lock is not None:
            lock.until_s = time.time() + self.lock_s
        return None if lock is None else lock.until_s

    def complete(self, token: uuid.UUID) -> bool:
        """Forget a message; False if its lock is lost."""
        return self.locks.pop(token, None) is not None

    def give_back(self, token: uuid.UUID, *, failed: bool) -> bool:
        """Let a message wait again, or die of too many failures; False if its lock is lost."""
        lock = self.locks.pop(token, None)
        if lock is None:
            return False
        lock.stored.deliveries += failed
        if lock.stored.deliveries >= MAX_DELIVERIES:
            self._bury(lock.stored, "MaxDeliveryCountExceeded", "")
        else:
            self.waiting.appendleft(lock.stored)
        return True

    def kill(self, token: uuid.UUID, reason: str, description: str) -> bool:
        """Move a message to the dead letters; False if its lock is lost."""
        lock = self.locks.pop(token, None)
        if lock is not None:
            self._bury(lock.stored, reason, description)
        return lock is not None

    def expire(self) -> None:
        """End the locks whose time is over."""
        now_s = time.time()
        for token in [token for token, lock in self.locks.items() if lock.until_s <= now_s]:
            self.give_back(token, failed=True)

    def _bury(self, stored: Stored, reason: str, description: str) -> None:
        said = {"DeadLetterReason": reason, "DeadLetterErrorDescription": description}
        stored.message.properties = {**(stored.message.properties or {}), **said}
        self.dead.append(stored.message)
