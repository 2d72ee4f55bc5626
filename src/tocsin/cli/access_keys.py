"""Access keys: the two of a hub that sign client tokens, and the connection string with one of them."""

from typing import Annotated, Literal

import typer
from rich.table import Table

from tocsin.cli.calls import HubOption, call, print_table

access_key = typer.Typer(
    no_args_is_help=True, help="Access keys: the two of a hub that sign client tokens."
)


@access_key.command(name="list")
def list_access_keys(context: typer.Context, hub: HubOption = None) -> None:
    """List the hub's access keys by fingerprint, never the keys themselves."""
    table = Table("name", "fingerprint", box=None, pad_edge=False)
    for key in call(context, "GET", "/v1/admin/access-keys", hub=hub)["access_keys"]:
        table.add_row(key["name"], key["fingerprint"])
    print_table(table)


@access_key.command(name="regenerate")
def regenerate_access_key(
    context: typer.Context,
    which: Annotated[
        Literal["primary", "secondary"],
        typer.Option(help="The key to replace.", show_default=False),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    hub: HubOption = None,
) -> None:
    """Replace a key: tokens that the old one signed are void at once, and their connections end."""
    if not yes:
        question = f"Void every client token that the {which} key signed?"
        typer.confirm(question, abort=True, err=True)
    made = call(context, "POST", f"/v1/admin/access-keys/{which}/regenerate", hub=hub)
    typer.echo(f"{which} of hub {made['hub']} is now {made['fingerprint']}", err=True)


def connection_string(
    context: typer.Context,
    secondary: Annotated[
        bool,
        typer.Option("--secondary", help="With the secondary key, e.g. while the primary changes."),
    ] = False,
    hub: HubOption = None,
) -> None:
    """Print the connection string for Web PubSub SDKs."""
    key = "secondary" if secondary else "primary"
    answer = call(context, "GET", "/v1/admin/connection-string", hub=hub, key=key)
    typer.echo(answer["connection_string"])
