"""Thousands of clients of each contestant that lose their connections and come back in the same moment."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from bench.child import Child
from bench.contestants.ours import BY_JSON, BY_RELIABLE_JSON
from bench.contestants.peers import PEERS
from bench.contestants.venue import OTHER_ROOM, ROOM, Contestant
from bench.frame import Bench, ms
from bench.load.pair import Heard, Pair
from bench.load.storm import Came, Storm
from bench.measure import median, open_files, percentile
from bench.rows.turns import in_turns

CLIENTS = 10_000
SHORT_CLIENTS = 2_000
# A server that has not yet seen its clients go has their connections beside those of who comes, and some files else.
_FILES_EACH = 2
_FILES_ELSE = 1_000
_QUIET_S = 2.0
_SETTLED_S = 1.0


class Course(NamedTuple):
    """What one storm was: seconds by the clock and of processors, and how late messages were, before it and meanwhile."""

    clients: int
    seconds: float
    server_s: float
    load_s: float
    errors: int
    before: Heard
    meanwhile: Heard


class Weathered(NamedTuple):
    """One line of the results."""

    what: str
    back: str = ""
    server: str = ""
    load: str = ""
    errors: str = ""
    before: str = ""
    meanwhile: str = ""
    lost: str = ""
    duplicates: str = ""
    order_breaks: str = ""
    note: str = ""

    @staticmethod
    def columns() -> tuple[str, ...]:
        """Return the heads of the table."""
        return (
            "what",
            "all back after",
            "server's CPU",
            "load's CPU",
            "errors",
            "a message before, p50 / p99",
            "a message meanwhile, p50 / p99",
            "lost",
            "duplicates",
            "order breaks",
        )

    def cells(self) -> tuple[str, ...]:
        """Return the line as it is shown."""
        return self[:-1]


def storm(bench: Bench) -> list[Weathered]:
    """Tocsin beside its peers: a crowd is dropped and comes back, and one client tells another something meanwhile."""
    clients = min(SHORT_CLIENTS if bench.short else CLIENTS, _most_clients())
    contestants = (BY_JSON, BY_RELIABLE_JSON, *PEERS)

    def run(contestant: Contestant) -> Course:
        return _run(bench, contestant, clients)

    return in_turns(bench, contestants, run, _line)


def _most_clients() -> int:
    """Return how many clients a server can lose and take at once with the files that it may open."""
    return (open_files() - _FILES_ELSE) // _FILES_EACH


def _run(bench: Bench, contestant: Contestant, clients: int) -> Course:
    with contestant.run() as venue, Child(Storm) as crowd, Child(Pair) as pair:
        process, wire = venue.process, venue.wire
        doors = [venue.door(number, OTHER_ROOM) for number in range(clients)]
        first: Came = crowd.call("come", process.port, wire, doors)
        pair.call("meet", process.port, wire, venue.door(clients, ROOM), venue.speaker())
        pair.call("begin")
        time.sleep(_QUIET_S)
        before: Heard = pair.call("end")
        server_s, load_s = process.cpu_s(), crowd.cpu_s()
        pair.call("begin")
        came: Came = crowd.call("come", process.port, wire, doors)
        meanwhile: Heard = pair.call("end")
        time.sleep(_SETTLED_S)
        used = process.cpu_s() - server_s, crowd.cpu_s() - load_s
        errors = clients - crowd.call("standing")
    for what, each in (("come", first), ("come back", came)):
        if each.errors:
            bench.say(f"{contestant.name}: {each.errors} did not {what}: {each.why}")
    if meanwhile.gone:
        bench.say(f"{contestant.name}: one of the two who talked was {meanwhile.gone}")
    return Course(clients, came.seconds, *used, errors, before, meanwhile)


def _line(name: str, courses: Sequence[Course], note: str) -> Weathered:
    """Sum up some storms: medians, and all that went wrong."""
    if not courses:
        return Weathered(name, note=note)
    tallies = [course.meanwhile.tally for course in courses]
    return Weathered(
        name,
        f"{median([course.seconds for course in courses]):.1f} s",
        f"{median([course.server_s for course in courses]):.1f} s",
        f"{median([course.load_s for course in courses]):.1f} s",
        f"{sum(course.errors for course in courses)} of {sum(course.clients for course in courses):,}",
        _late([course.before for course in courses]),
        _late([course.meanwhile for course in courses]),
        str(sum(tally.lost for tally in tallies)),
        str(sum(tally.duplicates for tally in tallies)),
        str(sum(tally.order_breaks for tally in tallies)),
        note,
    )


def _late(heard: Sequence[Heard]) -> str:
    shares = (median([percentile(each.late_ns, share) for each in heard]) for share in (0.5, 0.99))
    return " / ".join(map(ms, shares))
