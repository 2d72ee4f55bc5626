"""One room of 1,000 clients on each contestant: what a delivery, a connection and its memory cost, and what went wrong."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from bench.child import Child
from bench.contestants.ours import OURS
from bench.contestants.peers import PEERS
from bench.contestants.venue import OTHER_ROOM, ROOM, Contestant, Venue
from bench.frame import Bench, kilobytes, rate
from bench.load.guest import Door, Tally
from bench.load.room import Room
from bench.measure import median
from bench.rows.turns import in_turns

CLIENTS = 1_000
BYSTANDERS = 4_000
BURST = 10
_PLAY_S = 2.0
_WARM_CLIENTS = 200
_WARM_S = 0.5
_QUIET_S = 1.5


class Course(NamedTuple):
    """What one run of a contestant gave: rates per CPU second, and bytes."""

    single: float
    bursts: float
    connects: float
    memory: float
    tally: Tally


class Compared(NamedTuple):
    """One line of the results."""

    what: str
    single: str = ""
    bursts: str = ""
    connects: str = ""
    memory: str = ""
    lost: str = ""
    duplicates: str = ""
    order_breaks: str = ""
    note: str = ""

    @staticmethod
    def columns() -> tuple[str, ...]:
        """Return the heads of the table."""
        return (
            "what",
            "deliveries per CPU s",
            f"in bursts of {BURST}",
            "connections per CPU s",
            "memory each",
            "lost",
            "duplicates",
            "order breaks",
        )

    def cells(self) -> tuple[str, ...]:
        """Return the line as it is shown."""
        return self[:-1]


def group(bench: Bench) -> list[Compared]:
    """Tocsin alone, in each of its protocols."""
    return in_turns(bench, OURS, _run, _line)


def peers(bench: Bench) -> list[Compared]:
    """Tocsin beside its peers; one that is not installed or fails does not keep the others from it."""
    return in_turns(bench, (*OURS, *PEERS), _run, _line)


def _run(contestant: Contestant) -> Course:
    with contestant.run() as venue, Child(Room) as room:
        port, process = venue.process.port, venue.process
        warm, bystanders, clients = _doors(venue)
        room.call("stay_outside", port, venue.wire, warm)
        time.sleep(_QUIET_S)
        memory, cpu_s = process.resident_bytes(), process.cpu_s()
        room.call("stay_outside", port, venue.wire, bystanders)
        room.call("join", port, venue.wire, clients)
        connects = (BYSTANDERS + CLIENTS) / (process.cpu_s() - cpu_s)
        time.sleep(_QUIET_S)
        each = (process.resident_bytes() - memory) / (BYSTANDERS + CLIENTS)
        room.call("appoint", port, venue.speaker())
        room.call("play", _WARM_S, BURST)
        single = _rate(venue, room, 1)
        bursts = _rate(venue, room, BURST)
        return Course(single, bursts, connects, each, room.call("tally"))


def _rate(venue: Venue, room: Child, at_once: int) -> float:
    """Return the deliveries per CPU second of the server."""
    before = venue.process.cpu_s()
    came: int = room.call("play", _PLAY_S, at_once)
    return came / (venue.process.cpu_s() - before)


def _doors(venue: Venue) -> tuple[list[Door], list[Door], list[Door]]:
    """Return the ways in of those who warm the server up, of bystanders, and of the room's clients."""
    outside = [venue.door(number, OTHER_ROOM) for number in range(_WARM_CLIENTS + BYSTANDERS)]
    first = len(outside)
    clients = [venue.door(first + number, ROOM) for number in range(CLIENTS)]
    return outside[:_WARM_CLIENTS], outside[_WARM_CLIENTS:], clients


def _line(name: str, courses: Sequence[Course], note: str) -> Compared:
    """Sum up some runs: medians, and all that went wrong."""
    if not courses:
        return Compared(name, note=note)
    tallies = [course.tally for course in courses]
    return Compared(
        name,
        rate(median([course.single for course in courses])),
        rate(median([course.bursts for course in courses])),
        rate(median([course.connects for course in courses])),
        kilobytes(median([course.memory for course in courses])),
        str(sum(tally.lost for tally in tallies)),
        str(sum(tally.duplicates for tally in tallies)),
        str(sum(tally.order_breaks for tally in tallies)),
        note,
    )
