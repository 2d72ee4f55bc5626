"""Alertmanager, Grafana and PagerDuty publish to Tocsin as they are."""

import base64
from typing import Any

import pytest

from tests.unit.shim_sender import payload, sending
from tocsin.model.commands import Done, Patch, PatchItems

Hook = dict[str, Any]


def resolved(hook: Hook) -> Hook:
    """Return the webhook by which all alerts of ``hook`` end."""
    ends = [{**a, "status": "resolved", "endsAt": "2026-11-22T19:40:07Z"} for a in hook["alerts"]]
    return {**hook, "status": "resolved", "alerts": ends}


def changed(hook: Hook, **annotations: str) -> Hook:
    """Return the webhook with other annotations on all its alerts."""
    alerts = [{**a, "annotations": {**a["annotations"], **annotations}} for a in hook["alerts"]]
    return {**hook, "alerts": alerts}


async def test_each_alert_of_alertmanager_becomes_an_alert_and_leaves_when_it_is_resolved() -> None:
    hook = payload("alertmanager")
    async with sending() as sender:
        taken = await sender.post("alertmanager?to_users=ada,ben", json=hook)
        assert taken.status_code == 200, taken.text
        second, first = await sender.inbox("ben")
        assert second["title"] == "Disk of db-2 is filling up"
        assert second["severity"] == "warning"
        assert second["body"] == "instance=db-2:9100, job=node, severity=warning"
        assert first["title"] == "Disk of db-1 is filling up"
        assert first["body"] == "/var on db-1 will be full in four hours."
        assert first["severity"] == "critical"
        assert first["category"] == "DiskFull"
        assert first["url"] == hook["alerts"][0]["generatorURL"]
        assert first["actions"] == [
            {
                "id": "runbook",
                "label": "Runbook",
                "url": "https://runbooks.example.org/disk-full",
            }
        ]
        one = {**hook, "alerts": [resolved(hook)["alerts"][0], hook["alerts"][1]]}
        assert (await sender.post("alertmanager?to_users=ada,ben", json=one)).is_success
        assert await sender.titles() == ["Disk of db-2 is filling up"]
        assert (await sender.post("alertmanager?to_users=ada,ben", json=resolved(hook))).is_success
        assert await sender.titles() == []


@pytest.mark.parametrize("product", ["alertmanager", "grafana"])
async def test_a_webhook_sent_again_says_nothing_again(product: str) -> None:
    hook = payload(product)
    async with sending(users=("ada",)) as sender:
        ids = (await sender.post(product, json=hook)).json()["alerts"]
        titles = await sender.titles()
        assert (await sender.post(product, json=hook)).json()["alerts"] == ids
        assert await sender.titles() == titles


@pytest.mark.parametrize("product", ["alertmanager", "grafana"])
async def test_what_fires_on_after_its_end_is_heard_again_once(product: str) -> None:
    hook = payload(product)
    async with sending(users=("ada",)) as sender:
        heard: set[str] = set()
        for _ in range(3):
            ids = {*(await sender.post(product, json=hook)).json()["alerts"]}
            assert len(await sender.titles()) == len(ids) == len(hook["alerts"])
            assert not ids & heard
            assert {*(await sender.post(product, json=hook)).json()["alerts"]} == ids
            await sender.post(product, json=resolved(hook))
            assert await sender.titles() == []
            heard |= ids


async def test_an_alert_that_says_something_new_replaces_itself_while_it_is_unread() -> None:
    hook = payload("grafana")
    async with sending(users=("ada",)) as sender:
        for text in ("91 %", "95 %", "91 %"):
            await sender.post("grafana", json=changed(hook, summary=text))
            assert await sender.titles() == [text]
        await sender.post("grafana", json=resolved(hook))
        assert await sender.titles() == []


@pytest.mark.parametrize("product", ["grafana", "pagerduty/v2/enqueue"])
async def test_one_key_tells_two_audiences_by_two_addresses_once_each(product: str) -> None:
    async with sending() as sender:
        begin: Hook = payload("grafana") | event(sender)
        end = resolved(begin) | {"event_action": "resolve"}
        for _ in range(3):
            for user in ("ada", "ben"):
                assert (await sender.post(f"{product}?to_users={user}", json=begin)).is_success
        assert (len(await sender.titles("ada")), len(await sender.titles("ben"))) == (1, 1)
        assert len(await sender.published()) == 2
        await sender.post(f"{product}?to_users=ada", json=end)
        assert (await sender.titles("ada"), await sender.titles("ben")) == ([], [])


async def test_alerts_without_a_fingerprint_are_known_by_their_labels() -> None:
    hook = payload("alertmanager")
    for alert in hook["alerts"]:
        del alert["fingerprint"]
    async with sending(users=("ada",)) as sender:
        for _ in range(2):
            await sender.post("alertmanager", json=hook)
        assert len(await sender.titles()) == 2
        await sender.post("alertmanager", json=resolved(hook))
        assert await sender.titles() == []


async def test_an_alert_that_fires_anew_is_a_new_alert() -> None:
    hook = payload("grafana")
    again = {**hook, "alerts": [{**hook["alerts"][0], "startsAt": "2026-11-23T01:00:00Z"}]}
    async with sending(users=("ada",)) as sender:
        for sent in (hook, resolved(hook), again):
            await sender.post("grafana", json=sent)
        assert len(await sender.titles()) == 1
        await sender.post("grafana", json=resolved(hook))
        assert len(await sender.titles()) == 1
        await sender.post("grafana", json=resolved(again))
        assert await sender.titles() == []


async def test_grafana_links_to_panel_dashboard_and_silence() -> None:
    async with sending(users=("ada",)) as sender:
        await sender.post("grafana", json=payload("grafana"))
        [alert] = await sender.inbox()
        assert alert["url"].endswith("viewPanel=2")
        assert [action["id"] for action in alert["actions"]] == ["runbook", "dashboard", "silence"]
        assert alert["severity"] == "warning"


async def test_what_is_resolved_can_be_said_instead_of_withdrawn() -> None:
    hook = payload("grafana")
    async with sending(users=("ada",)) as sender:
        for sent in (hook, resolved(hook), resolved(hook)):
            assert (await sender.post("grafana?resolved=update", json=sent)).is_success
        [alert] = await sender.inbox()
        assert (alert["title"], alert["severity"]) == (
            "Resolved: Memory is nearly used up",
            "success",
        )


async def test_a_group_can_be_one_alert() -> None:
    hook = payload("alertmanager")
    fewer = {**hook, "alerts": [resolved(hook)["alerts"][0], hook["alerts"][1]]}
    async with sending(users=("ada",)) as sender:
        for sent in (hook, hook):
            await sender.post("alertmanager?per=group", json=sent)
        [group] = await sender.inbox()
        assert (group["title"], group["severity"]) == ("DiskFull: 2 firing", "critical")
        assert group["body"] == "- Disk of db-1 is filling up\n- Disk of db-2 is filling up"
        await sender.post("alertmanager?per=group", json=fewer)
        [group] = await sender.inbox()
        assert (group["title"], group["severity"]) == ("DiskFull: 1 firing", "warning")
        for end in (resolved(hook), resolved(hook)):
            await sender.post("alertmanager?per=group", json=end)
            assert await sender.titles() == []
        await sender.post("alertmanager?per=group", json=hook)
        assert await sender.titles() == ["DiskFull: 2 firing"]


async def test_a_broadcast_alert_is_exchanged_when_it_changes_and_withdrawn_at_the_end() -> None:
    hook = payload("grafana")
    async with sending(all=True) as sender:
        assert await sender.titles("anybody") == []  # from here on broadcasts count
        for text in ("91 %", "95 %"):
            await sender.post("grafana", json=changed(hook, summary=text))
            assert await sender.titles("anybody") == [text]
        await sender.post("grafana", json=resolved(hook))
        assert await sender.titles("anybody") == []


async def test_alerts_name_whom_they_are_for_before_url_and_settings_do() -> None:
    hook = payload("alertmanager")
    hook["alerts"][0]["labels"]["tocsin_users"] = "ben, chloe"
    async with sending(users=("dora",)) as sender:
        await sender.post("alertmanager?to_users=ada", json=hook)
        found = {user: await sender.titles(user) for user in ("ada", "ben", "chloe", "dora")}
        db1, db2 = "Disk of db-1 is filling up", "Disk of db-2 is filling up"
        assert found == {"ada": [db2], "ben": [db1], "chloe": [db1], "dora": []}


async def test_alerts_go_to_the_topics_that_they_name() -> None:
    hook = payload("alertmanager")
    hook["alerts"][0]["labels"]["tocsin_topics"] = "databases"
    async with sending(topics=("oncall",)) as sender:
        await sender.server.store.topics.subscribe("default", "databases", ["ada"])
        await sender.server.store.topics.subscribe("default", "oncall", ["ben"])
        await sender.post("alertmanager", json=hook)
        assert await sender.titles("ada") == ["Disk of db-1 is filling up"]
        assert await sender.titles("ben") == ["Disk of db-2 is filling up"]
        await sender.post("alertmanager", json=resolved(hook))
        assert (await sender.titles("ada"), await sender.titles("ben")) == ([], [])


async def test_an_alert_for_nobody_is_refused_with_the_remedy_and_holds_up_no_other() -> None:
    hook = payload("alertmanager")
    hook["alerts"][1]["annotations"]["tocsin_users"] = "ada"
    async with sending() as sender:
        refused = await sender.post("alertmanager", json=hook)
        assert (refused.status_code, refused.json()["code"]) == (400, "audience-missing")
        assert "to_users=" in refused.json()["detail"]
        assert "hubs.default.audiences" in refused.json()["detail"]
        assert await sender.titles() == ["Disk of db-2 is filling up"]


@pytest.mark.parametrize("query", ["per=both", "resolved=ignore", "to_all=yes"])
async def test_a_word_that_an_option_does_not_know_is_refused(query: str) -> None:
    async with sending(users=("ada",)) as sender:
        refused = await sender.post(f"alertmanager?{query}", json=payload("alertmanager"))
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid-query")


async def test_too_long_texts_are_cut_and_too_much_data_is_left_out() -> None:
    hook = payload("alertmanager")
    hook["alerts"] = hook["alerts"][:1]
    hook["alerts"][0]["annotations"].update(summary="s" * 600, description="ü" * 70_000)
    hook["alerts"][0]["labels"]["many"] = "x" * 70_000
    hook["alerts"][0]["generatorURL"] = "http://prometheus.example.org/" + "q" * 3_000
    async with sending(users=("ada",)) as sender:
        assert (await sender.post("alertmanager", json=hook)).status_code == 200
        [alert] = await sender.inbox()
        assert alert["title"] == "s" * 511 + "…"
        assert len(alert["body"]) > 10_000
        assert alert["body"].endswith("…")
        assert "url" not in alert
        assert "data" not in alert


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "invalid-json"),
        (b"\xff", "invalid-json"),
        (b"{}", "invalid-field"),
        (b'{"x":' + b"[" * 50_000, "invalid-json"),
    ],
)
async def test_what_is_no_webhook_is_refused_for_good(content: bytes, code: str) -> None:
    async with sending(users=("ada",)) as sender:
        refused = await sender.post("alertmanager", content=content)
        assert (refused.status_code, refused.json()["code"]) == (400, code)


async def test_keys_come_as_bearer_or_as_password_and_strangers_are_refused() -> None:
    hook = payload("alertmanager")
    async with sending(users=("ada",)) as sender:
        for user in ("anybody", ""):
            basic = base64.b64encode(f"{user}:{sender.key}".encode()).decode()
            taken = await sender.post(
                "alertmanager", json=hook, headers={"authorization": f"Basic {basic}"}
            )
            assert taken.status_code == 200, taken.text
        for headers in ({}, {"authorization": "Basic !"}, {"authorization": "Bearer tsk_a_b_c"}):
            refused = await sender.post("alertmanager", content=b"{", headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")


async def test_one_key_cannot_end_what_another_published() -> None:
    hook = payload("grafana")
    async with sending() as sender:
        other, _ = await sender.server.keyring.create("default", "producer", "monitoring")
        await sender.post("grafana?to_users=ada", json=hook)
        answer = await sender.post(
            "grafana", json=resolved(hook), headers={"authorization": f"Bearer {other}"}
        )
        assert answer.status_code == 200
        assert await sender.titles() == ["Memory is nearly used up"]


def event(sender: Any, action: str = "trigger", **more: Any) -> Hook:
    """Return an event of PagerDuty with the sender's key."""
    return {**payload("pagerduty"), "routing_key": sender.key, "event_action": action, **more}


async def test_pagerduty_triggers_acknowledges_and_resolves() -> None:
    async with sending(users=("ada",)) as sender:

        async def send(action: str = "trigger", **more: Any) -> None:
            taken = await sender.post(
                "pagerduty/v2/enqueue", json=event(sender, action, **more), headers={}
            )
            assert taken.status_code == 202, taken.text
            assert taken.json() == {
                "status": "success",
                "message": "Event processed",
                "dedup_key": "samplekeyhere",
            }

        await send()
        await send()
        [alert] = await sender.inbox()
        assert alert["title"] == "DISK at 99% on machine prod-datapipe03.example.org"
        assert (alert["severity"], alert["category"]) == ("critical", "disk")
        assert alert["url"] == "https://monitoring.example.org"
        assert alert["body"] == (
            "Source: prod-datapipe03.example.org\nComponent: mysql\nGroup: prod-datapipe"
        )
        for _ in range(2):
            await send("acknowledge", payload=None)
            assert await sender.titles() == ["Acknowledged: samplekeyhere"]
        await send()
        assert await sender.titles() == ["Acknowledged: samplekeyhere"]
        for _ in range(2):
            await send("resolve", payload=None)
            assert await sender.titles() == []
        await send("acknowledge", payload=None)
        assert await sender.titles() == []
        await send()
        assert len(await sender.titles()) == 1


async def test_pagerduty_gives_an_event_without_a_key_one_that_resolves_it() -> None:
    async with sending(users=("ada",)) as sender:
        sent = event(sender, dedup_key=None)
        await sender.post("pagerduty/v2/enqueue", json=sent, headers={})
        taken = await sender.post("pagerduty/v2/enqueue", json=sent, headers={})
        assert len(await sender.titles()) == 2
        end = {
            "routing_key": sender.key,
            "event_action": "resolve",
            "dedup_key": taken.json()["dedup_key"],
        }
        assert (await sender.post("pagerduty/v2/enqueue", json=end, headers={})).status_code == 202
        assert len(await sender.titles()) == 1


async def test_an_acknowledgement_that_names_nobody_changes_nothing() -> None:
    async with sending() as sender:
        first = event(sender)
        first["payload"]["custom_details"]["tocsin_users"] = "ada"
        await sender.post("pagerduty/v2/enqueue", json=first, headers={})
        taken = await sender.post(
            "pagerduty/v2/enqueue", json=event(sender, "acknowledge", payload=None), headers={}
        )
        assert taken.status_code == 202
        assert await sender.titles() == ["DISK at 99% on machine prod-datapipe03.example.org"]


@pytest.mark.parametrize(
    "change",
    [
        {"event_action": "explode"},
        {"payload": None},
        {"payload": {"severity": "info"}},
        {"event_action": "resolve", "dedup_key": None},
        {"dedup_key": "k" * 256},
    ],
)
async def test_pagerduty_refuses_in_its_own_words(change: Hook) -> None:
    async with sending(users=("ada",)) as sender:
        refused = await sender.post("pagerduty/v2/enqueue", json=event(sender) | change, headers={})
        assert refused.status_code == 400
        assert refused.json()["status"] == "invalid event"
        assert len(refused.json()["errors"]) == 1


async def test_pagerduty_refuses_an_unknown_routing_key() -> None:
    async with sending(users=("ada",)) as sender:
        for key in ("R0UT1NGKEY", None):
            refused = await sender.post(
                "pagerduty/v2/enqueue", json=event(sender) | {"routing_key": key}, headers={}
            )
            assert (refused.status_code, refused.json()["status"]) == (401, "unauthenticated")


async def days_pass(sender: Any, days: int) -> None:
    """Let days pass, with the sweeps of each."""
    for _ in range(days):
        sender.server.clock.advance(86_400)
        while (await sender.server.store.sweep()).more:
            pass


async def test_a_resolve_finds_what_was_triggered_a_month_ago() -> None:
    async with sending(users=("ada",)) as sender:
        for action in ("trigger", "trigger", "resolve"):
            more = {"payload": None} if action == "resolve" else {}
            taken = await sender.post(
                "pagerduty/v2/enqueue", json=event(sender, action, **more), headers={}
            )
            assert taken.status_code == 202, taken.text
            expected = ["DISK at 99% on machine prod-datapipe03.example.org"]
            assert await sender.titles() == ([] if action == "resolve" else expected)
            await days_pass(sender, 30)
        assert len(await sender.published()) == 1


async def test_what_fires_for_a_month_is_one_alert_though_it_was_read() -> None:
    hook = payload("alertmanager")
    async with sending(users=("ada",)) as sender:
        await sender.post("alertmanager", json=hook)
        said = await sender.published()
        read = PatchItems((Patch(id=said[0], alert_id=said[0], read=True),))
        assert isinstance(await sender.server.store.act("default", "ada", read, None), Done)
        for _ in range(3):
            await days_pass(sender, 10)
            await sender.post("alertmanager", json=hook)
        assert await sender.published() == said
