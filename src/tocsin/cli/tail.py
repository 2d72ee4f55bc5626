"""``tocsin tail``: a person's inbox, live in the terminal."""

from datetime import datetime
from typing import Any

import aiohttp
from rich.console import Console
from rich.text import Text

from tocsin.cli.link import open_link
from tocsin.client.live import InboxClient
from tocsin.config import Settings
from tocsin.errors import ConfigError

SHOWN_FIRST = 10
_STYLES = {
    "info": "blue",
    "success": "green",
    "warning": "yellow",
    "error": "red",
    "critical": "bold white on red",
}


async def tail_inbox(settings: Settings, user: str, hub: str | None) -> None:
    """Print the newest unread alerts, then each that arrives, and the counts when they change; until cancelled.

    Raises:
        ConfigError: There is no server to listen to.
    """
    async with open_link(settings, hub) as link, aiohttp.ClientSession() as session:
        if not link.is_live:
            detail = f"no server runs on {settings.data_dir}; start `tocsin serve`, or name one with TOCSIN_URL"
            raise ConfigError(detail, code="no-server")

        async def client_url() -> str:
            return str((await link.call("POST", "/v1/client-tokens", {"user_id": user}))["url"])

        first = await client_url()
        base_url = first.partition("/client/")[0].replace("ws", "http", 1)
        async with InboxClient(client_url, base_url, session) as client:
            await client.synced()
            await _print_news(client, user)


async def _print_news(client: InboxClient, user: str) -> None:
    console = Console(highlight=False, soft_wrap=True)
    view = client.view()
    unread = [item for item in view["items"] if not item["read"]]
    for item in reversed(unread[:SHOWN_FIRST]):
        console.print(_line(item))
    counts = view["counts"]
    console.print(_counts_line(user, counts))
    async for event in client.events():
        if event["type"] == "arrived":
            for item in event["items"]:
                console.print(_line(item))
        elif (now := client.view()["counts"]) != counts:
            counts = now
            console.print(_counts_line(user, counts))


def _line(item: dict[str, Any]) -> Text:
    """Return one alert as a line: time, severity, title, body, source."""
    alert = item["alert"]
    time = datetime.fromisoformat(alert["created_at"]).astimezone()
    line = Text.assemble(
        (f"{time:%H:%M:%S}  ", "dim"),
        (f"{alert['severity']:<8}", _STYLES.get(alert["severity"], "")),
        "  ",
        (_plain(alert["title"]), "bold"),
    )
    if alert.get("body"):
        line.append(f"  {_plain(alert['body'])}")
    return line.append(f"  {_plain(alert['source'])}", "dim")


def _counts_line(user: str, counts: dict[str, int]) -> Text:
    return Text(f"{_plain(user)}: {counts['unread']} unread, {counts['unseen']} new", "dim")


def _plain(text: str) -> str:
    """Return text that cannot move the cursor or colour the screen: control characters become spaces."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
