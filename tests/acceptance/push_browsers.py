"""Browsers of many users whose subscriptions are at a stand-in for a push service, and a server that pushes to it."""

import json
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.acceptance.server_process import ServerProcess


def push_environment(origin: str, **more: str) -> dict[str, str]:
    """Return the settings with which a server pushes to the stand-in."""
    return {
        "TOCSIN_OUTBOUND__ALLOW": '["127.0.0.1"]',
        "TOCSIN_PUSH__HOSTS": json.dumps([urlsplit(origin).netloc]),
        "TOCSIN_PUSH__SUBJECT": "mailto:ops@example.org",
        "TOCSIN_RATES__KEY_REQUESTS": "0",
        **more,
    }


class Browsers:
    """Registered subscriptions, and what came for them."""

    def __init__(self, server: ServerProcess, origin: str, key: dict[str, str]) -> None:
        self.server = server
        self.key = key
        self._origin = origin
        self._names: set[str] = set()

    @property
    def host(self) -> str:
        """The stand-in's host and port."""
        return urlsplit(self._origin).netloc

    def register(self, *users: str, behaviour: str = "ok") -> dict[str, str]:
        """Give each user a browser; returns the stand-in's name of each, by user."""
        asked = {"behaviour": behaviour, "count": str(len(users))}
        answer = httpx.post(f"{self._origin}/subscriptions", params=asked, timeout=30)
        names = {}
        for user, channel in zip(users, answer.json(), strict=True):
            names[user] = channel["endpoint"].rpartition("/")[2]
            self._names.add(names[user])
            body = {"platform": "webpush", "channel": channel}
            path = f"/v1/devices/browser?user={user}"
            kept = self.server.request("PUT", path, json=body, headers=self.key)
            assert kept.status_code == 201, kept.text
        return names

    def received(self, behaviour: str = "ok") -> Counter[tuple[str, str]]:
        """Count pushes to these browsers, by the stand-in's name and the alert's id; what broke a rule fails the test."""
        told: dict[str, Any] = httpx.get(f"{self._origin}/report", timeout=30).json()
        assert (told["faults"], told["strayed"]) == ([], [])
        return Counter(
            (one["id"], one["message"]["id"])
            for one in told["received"]
            if one["id"] in self._names and one["behaviour"] == behaviour
        )

    def publish(self, *users: str, **alert: Any) -> str:
        answer = self.server.publish(self.key, to={"users": list(users)}, **alert)
        assert answer.status_code == 202, answer.text
        alert_id: str = answer.json()["id"]
        return alert_id

    def facts(self, alert_id: str, user: str) -> list[str]:
        """Return what the trace says of the user's devices."""
        return [event["fact"] for event in self.events(alert_id, user)]

    def events(self, alert_id: str, user: str) -> list[dict[str, str]]:
        """Return the same with all that is said of each."""
        path = f"/v1/alerts/{alert_id}/trace?user={user}"
        told = self.server.request("GET", path, headers=self.key).json()
        return [event for event in told["events"] if event.get("device") == "browser"]
