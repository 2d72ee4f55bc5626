"""Dead letters on the command line of a running server, over a kill: listed, shown, tried again, dropped."""

import json

import pytest

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.server_process import TOCSIN, ServerProcess
from tests.acceptance.test_poison import POISONED
from tocsin.process.retry import MAX_ATTEMPTS

pytestmark = pytest.mark.acceptance


def listed(server: ServerProcess) -> list[str]:
    """Return the ids that ``dead list`` shows, newest first."""
    return [line.split()[0] for line in server.cli("dead", "list").splitlines()[1:]]


def test_the_command_lists_shows_retries_and_drops(make_server: MakeServer) -> None:
    server = make_server(program=POISONED).start()
    key = server.key("server")
    ids = []
    for title in ("Mended", "Dropped"):
        answer = server.publish(key, title=title, category="fails")
        ids.append(answer.json()["id"])
        until(lambda: len(listed(server)) == len(ids), "it is given up", 60)
    mended, dropped = ids
    assert listed(server) == [dropped, mended]
    server.stop()

    healthy = ServerProcess(server.folder, program=TOCSIN)
    try:
        healthy.start()
        healthy.restart()
        assert listed(healthy) == [dropped, mended], "a kill loses none"
        letter = json.loads(healthy.cli("dead", "show", mended))
        assert (letter["attempts"], letter["to"]) == (MAX_ATTEMPTS, {"users": ["ada"]})
        assert letter["reason"] == "ValueError: this alert cannot be delivered"
        assert letter["alert"]["title"] == "Mended"
        healthy.cli("dead", "retry", mended)
        until(lambda: healthy.titles(key) == ["Mended"], "what was mended arrives")
        healthy.cli("dead", "drop", dropped)
        assert listed(healthy) == []
        for command in ("show", "retry", "drop"):
            gone = healthy.try_cli("dead", command, dropped)
            assert gone.returncode == 1
            assert "tocsin dead list" in gone.stderr
        healthy.restart()
        assert (healthy.titles(key), listed(healthy)) == (["Mended"], [])
        deeds = healthy.cli("audit").splitlines()
        assert [line.split()[4:6] for line in deeds if " done" in line and "dead." in line] == [
            ["dead.drop", dropped],
            ["dead.retry", mended],
        ]
    finally:
        healthy.end()
