"""People: what is held of them, their erasure, and their tokens."""

import asyncio
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tocsin.cli.calls import HubOption, call, settings_of
from tocsin.cli.link import open_link
from tocsin.client.refusal import RefusedError

people = typer.Typer(
    no_args_is_help=True, help="People: export or erase what is held of them, revoke their tokens."
)

User = Annotated[str, typer.Argument(help="The user.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@people.command(name="export")
def export_user(context: typer.Context, user: User, hub: HubOption = None) -> None:
    """Print everything that is held of USER, one JSON object a line."""

    async def run() -> str:
        last = ""
        async with open_link(settings_of(context), hub) as link:
            async for line in link.lines(_path(user, "/export")):
                typer.echo(line)
                last = line
        return last

    if '"kind":"end"' not in asyncio.run(run()):
        raise RefusedError("the export broke off before its last line; ask again", code="no-answer")


@people.command(name="erase")
def erase_user(context: typer.Context, user: User, yes: Yes = False, hub: HubOption = None) -> None:
    """Erase USER for good: inbox, receipts, subscriptions, tokens, and alerts for nobody else."""
    if not yes:
        typer.confirm(f"Erase everything that is held of {user!r}?", abort=True, err=True)
    record = call(context, "DELETE", _path(user), hub=hub)
    rows = ", ".join(f"{count} {kind}" for kind, count in record["counts"].items()) or "nothing"
    state = "erased" if "finished_at" in record else "still erasing; until now"
    typer.echo(f"{state} {rows}; record {record['id']}", err=True)


@people.command(name="revoke")
def revoke_user(
    context: typer.Context, user: User, yes: Yes = False, hub: HubOption = None
) -> None:
    """Void every client token of USER, and end the live connections."""
    if not yes:
        typer.confirm(f"Void the tokens of {user!r}?", abort=True, err=True)
    answer: Any = call(context, "POST", _path(user, "/revoke-tokens"), hub=hub)
    typer.echo(f"void up to {answer['revoked_at']}", err=True)


def _path(user: str, rest: str = "") -> str:
    return f"/v1/users/{quote(user, safe='')}{rest}"
