"""A real server pushes to a stand-in for a push service: once, not needlessly, and at least once whatever is killed."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

import httpx
import pytest

from tests.acceptance import late_server, patient_server
from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.push_browsers import Browsers, push_environment
from tests.acceptance.server_process import ServerProcess
from tests.push_services.running import process
from tests.push_services.web_push import SLOW_S

pytestmark = pytest.mark.acceptance

KILLS = 50
SERVER_KILLS = 10
GRACE_S = 600
BEHAVIOURS = ("ok", "slow")


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with process("web-push") as origin:
        yield origin


@pytest.fixture
def browsers(make_server: MakeServer, origin: str) -> Browsers:
    return served(make_server(env=push_environment(origin)), origin)


def served(server: ServerProcess, origin: str) -> Browsers:
    """Start the server of some browsers."""
    server.start()
    return Browsers(server, origin, server.key("server"))


def test_what_is_shown_within_the_grace_is_not_pushed_and_what_is_not_is_once(
    make_server: MakeServer, origin: str
) -> None:
    env = push_environment(origin, TOCSIN_PUSH__GRACE_S=str(GRACE_S))
    browsers = served(make_server(program=(late_server.__file__,), env=env), origin)
    name = browsers.register("ada")["ada"]
    token = browsers.server.client_token(browsers.key)["token"]
    headers = {"authorization": f"Bearer {token}"}
    with httpx.stream("GET", f"{browsers.server.url}/v1/inbox/stream", headers=headers, timeout=60):
        shown, ignored = browsers.publish("ada"), browsers.publish("ada")
        said = {"receipts": [{"alert_id": shown, "fact": "shown"}]}

        def is_told() -> bool:
            answer = browsers.server.request(
                "POST", "/v1/inbox/receipts", json=said, headers=headers
            )
            assert answer.status_code == 204, answer.text
            return browsers.facts(shown, "ada") == ["push_cancelled"]

        until(is_told, "the server knows that it was shown")
        assert browsers.facts(ignored, "ada") == ["push_waiting"]
        (browsers.server.folder / late_server.AHEAD).write_text(str(GRACE_S))
        until(lambda: browsers.received()[name, ignored] == 1, "the other one is pushed")
        later = browsers.publish("ada", severity="critical")
        until(lambda: browsers.received()[name, later] == 1, "another one is pushed")
    assert browsers.received() == {(name, ignored): 1, (name, later): 1}
    until(lambda: browsers.facts(ignored, "ada") == ["pushed"], "the trace tells so")


def test_hanging_endpoints_delay_no_other(make_server: MakeServer, origin: str) -> None:
    env = push_environment(origin, **patient_server.SETTINGS)
    browsers = served(make_server(program=(patient_server.__file__,), env=env), origin)
    bad = [f"bad{number}" for number in range(6)]
    good = [f"good{number}" for number in range(294)]
    for behaviour, users in (("hang", bad[:3]), ("huge", bad[3:]), ("ok", good)):
        browsers.register(*users, behaviour=behaviour)
    browsers.publish(*bad, *good)
    # Far longer than that the calls that hang are waited for.
    until(lambda: browsers.received().total() == len(good), "every good browser has it")


@pytest.mark.timeout(600)  # fifty starts
def test_a_dispatcher_killed_fifty_times_tries_every_push_and_repeats_under_the_same_id(
    browsers: Browsers,
) -> None:
    chance = random.Random(7)
    quick, slow = [f"u{number}" for number in range(16)], [f"s{number}" for number in range(4)]
    names = browsers.register(*quick)
    slow_names = browsers.register(*slow, behaviour="slow")
    browsers.server.stop()
    with dispatchers(browsers, [*quick, *slow]) as start:
        for number in range(KILLS):
            pid = start(number)
            if number % 2:  # not while it still opens its store
                until(partial(came, browsers, f"a{number}"), "it is sending")
            time.sleep(chance.uniform(0, SLOW_S if number % 2 else 0.5))
            os.kill(pid, signal.SIGKILL)
        last = start(KILLS)
        expected = wanted(names), wanted(slow_names)
        until(lambda: all_came(browsers, expected), "every push was tried", 60)
        os.kill(last, signal.SIGKILL)
    for behaviour, pushes in zip(BEHAVIOURS, expected, strict=True):
        assert browsers.received(behaviour).keys() == pushes
    repeats, slow_repeats = (
        browsers.received(behaviour).total() - len(pushes)
        for behaviour, pushes in zip(BEHAVIOURS, expected, strict=True)
    )
    assert slow_repeats > 0, "what was under way at a kill is sent again"
    assert repeats < len(expected[0]) / 2, "what was taken is not sent again and again"
    browsers.server.start()
    assert browsers.facts("a0", "u0") == ["pushed"]


def wanted(names: dict[str, str]) -> set[tuple[str, str]]:
    return {(name, f"a{number}") for name in names.values() for number in range(KILLS + 1)}


def came(browsers: Browsers, alert_id: str) -> bool:
    return any(told == alert_id for _, told in browsers.received())


def all_came(browsers: Browsers, expected: tuple[set[tuple[str, str]], ...]) -> bool:
    return all(
        pushes <= browsers.received(behaviour).keys()
        for behaviour, pushes in zip(BEHAVIOURS, expected, strict=True)
    )


@pytest.mark.timeout(600)  # each start takes two seconds of work
def test_a_server_killed_again_and_again_tries_every_push_and_repeats_under_the_same_id(
    browsers: Browsers,
) -> None:
    chance = random.Random(11)
    users = [f"v{number}" for number in range(20)]
    names = browsers.register(*users)
    alerts = set[str]()
    for _ in range(SERVER_KILLS):
        alerts.update(browsers.publish(*users) for _ in range(4))
        time.sleep(chance.uniform(0, 0.3))
        browsers.server.restart()
    expected = {(name, alert_id) for name in names.values() for alert_id in alerts}
    until(lambda: expected <= browsers.received().keys(), "every push was tried", 60)
    assert browsers.received().keys() == expected
    repeats = browsers.received().total() - len(expected)
    assert repeats < len(expected) / 2, "what was taken is not sent again and again"


@contextlib.contextmanager
def dispatchers(browsers: Browsers, users: list[str]) -> Iterator[Callable[[int], int]]:
    """Yield what starts a dispatcher that delivers alerts up to a number, and returns its process id."""
    where = [str(browsers.server.data_dir), browsers.host, ",".join(users)]
    command = [sys.executable, "-m", "tests.acceptance.push_dispatchers", *where]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None

        def start(number: int) -> int:
            parent.stdin.write(f"{number}\n")  # type: ignore[union-attr]  # checked above
            return int(parent.stdout.readline())  # type: ignore[union-attr]  # checked above

        yield start
        parent.stdin.close()
        parent.wait(30)
