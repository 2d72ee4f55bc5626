"""Topics: subscribe people, end subscriptions, and look both ways."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tocsin.cli.calls import HubOption, settings_of
from tocsin.cli.link import Link, open_link

topic = typer.Typer(no_args_is_help=True, help="Topics: named sets of subscribed users.")

AT_ONCE = 1_000
PAGE = 200
STDIN = "-"
Name = Annotated[str, typer.Argument(help="The topic.", metavar="TOPIC")]
Users = Annotated[
    list[str],
    typer.Argument(
        help="Users; `-` alone reads them from standard input, one per line.", metavar="USER..."
    ),
]


@topic.command(name="list")
def list_topics(context: typer.Context, hub: HubOption = None) -> None:
    """List the topics of the hub, one per line, after the number of subscribers."""
    _list(
        context, hub, "/v1/topics", "topics", lambda row: f"{row['subscribers']:>9} {row['topic']}"
    )


@topic.command()
def subscribe(context: typer.Context, name: Name, users: Users, hub: HubOption = None) -> None:
    """Subscribe users, at most 1,000 in one transaction.  Repeating it changes nothing."""
    everybody = _read(users)

    async def run(link: Link) -> None:
        added = 0
        for at in range(0, len(everybody), AT_ONCE):
            some = everybody[at : at + AT_ONCE]
            added += (await link.call("POST", f"{_path(name)}/subscribers", some))["subscribed"]
        typer.echo(f"subscribed {added}", err=True)

    _with_link(context, hub, run)


@topic.command()
def unsubscribe(context: typer.Context, name: Name, users: Users, hub: HubOption = None) -> None:
    """End subscriptions, one by one.  Repeating it changes nothing."""
    everybody = _read(users)

    async def run(link: Link) -> None:
        for user in everybody:
            await link.call("DELETE", f"{_path(name)}/subscribers/{quote(user, safe='')}")

    _with_link(context, hub, run)


@topic.command()
def subscribers(context: typer.Context, name: Name, hub: HubOption = None) -> None:
    """List who subscribes to a topic, one per line."""
    _list(context, hub, f"{_path(name)}/subscribers", "subscribers", lambda row: row["user"])


@topic.command(name="of")
def topics_of(
    context: typer.Context,
    user: Annotated[str, typer.Argument(help="The user.")],
    hub: HubOption = None,
) -> None:
    """List the topics that USER subscribes to, one per line."""
    path = f"/v1/users/{quote(user, safe='')}/topics"
    _list(context, hub, path, "topics", lambda row: row["topic"])


def _path(name: str) -> str:
    return f"/v1/topics/{quote(name, safe='')}"


def _read(users: Sequence[str]) -> list[str]:
    if list(users) != [STDIN]:
        return list(users)
    return [line.removesuffix("\n") for line in sys.stdin if line.strip()]


def _with_link(
    context: typer.Context, hub: str | None, use: Callable[[Link], Coroutine[Any, Any, None]]
) -> None:
    """Do several requests by one way to the server."""

    async def run() -> None:
        async with open_link(settings_of(context), hub) as link:
            await use(link)

    asyncio.run(run())


def _list(
    context: typer.Context,
    hub: str | None,
    path: str,
    name: str,
    line_of: Callable[[dict[str, Any]], str],
) -> None:
    """Print a list of any length, page by page."""

    async def run(link: Link) -> None:
        cursor: str | None = ""
        while cursor is not None:
            more = {"cursor": cursor} if cursor else {}
            answer = await link.call("GET", path, limit=str(PAGE), **more)
            for row in answer[name]:
                typer.echo(line_of(row))
            cursor = answer["page"]["next"]

    _with_link(context, hub, run)
