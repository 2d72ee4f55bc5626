"""VAPID keys: what Web Push is signed with."""

from typing import Annotated
from urllib.parse import quote

import typer
from rich.table import Table

from tocsin.cli.calls import call, print_table

vapid = typer.Typer(
    no_args_is_help=True, help="VAPID keys: what pushes to browsers are signed with."
)

_PATH = "/v1/admin/vapid-keys"


@vapid.command(name="list")
def list_vapid_keys(context: typer.Context) -> None:
    """List the keys, oldest first, retired ones too."""
    table = Table("id", "state", "created", "retired", "public key", box=None, pad_edge=False)
    for key in call(context, "GET", _PATH)["vapid_keys"]:
        times = key["created_at"], key["retired_at"] or ""
        table.add_row(key["id"], key["state"], *times, key["public_key"])
    print_table(table)


@vapid.command(name="rotate")
def rotate_vapid_key(context: typer.Context) -> None:
    """Make a new key; browsers change to it when their app starts, and the old one is good until it is retired."""
    typer.echo(call(context, "POST", _PATH)["id"])


@vapid.command(name="retire")
def retire_vapid_key(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(help="The id that `vapid list` shows.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """End the older key: browsers that still subscribe with it are reached no more until they come back."""
    if not yes:
        question = f"Lose every subscription that was made with {key_id}?"
        typer.confirm(question, abort=True, err=True)
    ended = call(context, "DELETE", f"{_PATH}/{quote(key_id, safe='')}")
    typer.echo(f"retired {key_id}, and {ended['devices']} devices with it", err=True)
