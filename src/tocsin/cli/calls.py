"""What most commands do: read the settings, ask the server, print a table."""

import asyncio
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tocsin.cli.link import open_link
from tocsin.config import Settings, load
from tocsin.telemetry import configure_logging

HubOption = Annotated[str | None, typer.Option(help="The hub.", show_default="default")]
AnyHubOption = Annotated[str | None, typer.Option(help="Only this hub.", show_default="all")]
_NO_TABLE_WIDTH = 200


def settings_of(context: typer.Context, **overrides: object) -> Settings:
    """Read the settings that a command was started with."""
    settings = load({**context.obj, **overrides})
    configure_logging(settings.log_format)
    return settings


def call(
    context: typer.Context,
    method: str,
    path: str,
    body: object = None,
    *,
    hub: str | None = None,
    **params: str,
) -> Any:  # noqa: ANN401 -- JSON
    """Send one request and return the JSON of its answer, None if it has none.

    Raises:
        RefusedError: The answer is a problem, or no answer came.
    """

    async def run() -> Any:  # noqa: ANN401 -- JSON
        async with open_link(settings_of(context), hub) as link:
            return await link.call(method, path, body, **params)

    return asyncio.run(run())


def rows(
    context: typer.Context, path: str, name: str, *, hub: str | None = None, **params: str
) -> Iterator[dict[str, Any]]:
    """Yield what a list holds under ``name``, page after page.

    Raises:
        RefusedError: The answer is a problem, or no answer came.
    """
    cursor: str | None = ""
    while cursor is not None:
        asked = {**params, "cursor": cursor} if cursor else params
        answer = call(context, "GET", path, hub=hub, **asked)
        yield from answer[name]
        cursor = answer["page"]["next"]


def print_table(table: Table) -> None:
    """Print a table as wide as the terminal, or wide enough for whoever reads it from a pipe."""
    on_terminal = sys.stdout.isatty()
    Console(width=None if on_terminal else _NO_TABLE_WIDTH).print(table)
