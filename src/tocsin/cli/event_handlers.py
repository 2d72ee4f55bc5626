"""Event handlers: the applications behind a hub."""

from typing import Annotated
from urllib.parse import quote

import typer
from rich.table import Table
from rich.text import Text

from tocsin.cli.calls import HubOption, call, print_table
from tocsin.errors import UnavailableError

event_handler = typer.Typer(
    no_args_is_help=True,
    help="Event handlers: let your backend decide about connections and take their events.",
)

_PATH = "/v1/admin/event-handlers"
HandlerId = Annotated[str, typer.Argument(help="The id that `event-handler list` shows.")]


@event_handler.command(name="add")
def add_event_handler(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="Its URL; {hub} and {event} are filled in.")],
    user_events: Annotated[
        str, typer.Option(help="* or names with commas between them.", show_default="none")
    ] = "",
    system_event: Annotated[
        list[str] | None,
        typer.Option(
            help="connect, connected or disconnected; may be repeated.", show_default="none"
        ),
    ] = None,
    authorization: Annotated[
        typer.FileText | None,
        typer.Option(
            help="A file with the Authorization header of every call; - is standard input.",
            show_default=False,
        ),
    ] = None,
    hub: HubOption = None,
) -> None:
    """Add an event handler to a hub, after those that it has."""
    body = {
        "url": url,
        "user_events": user_events,
        "system_events": system_event or [],
        "authorization": None if authorization is None else authorization.read().strip(),
    }
    typer.echo(call(context, "POST", _PATH, body, hub=hub)["id"])


@event_handler.command(name="list")
def list_event_handlers(context: typer.Context, hub: HubOption = None) -> None:
    """List a hub's event handlers, in the order in which they are asked."""
    table = Table("id", "url", "user events", "system events", box=None, pad_edge=False)
    for row in call(context, "GET", _PATH, hub=hub)["event_handlers"]:
        system = " ".join(row["system_events"])
        table.add_row(row["id"], Text(row["url"]), Text(row["user_events"]), system)
    print_table(table)


@event_handler.command(name="remove")
def remove_event_handler(
    context: typer.Context, handler_id: HandlerId, hub: HubOption = None
) -> None:
    """Forget one; those of the settings file are removed there."""
    call(context, "DELETE", f"{_PATH}/{quote(handler_id, safe='')}", hub=hub)
    typer.echo(f"removed {handler_id}", err=True)


@event_handler.command(name="test")
def ask_event_handler(context: typer.Context, handler_id: HandlerId, hub: HubOption = None) -> None:
    """Make the handshake of abuse protection; fails with the reason if the handler does not agree."""
    answer = call(context, "POST", f"{_PATH}/{quote(handler_id, safe='')}/test", hub=hub)
    if not answer["allowed"]:
        detail = f"the event handler does not take our events: {answer['reason']}"
        raise UnavailableError(detail)
    typer.echo("it takes our events", err=True)
