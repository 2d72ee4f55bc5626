"""One queue of the stand-in for Azure Service Bus: what waits, what is locked or put aside, and what is dead."""

import bisect
import time
import uuid
from collections.abc import Iterator, Sequence

import msgspec
from proton import Message

from tests.brokers.service_bus_message import State, Stored, due_s
from tests.brokers.service_bus_sessions import Sessions

MAX_DELIVERIES = 10


class Lock(msgspec.Struct, eq=False):
    """Until when a message is held, and with which session."""

    stored: Stored
    until_s: float
    session: str | None = None


class Entity:
    """A queue with peek-lock: what is not settled before its lock ends waits again, one delivery later."""

    def __init__(
        self,
        lock_s: float,
        *,
        dead: "Entity | None" = None,
        duplicates_s: float = 0.0,
        sessions: bool = False,
    ) -> None:
        """Make it empty.

        ``dead`` takes its dead letters; without, messages come for ever.  For ``duplicates_s`` seconds a message with the id
        of an earlier one is dropped.  With ``sessions`` it is read session by session.
        """
        self.lock_s = lock_s
        self.waiting: list[Stored] = []  # by number
        self.aside: dict[int, Stored] = {}  # deferred, or scheduled
        self.locks: dict[uuid.UUID, Lock] = {}
        self.dead = dead
        self.sessions = Sessions(lock_s) if sessions else None
        self._duplicates_s = duplicates_s
        self._seen: dict[object, float] = {}
        self._number = 0

    # What comes

    def put(self, message: Message, deliveries: int = 0) -> int:
        """Take a message in, for now or for later; returns its number, though it be dropped as a duplicate."""
        self._number += 1
        if not self._is_duplicate(message):
            due = due_s(message)
            if due > time.time():
                self._put_aside(Stored(self._number, due, message, deliveries), State.SCHEDULED)
            else:
                self._wait(Stored(self._number, time.time(), message, deliveries))
        return self._number

    def _is_duplicate(self, message: Message) -> bool:
        if not self._duplicates_s or message.id is None:
            return False
        now_s = time.time()
        seen_s = self._seen.get(message.id)
        if seen_s is not None and now_s - seen_s < self._duplicates_s:
            return True
        self._seen[message.id] = now_s
        return False

    def _wait(self, stored: Stored) -> None:
        stored.state = State.ACTIVE
        bisect.insort(self.waiting, stored, key=lambda each: each.number)

    def _put_aside(self, stored: Stored, state: State) -> None:
        stored.state = state
        self.aside[stored.number] = stored

    def cancel(self, number: int) -> bool:
        """Forget a scheduled message; False if there is none of this number."""
        return self._taken_from_aside(number, State.SCHEDULED) is not None

    def _taken_from_aside(self, number: int, state: State) -> Stored | None:
        found = self.aside.get(number)
        return self.aside.pop(number) if found is not None and found.state is state else None

    # What goes

    def lend(self, session: str | None = None) -> Iterator[tuple[uuid.UUID, Message]]:
        """Lock the messages that wait, or those of a session, one by one, each as it goes on the wire."""
        for stored in list(self.waiting):
            if session is None or stored.session == session:
                self.waiting.remove(stored)
                yield self._locked(stored)

    def lend_deferred(self, number: int, session: str | None) -> tuple[uuid.UUID, Message] | None:
        """Lock a deferred message; None if there is none of this number, in this session."""
        found = self.aside.get(number)
        if found is None or (self.sessions is not None and found.session != session):
            return None
        stored = self._taken_from_aside(number, State.DEFERRED)
        return None if stored is None else self._locked(stored)

    def _locked(self, stored: Stored) -> tuple[uuid.UUID, Message]:
        session = None if self.sessions is None else stored.session
        until_s = time.time() + self.lock_s
        if self.sessions is not None and session is not None:
            until_s = self.sessions.held[session]
        token = uuid.uuid4()
        self.locks[token] = Lock(stored, until_s, session)
        return token, stored.shown(until_s)

    def peek(self, first: int, most: int, session: str | None = None) -> Sequence[Stored]:
        """Return messages from a number on, whatever becomes of them; none is locked by that."""
        held = [lock.stored for lock in self.locks.values()]
        found = sorted((*self.waiting, *self.aside.values(), *held), key=lambda each: each.number)
        matching = (each for each in found if session is None or each.session == session)
        return [each for each in matching if each.number >= first][:most]

    # What becomes of a lock

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
        """Let a message be where it was, or die of too many failures; False if its lock is lost."""
        lock = self.locks.pop(token, None)
        if lock is None:
            return False
        stored = lock.stored
        stored.deliveries += failed
        if self.dead is not None and stored.deliveries >= MAX_DELIVERIES:
            self._bury(stored, "MaxDeliveryCountExceeded", "")
        elif stored.state is State.DEFERRED:
            self._put_aside(stored, State.DEFERRED)
        else:
            self._wait(stored)
        return True

    def defer(self, token: uuid.UUID) -> bool:
        """Put a message aside until it is asked for by its number; False if its lock is lost."""
        lock = self.locks.pop(token, None)
        if lock is not None:
            self._put_aside(lock.stored, State.DEFERRED)
        return lock is not None

    def kill(self, token: uuid.UUID, reason: str, description: str) -> bool:
        """Move a message to the dead letters; False if its lock is lost."""
        lock = self.locks.pop(token, None)
        if lock is not None:
            self._bury(lock.stored, reason, description)
        return lock is not None

    def _bury(self, stored: Stored, reason: str, description: str) -> None:
        assert self.dead is not None, "a dead letter is not killed again"
        said = {"DeadLetterReason": reason, "DeadLetterErrorDescription": description}
        stored.message.properties = {**(stored.message.properties or {}), **said}
        self.dead.put(stored.message, stored.deliveries)

    # What becomes of a session

    def free_session(self) -> str | None:
        """Return a session that has messages and no receiver, None if there is none."""
        held = {} if self.sessions is None else self.sessions.held
        free = (each.session for each in self.waiting if each.session not in held)
        return next(free, None)

    def renew_session(self, name: str) -> float | None:
        """Begin the lock of a session anew, and those of its messages; returns until when, None if it is lost."""
        until_s = None if self.sessions is None else self.sessions.renew(name)
        for lock in self.locks.values():
            if lock.session == name and until_s is not None:
                lock.until_s = until_s
        return until_s

    def leave_session(self, name: str) -> None:
        """End the lock of a session that its receiver gives up; what it had waits again, and counts no failure."""
        for token in [token for token, lock in self.locks.items() if lock.session == name]:
            self.give_back(token, failed=False)
        if self.sessions is not None:
            self.sessions.held.pop(name, None)

    def expire(self) -> None:
        """End the locks whose time is over, and let come what was scheduled for now, as if it were sent now."""
        now_s = time.time()
        for token in [token for token, lock in self.locks.items() if lock.until_s <= now_s]:
            self.give_back(token, failed=True)
        if self.sessions is not None:
            self.sessions.expire()
        for number in [number for number, stored in self.aside.items() if stored.at_s <= now_s]:
            due = self._taken_from_aside(number, State.SCHEDULED)
            if due is not None:
                self._number += 1
                self._wait(Stored(self._number, now_s, due.message))


def new_queue(lock_s: float, *, duplicates_s: float = 0.0, sessions: bool = False) -> Entity:
    """Make a queue with its dead letters."""
    return Entity(lock_s, dead=Entity(lock_s), duplicates_s=duplicates_s, sessions=sessions)
