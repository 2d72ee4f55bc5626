"""What members of groups say of themselves, and who is told.  No socket, time by hand."""

import json
from typing import Any

import pytest

from tests.unit.realtime_fakes import FakeClock, FakeSocket, Turns, payloads, session
from tocsin.realtime.dialects import RELIABLE_JSON
from tocsin.realtime.group_states import MAX_GROUPS, MAX_ITEMS, MAX_STATE, GroupStates
from tocsin.realtime.hub import Hubs
from tocsin.realtime.post import Post
from tocsin.realtime.rights import Rights
from tocsin.realtime.session import Session
from tocsin.realtime.writer import Writer


class Stage:
    """A hub whose sessions tell and watch."""

    def __init__(self) -> None:
        self.clock, self.turns = FakeClock(), Turns()
        self.hubs = Hubs(1000, self.left)
        writer = Writer(
            call_soon=self.turns,
            overflowed=lambda _session, _added: None,
            outbox_bytes=10_000,
        )
        self.states = GroupStates(Post(self.hubs, writer), self.clock.now_us)
        self.sockets: dict[Session, FakeSocket] = {}

    def left(self, session: Session, group: str) -> None:
        self.states.left(session, group)

    def enter(self, user: str, *groups: str) -> Session:
        entered = session(user, dialect=RELIABLE_JSON)
        self.hubs.add(entered)
        for group in groups:
            self.hubs.join(entered, group)
        self.sockets[entered] = FakeSocket(entered)
        return entered

    def heard(self, who: Session) -> list[dict[str, Any]]:
        """Return what someone heard since the last time, and forget it."""
        self.turns.run_all()
        writes, self.sockets[who].writes = self.sockets[who].writes, []
        return [json.loads(text) for text in payloads(b"".join(writes))]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_who_subscribes_is_told_what_there_is_and_then_what_changes(stage: Stage) -> None:
    ada, bob = stage.enter("ada", "g"), stage.enter("bob", "g")
    stage.states.set_state(ada, "g", {"at": "desk"})
    assert stage.states.subscribe(bob, "g") is None
    [snapshot] = stage.heard(bob)
    assert snapshot["type"] == "groupStateSnapshot"
    assert snapshot["items"] == [
        {
            "connectionId": "c-ada",
            "userId": "ada",
            "state": {"at": "desk"},
            "updatedAt": 1_000_000,
        }
    ]
    stage.states.set_state(ada, "g", {"at": "lunch"})
    [update] = stage.heard(bob)
    assert (update["type"], update["group"], update["sequenceId"]) == ("groupStateUpdate", "g", 2)
    assert update["items"][0]["state"] == {"at": "lunch"}
    assert update["items"][0]["updatedAt"] > 1_000_000
    assert stage.heard(ada) == []


def test_a_state_that_is_taken_back_is_told_without_one(stage: Stage) -> None:
    ada = stage.enter("ada", "g")
    stage.states.subscribe(ada, "g")
    stage.states.set_state(ada, "g", {"a": "b"})
    stage.states.set_state(ada, "g", None)
    stage.states.set_state(ada, "g", None)
    *_, last = stage.heard(ada)
    assert "state" not in last["items"][0]
    assert last["sequenceId"] == 3
    stage.states.subscribe(ada, "g")
    assert stage.heard(ada)[-1]["items"] == []


@pytest.mark.parametrize("way", ["leaves", "ends"])
def test_the_state_goes_with_its_owner(stage: Stage, way: str) -> None:
    ada, bob = stage.enter("ada", "g"), stage.enter("bob", "g")
    stage.states.set_state(ada, "g", {"a": "b"})
    stage.states.subscribe(bob, "g")
    stage.states.subscribe(ada, "g")
    stage.heard(bob)
    if way == "leaves":
        stage.hubs.leave(ada, "g")
    else:
        stage.hubs.remove(ada)
    [update] = stage.heard(bob)
    assert update["items"][0]["connectionId"] == "c-ada"
    assert "state" not in update["items"][0]
    stage.heard(ada)
    stage.states.set_state(bob, "g", {"a": "b"})
    assert stage.heard(ada) == []


def test_who_unsubscribed_is_told_no_more(stage: Stage) -> None:
    ada = stage.enter("ada", "g")
    stage.states.unsubscribe(ada, "g")
    stage.states.subscribe(ada, "g")
    stage.heard(ada)
    stage.states.unsubscribe(ada, "g")
    stage.states.set_state(ada, "g", {"a": "b"})
    assert stage.heard(ada) == []


def test_only_members_tell_and_watch(stage: Stage) -> None:
    ada = stage.enter("ada")
    for refused in (stage.states.set_state(ada, "g", {}), stage.states.subscribe(ada, "g")):
        assert refused is not None
        assert refused.name == "BadRequest"


def test_states_are_bounded_in_size_and_number(stage: Stage) -> None:
    groups = [f"g{number}" for number in range(MAX_GROUPS + 1)]
    ada = stage.enter("ada", *groups)
    refused = stage.states.set_state(ada, "g0", {"a": "b" * MAX_STATE})
    assert refused is not None
    assert str(MAX_STATE) in refused.message
    for group in groups[:-1]:
        assert stage.states.set_state(ada, group, {"a": "b"}) is None
    assert stage.states.set_state(ada, groups[0], {"a": "c"}) is None
    assert stage.states.set_state(ada, groups[-1], {"a": "b"}) is not None
    stage.hubs.leave(ada, groups[0])
    assert stage.states.set_state(ada, groups[-1], {"a": "b"}) is None


def test_a_snapshot_has_a_bounded_number_of_members(stage: Stage) -> None:
    for number in range(MAX_ITEMS + 5):
        stage.states.set_state(stage.enter(f"{number:03}", "g"), "g", {"n": "m"})
    watcher = stage.enter("watcher", "g")
    stage.states.subscribe(watcher, "g")
    [snapshot] = stage.heard(watcher)
    names = [item["userId"] for item in snapshot["items"]]
    assert names == [f"{number:03}" for number in range(MAX_ITEMS)]


def test_nothing_is_kept_of_groups_in_which_nobody_tells_or_watches(stage: Stage) -> None:
    ada = stage.enter("ada", "g", "h")
    stage.states.set_state(ada, "g", {"a": "b"})
    stage.states.subscribe(ada, "h")
    stage.hubs.remove(ada)
    assert (stage.states._boards, stage.states._counts) == ({}, {})


def test_roles_of_states_name_groups_or_patterns() -> None:
    rights = Rights(["webpubsub.setGroupState.team-*", "webpubsub.getGroupState"])
    assert rights.may("setGroupState", "team-a")
    assert not rights.may("setGroupState", "other")
    assert rights.may("getGroupState", "other")
    refusal = rights.refusal("setGroupState", "other", "set the state in")
    assert refusal is not None
    assert refusal.name == "Forbidden"
