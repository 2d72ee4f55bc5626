"""The application behind a page: it publishes, and reads as another device of the same person would."""

from typing import Any

import httpx

from tests.acceptance.server_process import ServerProcess


class Backend:
    """An application that publishes to Ada, and sees her inbox."""

    def __init__(self, server: ServerProcess) -> None:
        self._url = server.url
        self._key = server.cli("key", "create", "--role", "server").strip()

    def publish(self, *titles: str, **more: Any) -> None:
        """Publish at once as many alerts as there are titles."""
        alerts = [{"to": {"users": ["ada"]}, "title": title, **more} for title in titles]
        self._call("POST", "/v1/alerts/batch", 202, {"alerts": alerts})

    def read_all(self) -> None:
        """Another device of Ada reads everything."""
        position = self._call("GET", "/v1/inbox?user=ada", 200)["position"]
        up_to = {"epoch": position["epoch"], "sort": 2**53 - 1, "brev": position["brev"]}
        self._call("POST", "/v1/inbox/mark?user=ada", 200, {"action": "read", "up_to": up_to})

    def _call(self, method: str, path: str, status: int, body: Any = None) -> Any:
        headers = {"authorization": f"Bearer {self._key}"}
        answer = httpx.request(method, f"{self._url}{path}", json=body, headers=headers, timeout=30)
        assert answer.status_code == status, answer.text
        return answer.json()
