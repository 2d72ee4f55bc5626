"""Preferences: what holds for everybody of a hub who said nothing else."""

from typing import Annotated

import msgspec
import typer

from tocsin.cli.calls import HubOption, call

preferences = typer.Typer(
    no_args_is_help=True, help="Preferences: what people of a hub are pushed, unless they say."
)

_PATH = "/v1/admin/preferences"


@preferences.command(name="show")
def show_preferences(context: typer.Context, hub: HubOption = None) -> None:
    """Print those of the hub as JSON."""
    _print(call(context, "GET", _PATH, hub=hub))


@preferences.command(name="set")
def set_preferences(
    context: typer.Context,
    file: Annotated[
        typer.FileText, typer.Argument(help="A file with all of them as JSON; - is standard input.")
    ],
    hub: HubOption = None,
) -> None:
    """Replace those of the hub, from the next push on."""
    try:
        wanted = msgspec.json.decode(file.read())
    except msgspec.DecodeError as error:
        detail = f"{file.name} is not JSON: {error}"
        raise typer.BadParameter(detail) from error
    _print(call(context, "PUT", _PATH, wanted, hub=hub))


def _print(answer: dict[str, object]) -> None:
    typer.echo(msgspec.json.format(msgspec.json.encode(answer["preferences"])).decode())
