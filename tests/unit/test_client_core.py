"""The client machine by hand, one rule at a time; the model test drives it through random histories."""

from typing import Any

import pytest

from tocsin.client.core import InboxCore

Row = dict[str, Any]
T0 = 1_700_000_000_000


def item(number: int, sort: int, rev: int = 1, **more: Any) -> Row:
    name = f"a{number}"
    alert = {"source": "s", "title": name, "severity": "info", "created_at": "-"}
    return {"id": name, "alert_id": name, "sort": sort, "rev": rev, "alert": alert, **more}


def broadcast(brev: int, sort: int, name: str | None = None) -> Row:
    alert = {"source": "s", "title": "all", "severity": "info", "created_at": "-"}
    return {"brev": brev, "alert_id": name or f"b{brev}", "sort": sort, "alert": alert}


def place(rev: int, brev: int = 0, epoch: str = "e") -> Row:
    return {"epoch": epoch, "rev": rev, "brev": brev}


def marks(own: int = 0, everybody: int = 0) -> Row:
    return {
        "seen_up_to": own,
        "read_up_to": own,
        "b_seen_up_to": everybody,
        "b_read_up_to": everybody,
    }


def counts(unseen: int, unread: int | None = None) -> Row:
    return {"unseen": unseen, "unread": unseen if unread is None else unread}


def page(rev: int, items: list[Row], *, end: int | None = None, **more: Any) -> Row:
    whole = {
        "position": place(rev),
        "items": items,
        "end": end,
        "broadcasts": [],
        "states": [],
        "watermarks": marks(),
        "counts": counts(len(items)),
    }
    return {**whole, **more}


def frame(rev: int, items: list[Row], **more: Any) -> Row:
    whole = {
        "tocsin": 1,
        "kind": "inbox",
        "epoch": "e",
        "rev": rev,
        "items": items,
        "removed": [],
        "states": [],
        "watermarks": marks(),
        "counts": counts(rev),
    }
    return {**whole, **more}


def head(rev: int, brev: int = 0, **more: Any) -> Row:
    return {"tocsin": 1, "kind": "head", "epoch": "e", "rev": rev, "brev": brev, **more}


class Client:
    """A core with the effects it asked for, latest last."""

    def __init__(self, **options: int) -> None:
        self.core = InboxCore(options)
        self.now = T0
        self.effects: list[Row] = []
        self.told: list[Row] = []

    def send(self, kind: str, **fields: Any) -> list[Row]:
        event = {"type": kind, "now": self.now, "random": 0.5, **fields}
        self.effects = self.core.step(event)
        self.told += self.effects
        return self.effects

    def requests(self) -> list[Row]:
        return [effect for effect in self.effects if effect["type"] == "request"]

    def timers(self) -> dict[str, int]:
        return {e["timer"]: e["delay_ms"] for e in self.effects if e["type"] == "timer"}

    def answer(self, body: Row, status: int = 200, kind: str | None = None) -> list[Row]:
        asked = [e for e in self.told if e["type"] == "request" and kind in (None, e["kind"])]
        return self.send("answer", request=asked[-1]["request"], status=status, body=body)

    def frame(self, body: Row) -> list[Row]:
        return self.send("frame", frame=body)

    def ids(self) -> list[str]:
        return [row["id"] for row in self.core.view()["items"]]

    def position(self) -> tuple[int, int]:
        position = self.core.view()["position"]
        return position["rev"], position["brev"]


def online(*items: Row, rev: int = 1, options: dict[str, int] | None = None, **more: Any) -> Client:
    client = Client(**(options or {}))
    client.send("start", stored=None)
    client.send("socket_open")
    client.answer(page(rev, list(items), **more))
    return client


def test_nothing_is_read_before_the_socket_is_open() -> None:
    client = Client()
    client.send("start", stored=None)
    assert client.requests() == []
    client.send("socket_open")
    assert [r["path"] for r in client.requests()] == ["/v1/inbox?limit=50"]


def test_frames_under_a_read_are_kept_and_applied_after_it() -> None:
    client = Client()
    client.send("start", stored=None)
    client.send("socket_open")
    client.frame(frame(3, [item(3, 30, 3)]))
    assert client.ids() == []
    client.answer(page(2, [item(2, 20, 2)]))
    assert client.ids() == ["a3", "a2"]
    assert client.position() == (3, 0)


def test_a_doubled_frame_changes_nothing_not_even_counts() -> None:
    client = online(item(1, 10))
    client.frame(frame(1, [], removed=["a1"], counts=counts(77)))
    assert client.ids() == ["a1"]
    assert client.core.view()["counts"] == counts(1)


def test_a_gap_waits_for_the_missing_frame_and_then_asks_for_changes() -> None:
    client = online(item(1, 10))
    client.frame(frame(3, [item(3, 30, 3)]))
    assert client.timers() == {"own_hole": 200}
    assert not client.core.view()["synced"]
    client.send("timer", timer="own_hole")
    assert client.requests()[0]["path"] == "/v1/inbox/changes?since=e:1:0"


def test_a_gap_filled_in_time_costs_no_request() -> None:
    client = online(item(1, 10))
    client.frame(frame(3, [item(3, 30, 3)]))
    client.frame(frame(2, [item(2, 20, 2)]))
    assert client.ids() == ["a3", "a2", "a1"]
    assert {"type": "cancel", "timer": "own_hole"} in client.effects
    assert client.core.view()["synced"]


def test_everybodys_hole_heals_after_a_random_time() -> None:
    client = online(item(1, 10))
    client.frame(head(1, 5, spread=1000))
    assert client.timers() == {"broadcast_hole": 500}


def test_a_frame_of_another_epoch_is_dropped_and_costs_one_request() -> None:
    client = online(item(1, 10))
    client.frame(frame(2, [item(2, 20, 2)], epoch="old"))
    assert client.ids() == ["a1"]
    client.send("timer", timer="own_hole")
    assert client.requests()[0]["kind"] == "changes"


def test_too_many_kept_frames_are_thrown_away_and_count_as_a_hole() -> None:
    client = online(item(1, 10), options={"keep_limit": 2})
    for rev in (3, 4, 5):
        client.frame(frame(rev, []))
    client.frame(frame(2, []))
    assert client.position() == (2, 0)
    assert not client.core.view()["synced"]


def test_an_own_item_below_the_window_is_left_to_a_page() -> None:
    client = online(item(5, 50), end=40)
    client.frame(frame(2, [item(1, 10, 2)]))
    assert client.ids() == ["a5"]
    client.send("load_older")
    path = "/v1/inbox?limit=50&before=40&position=e:2:0"
    assert client.requests()[0]["path"] == path
    client.answer({"position": place(2), "items": [item(1, 10, 2)], "end": None})
    assert client.ids() == ["a5", "a1"]
    assert client.core.view()["complete"]


def test_a_page_that_ran_ahead_is_a_hole() -> None:
    client = online(item(5, 50), end=40)
    client.send("load_older")
    client.answer({"position": place(4), "items": [item(1, 10)], "end": None})
    assert client.position() == (1, 0)
    assert client.timers() == {"own_hole": 200}


def test_a_state_row_outlives_the_add_of_its_broadcast() -> None:
    client = online()
    state = {"brev": 1, "rev": 2, "deleted_at": "t"}
    client.frame(frame(2, [], states=[state]))
    add = {"tocsin": 1, "kind": "broadcast", "epoch": "e", "brev": 1, "add": broadcast(1, 90)}
    effects = client.frame(add)
    assert client.ids() == []
    assert not [e for e in effects if e["type"] == "arrived"]


def test_live_forgets_broadcasts_and_states_but_not_newer_states() -> None:
    states = [{"brev": 1, "rev": 1, "read_at": "t"}, {"brev": 9, "rev": 1, "read_at": "t"}]
    client = online(broadcasts=[broadcast(1, 90), broadcast(2, 91)], states=states)
    client.frame(head(1, 3))
    client.send("timer", timer="broadcast_hole")
    answer = page(1, [], counts=counts(0)) | {"removed": [], "live": [2], "position": place(1, 3)}
    client.answer(answer | {"states": []})
    snapshot = client.core.snapshot()
    assert [row["brev"] for row in snapshot["broadcasts"]] == [2]
    assert [row["brev"] for row in snapshot["states"]] == [9]


def test_counts_shown_include_live_broadcasts_outside_the_window() -> None:
    client = online(item(5, 50), end=40, broadcasts=[broadcast(1, 3)])
    assert client.ids() == ["a5"]
    assert client.core.view()["counts"] == counts(2)


def test_an_action_shows_at_once_and_counts_only_once() -> None:
    client = online(item(1, 10))
    patch = {"type": "patch", "patches": [{"id": "a1", "alert_id": "a1", "read": True}]}
    client.send("act", op_id="o", action=patch)
    assert client.requests()[0]["key"] == "o"
    assert client.core.view()["counts"] == counts(0)
    client.frame(frame(2, [item(1, 10, 2, read_at="t")], counts=counts(0)))
    assert client.core.view()["counts"] == counts(0)
    assert client.core.view()["pending"] == 1
    client.answer({"epoch": "e", "rev": 2, "change": None})
    assert client.core.view()["pending"] == 0


def test_an_answer_without_a_change_is_a_head_and_moves_nothing() -> None:
    client = online(item(1, 10))
    restore = {"type": "restore", "id": "a1", "alert_id": "a1"}
    client.send("act", op_id="o", action=restore)
    client.answer({"epoch": "e", "rev": 4, "change": None})
    assert client.position() == (1, 0)
    assert client.core.view()["pending"] == 1
    assert client.timers() == {"own_hole": 200}


def test_a_refused_action_is_undone_and_told() -> None:
    client = online(item(1, 10))
    patch = {"type": "patch", "patches": [{"id": "a1", "alert_id": "a1", "deleted": True}]}
    client.send("act", op_id="o", action=patch)
    assert client.ids() == []
    client.answer({"code": "item-changed"}, status=409)
    assert client.ids() == ["a1"]
    refusals = [e for e in client.effects if e["type"] == "refused"]
    assert refusals == [
        {"type": "refused", "op_id": "o", "status": 409, "problem": {"code": "item-changed"}}
    ]


@pytest.mark.parametrize("status", [401, 408, 425, 429, 500, 503])
def test_an_unknown_outcome_is_repeated_under_the_same_key(status: int) -> None:
    client = online(item(1, 10))
    client.send("act", op_id="o", action={"type": "mark", "action": "read"})
    client.answer({}, status=status)
    assert client.timers() == {"action_retry": 375}
    client.send("timer", timer="action_retry")
    assert [r["key"] for r in client.requests()] == ["o"]


def test_actions_go_one_at_a_time_in_order() -> None:
    client = online(item(1, 10))
    for op_id in ("first", "second"):
        client.send("act", op_id=op_id, action={"type": "mark", "action": "seen"})
    assert client.requests() == []
    client.answer({"epoch": "e", "rev": 1, "change": None})
    assert [r["key"] for r in client.requests()] == ["second"]


def test_actions_wait_offline_and_go_after_the_first_answer() -> None:
    client = online(item(1, 10))
    client.send("socket_closed")
    client.send("act", op_id="o", action={"type": "mark", "action": "read"})
    assert client.requests() == []
    client.send("socket_open")
    assert [r["kind"] for r in client.requests()] == ["changes"]
    client.answer(page(1, []) | {"removed": []}, kind="changes")
    assert [r["kind"] for r in client.requests()] == ["action"]


def test_up_to_is_what_the_user_had_and_never_a_broadcasts_own_sort() -> None:
    states = [{"brev": 2, "rev": 1, "sort": 70}]
    client = online(
        item(1, 10), broadcasts=[broadcast(1, 99), broadcast(2, 98)], states=states, end=10
    )
    client.send("act", op_id="o", action={"type": "mark", "action": "read"})
    assert client.requests()[0]["body"]["up_to"] == {"epoch": "e", "sort": 70, "brev": 0}


@pytest.mark.parametrize(
    ("top", "sort", "brev"), [(50, 50, 2), (45, 40, 2), (44, 40, 1), (39, 10, 0), (9, 9, 0)]
)
def test_a_mark_from_a_row_covers_what_is_drawn_below_it(top: int, sort: int, brev: int) -> None:
    everybody = [broadcast(1, 40), broadcast(2, 45), broadcast(3, 60)]
    states = [{"brev": 1, "rev": 1, "sort": 50}]
    client = online(
        item(1, 10),
        item(2, 40),
        broadcasts=everybody,
        states=states,
        end=10,
        position={"epoch": "e", "rev": 1, "brev": 3},
    )
    client.send("act", op_id="o", action={"type": "mark", "action": "read", "from": top})
    body = client.requests()[0]["body"]
    assert body == {"action": "read", "up_to": {"epoch": "e", "sort": sort, "brev": brev}}


def test_a_mark_takes_away_what_older_items_count_for() -> None:
    client = online(item(5, 50), end=50, counts=counts(40, 60))
    client.send("act", op_id="o", action={"type": "mark", "action": "seen"})
    assert client.core.view()["counts"] == {"unseen": 0, "unread": 60}
    client.send("act", op_id="p", action={"type": "mark", "action": "read"})
    assert client.core.view()["counts"] == {"unseen": 0, "unread": 0}


def test_an_action_older_than_the_answers_are_kept_is_never_sent() -> None:
    client = online(item(1, 10), options={"queue_max_age_ms": 1000})
    client.send("socket_closed")
    client.send("act", op_id="o", action={"type": "mark", "action": "read"})
    client.now += 1001
    client.send("socket_open")
    client.answer(page(1, []) | {"removed": []})
    assert {"type": "refused", "op_id": "o", "status": 0, "problem": None} in client.effects
    assert client.requests() == []


def test_reload_drops_all_but_the_queue_and_pages_down_again() -> None:
    client = online(item(5, 50), item(4, 40), end=40)
    client.send("socket_closed")
    client.send("act", op_id="o", action={"type": "mark", "action": "read"})
    client.send("socket_open")
    client.answer({"reload": True, "position": place(1, 0, "new")})
    assert [r["kind"] for r in client.requests()] == ["inbox"]
    assert client.core.view()["pending"] == 1
    client.answer(page(1, [item(5, 50)], end=50, position=place(1, 0, "new")), kind="inbox")
    assert [r["kind"] for r in client.requests()] == ["older", "action"]


def test_an_overlay_answered_under_another_epoch_goes_with_the_reload() -> None:
    client = online(item(1, 10))
    client.send("act", op_id="o", action={"type": "mark", "action": "read"})
    client.answer({"epoch": "new", "rev": 7, "change": None})
    client.send("timer", timer="own_hole")
    client.answer({"reload": True, "position": place(0, 0, "newest")})
    client.answer(page(0, [], position=place(0, 0, "newest")))
    assert client.core.view()["pending"] == 0


def test_a_failed_read_is_repeated_ever_later() -> None:
    client = Client()
    client.send("start", stored=None)
    client.send("socket_open")
    delays = []
    for _ in range(9):
        client.answer({}, status=503)
        delays.append(client.timers()["retry"])
        client.send("timer", timer="retry")
    assert delays == [375, 750, 1500, 3000, 6000, 12000, 22500, 22500, 22500]


def test_an_answer_after_its_deadline_is_ignored() -> None:
    client = Client()
    client.send("start", stored=None)
    client.send("socket_open")
    late = client.requests()[0]["request"]
    client.send("timer", timer="deadline")
    client.send("answer", request=late, status=200, body=page(9, []))
    assert client.core.view()["position"] is None


def test_a_stored_state_begins_with_changes() -> None:
    before = online(item(1, 10))
    stored = before.core.snapshot()
    client = Client()
    client.send("start", stored=stored)
    assert client.ids() == ["a1"]
    client.send("socket_open")
    assert [r["kind"] for r in client.requests()] == ["changes"]


def test_a_stored_state_that_comes_late_goes_before_what_was_done_meanwhile() -> None:
    before = online(item(1, 10))
    before.send("socket_closed")
    before.send("act", op_id="before", action={"type": "mark", "action": "seen"})
    stored = before.core.snapshot()
    client = Client()
    patch = {"id": "a1", "alert_id": "a1", "read": True}
    client.send("act", op_id="now", action={"type": "patch", "patches": [patch]})
    client.send("start", stored=stored)
    assert client.ids() == ["a1"]
    assert [e["op_id"] for e in client.core.snapshot()["queue"]] == ["before", "now"]
    client.send("act", op_id="then", action={"type": "patch", "patches": [patch]})
    assert client.effects[-1]["expected"] == place(1)


def test_a_stored_state_that_comes_after_the_servers_is_not_looked_at() -> None:
    stored = online(item(1, 10)).core.snapshot()
    client = online(item(2, 20))
    client.send("start", stored=stored)
    assert client.ids() == ["a2"]


def test_a_stored_state_is_written_only_over_the_one_read_or_written_last() -> None:
    client = online(item(1, 10))
    assert [e["expected"] for e in client.told if e["type"] == "persist"] == [None]
    client.frame(frame(2, []))
    assert client.effects[-1]["expected"] == place(1)
    other = Client()
    other.send("start", stored=None)
    other.send("socket_open")
    other.answer(page(5, []))
    other.send("act", op_id="theirs", action={"type": "mark", "action": "seen"})
    client.send("conflict", stored=other.core.snapshot())
    assert client.effects[-1]["expected"] == place(5)
    assert [e["op_id"] for e in client.core.snapshot()["queue"]] == ["theirs"]


def test_an_arrival_is_told_once_even_when_its_frame_is_kept() -> None:
    client = online(item(1, 10))
    arrived = []
    for rev, body in ((3, item(3, 30, 3)), (3, item(3, 30, 3)), (2, item(2, 29, 2, read_at="t"))):
        client.frame(frame(rev, [body]))
        arrived += [e["items"] for e in client.effects if e["type"] == "arrived"]
    assert [[row["id"] for row in items] for items in arrived] == [["a3"]]


def test_what_was_missed_offline_is_no_arrival_but_a_healed_hole_is() -> None:
    client = online(item(1, 10))
    client.send("socket_closed")
    client.send("socket_open")
    client.answer(page(2, [item(2, 20, 2)]) | {"removed": []})
    assert not [e for e in client.effects if e["type"] == "arrived"]
    client.frame(head(3))
    client.send("timer", timer="own_hole")
    client.answer(page(3, [item(3, 30, 3)]) | {"removed": []})
    assert [e["items"][0]["id"] for e in client.effects if e["type"] == "arrived"] == ["a3"]


def test_what_is_no_frame_of_ours_is_ignored() -> None:
    client = online(item(1, 10))
    for body in (None, "text", {"kind": "inbox"}, {"tocsin": 1, "kind": "later"}):
        assert client.send("frame", frame=body) == []
