"""How long a topic of 100,000 people takes, and how long others wait for theirs meanwhile."""

import time
from typing import Self

import httpx
from bench.child import Child
from bench.frame import Bench, Row, ms
from bench.ground import Lay, on_postgres, on_sqlite
from bench.load.flow import Load
from bench.load.producers import Order
from bench.measure import median, percentile
from bench.servers import Tocsin, tocsin

PEOPLE = 100_000
CLIENTS = 100
PER_S = 100
SECONDS = 5.0
_AT_ONCE = 1_000
_POLL_S = 0.05
_DEADLINE_S = 120.0


def topic(bench: Bench) -> list[Row]:
    """An alert to the topic while 100 alerts a second go to others who are online, and the same without it."""
    return _topic(bench, on_sqlite)


def topic_on_postgres(bench: Bench) -> list[Row]:
    """The same with the store in PostgreSQL."""
    return _topic(bench, on_postgres)


def _topic(bench: Bench, lay: Lay) -> list[Row]:
    took: list[float] = []
    ours: list[float] = []
    controls: list[float] = []
    with (
        lay() as ground,
        tocsin(ground.settings) as server,
        Child(Load) as load,
        _Owner(server) as owner,
    ):
        load.call("listen", server.port, server.client_paths(CLIENTS))
        owner.subscribe()
        bench.say(f"{PEOPLE:,} people subscribed")
        for turn in range(bench.turns):
            alone = _late(server, load)
            load.begin("steady_through", _order(server), PER_S, SECONDS)
            took.append(owner.tell(f"To all {turn}"))
            load.end()
            ours.append(percentile(load.call("late_ns"), 0.99))
            controls.append(alone)
            bench.say(
                f"topic {took[-1]:.1f} s, others' p99 meanwhile {ms(ours[-1])}, without {ms(alone)}"
            )
    seconds, meanwhile, without = median(took), median(ours), median(controls)
    note = f"{ground.name}; {PER_S} alerts/s to {CLIENTS} clients online meanwhile, for {SECONDS:g} s from the publish on"
    return [
        Row(
            f"topic of {PEOPLE:,} people, to the last inbox",
            f"{seconds:,.1f} s",
            "",
            None,
            "<= 15 s",
            seconds <= 15,
            note,
        ),
        Row(
            "publish to frame of others meanwhile, p99 (control: without)",
            ms(meanwhile),
            ms(without),
            meanwhile / without,
            "<= 50 ms",
            meanwhile <= 50e6,
            note,
        ),
    ]


def _order(server: Tocsin) -> Order:
    return Order(server.port, server.key, CLIENTS)


def _late(server: Tocsin, load: Child) -> float:
    """Return the 99th percentile of the time from due to frame, in nanoseconds."""
    load.call("late_ns")
    load.call("steady_through", _order(server), PER_S, SECONDS)
    return percentile(load.call("late_ns"), 0.99)


class _Owner:
    """A backend that subscribes people and tells them."""

    def __init__(self, server: Tocsin) -> None:
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{server.port}",
            headers={"authorization": f"Bearer {server.server_key}"},
            timeout=30,
            limits=httpx.Limits(keepalive_expiry=1),  # before the server closes what rests
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def subscribe(self) -> None:
        """Subscribe everybody."""
        for first in range(0, PEOPLE, _AT_ONCE):
            people = [_person(number) for number in range(first, first + _AT_ONCE)]
            self._http.post("/v1/topics/all-hands/subscribers", json=people).raise_for_status()

    def tell(self, title: str) -> float:
        """Publish to the topic; return the seconds until the last of it, by name, has the alert."""
        began = time.monotonic()
        alert = {"to": {"topics": ["all-hands"]}, "title": title}
        self._http.post("/v1/alerts", json=alert).raise_for_status()
        while self._newest_of_last() != title:
            if time.monotonic() - began > _DEADLINE_S:
                msg = f"the topic took more than {_DEADLINE_S:.0f} s"
                raise TimeoutError(msg)
            time.sleep(_POLL_S)
        return time.monotonic() - began

    def _newest_of_last(self) -> str | None:
        page = self._http.get("/v1/inbox", params={"user": _person(PEOPLE - 1), "limit": 1})
        items = page.raise_for_status().json()["items"]
        return items[0]["alert"]["title"] if items else None


def _person(number: int) -> str:
    return f"person-{number:06}"
