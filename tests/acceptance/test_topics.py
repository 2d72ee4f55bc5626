"""A topic of 50,000 people: killed in the middle, withdrawn in the middle, and nobody else waits for it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from tests.acceptance import resting_server
from tests.acceptance.conftest import server_maker
from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess

pytestmark = pytest.mark.acceptance

PEOPLE = 50_000
AT_ONCE = 1_000
KILLS = 2


class Topic:
    """A server with a topic of 50,000 subscribers, and its keys."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.key = server.key("server")
        self._rests = server.folder / resting_server.RESTS
        for first in range(0, PEOPLE, AT_ONCE):
            users = [user_name(number) for number in range(first, first + AT_ONCE)]
            answer = server.request(
                "POST", "/v1/topics/all-hands/subscribers", json=users, headers=self.key
            )
            assert answer.json() == {"subscribed": AT_ONCE, "already": 0}, answer.text

    def publish_in_no_hurry(self, title: str) -> str:
        """Publish an alert to the topic, which takes its time until ``hurry``; return its id."""
        self._rests.touch()
        answer = self.server.publish(self.key, to={"topics": ["all-hands"]}, title=title)
        assert answer.status_code == 202, answer.text
        alert_id: str = answer.json()["id"]
        return alert_id

    def hurry(self) -> None:
        self._rests.unlink()

    def status(self, alert_id: str) -> dict[str, Any]:
        answer = self.server.request("GET", f"/v1/alerts/{alert_id}", headers=self.key)
        status: dict[str, Any] = answer.json()
        return status

    def reached(self, alert_id: str) -> int:
        """Return how many have it, while more are to get it."""
        status = self.status(alert_id)
        assert status["state"] == "accepted", f"too late to find it under way: {status}"
        count: int = status.get("counts", {"recipients": 0})["recipients"]
        assert count < PEOPLE
        return count

    def finish(self, alert_id: str) -> dict[str, Any]:
        return until(
            lambda: (found := self.status(alert_id))["state"] == "processed" and found,
            "everybody of the topic has it",
        )

    def has_newest(self, user: str, title: str) -> bool:
        return self.server.titles(self.key, user)[:1] == [title]

    def reached_more(self, alert_id: str, than: int) -> int:
        """Return how many have it if they are more than ``than``, else 0."""
        count = self.reached(alert_id)
        return count if count > than else 0

    def rows(self, query: str, *parameters: str) -> list[Any]:
        file = self.server.data_dir / "tocsin.db"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            return connection.execute(query, parameters).fetchall()

    def copies(self, alert_id: str) -> list[tuple[int, int]]:
        """Return how many inboxes hold so many standing items of an alert."""
        return self.rows(
            "SELECT copies, count(*) FROM (SELECT count(*) AS copies FROM items JOIN alerts USING (alert_no)"
            " WHERE alerts.id = ? AND deleted_at IS NULL GROUP BY user_no) GROUP BY copies",
            alert_id,
        )


def user_name(number: int) -> str:
    return f"user-{number:05}"


@pytest.fixture(scope="module")
def topic() -> Iterator[Topic]:
    with server_maker() as make:
        yield Topic(make(program=(resting_server.__file__,)).start())


def test_a_kill_in_the_middle_of_a_topic_costs_nobody_the_alert_and_doubles_none(
    topic: Topic,
) -> None:
    before = dict(topic.rows("SELECT user, rev FROM heads"))
    alert_id = topic.publish_in_no_hurry("Evacuate")
    reached = 0
    for _ in range(KILLS):
        look = partial(topic.reached_more, alert_id, reached)
        reached = until(look, "the topic is expanded further")
        topic.server.restart()
        assert topic.reached(alert_id) >= reached
    topic.hurry()
    assert topic.finish(alert_id)["counts"]["recipients"] == PEOPLE
    assert topic.copies(alert_id) == [(1, PEOPLE)]
    after = dict(topic.rows("SELECT user, rev FROM heads"))
    assert {user: rev - before[user] for user, rev in after.items()} == dict.fromkeys(before, 1)
    for number in (0, 999, 1_000, PEOPLE - 1):
        assert topic.server.titles(topic.key, user_name(number))[0] == "Evacuate"
    assert topic.rows("SELECT * FROM expansions") == topic.rows("SELECT * FROM queue") == []


def test_a_withdrawal_in_the_middle_of_a_topic_reaches_everybody(topic: Topic) -> None:
    alert_id = topic.publish_in_no_hurry("Never mind")
    until(lambda: topic.reached(alert_id) > 2 * AT_ONCE, "the topic is being expanded")
    answer = topic.server.request("DELETE", f"/v1/alerts/{alert_id}", headers=topic.key)
    withdrawn = answer.json()
    assert (answer.status_code, withdrawn["state"]) == (200, "withdrawn")
    assert 2 * AT_ONCE < withdrawn["counts"]["recipients"] < PEOPLE
    topic.hurry()
    until(lambda: not topic.rows("SELECT * FROM queue"), "the queue is empty")
    assert topic.copies(alert_id) == []
    assert topic.rows("SELECT * FROM expansions") == []
    assert topic.status(alert_id) == withdrawn
    unread = topic.rows("SELECT unread FROM heads WHERE user = ?", user_name(0))[0][0]
    titles = topic.server.titles(topic.key, user_name(0))
    assert len(titles) == unread
    assert "Never mind" not in titles


def test_others_get_theirs_while_a_topic_is_expanded(topic: Topic) -> None:
    alert_id = topic.publish_in_no_hurry("Lunch")
    until(lambda: topic.reached(alert_id) > 0, "the topic is being expanded")
    for number in range(5):
        title = f"For Zoe alone {number}"
        told = topic.server.publish(topic.key, to={"users": ["zoe"]}, title=title)
        assert told.status_code == 202
        until(partial(topic.has_newest, "zoe", title), "Zoe has hers")
    topic.reached(alert_id)
    topic.hurry()
    topic.finish(alert_id)
