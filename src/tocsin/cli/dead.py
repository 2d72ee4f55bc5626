"""Dead letters and dead pushes: look at what was given up, and decide."""

from typing import Annotated
from urllib.parse import quote

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from tocsin.cli.calls import AnyHubOption, call, print_table, rows

dead = typer.Typer(no_args_is_help=True, help="Dead letters: alerts that could not be delivered.")

ReasonOption = Annotated[
    str,
    typer.Option(help="Only what was refused with this text in the answer.", show_default="any"),
]
AlertId = Annotated[str, typer.Argument(help="The id that `dead list` shows.")]


@dead.command(name="list")
def list_dead(context: typer.Context) -> None:
    """List dead letters of every hub, newest first."""
    table = Table("id", "hub", "dead since", "attempts", "reason", box=None, pad_edge=False)
    for row in rows(context, "/v1/admin/dead", "dead"):
        reason = Text(row["reason"])
        table.add_row(row["id"], row["hub"], row["dead_at"], str(row["attempts"]), reason)
    print_table(table)


@dead.command(name="show")
def show_dead(context: typer.Context, alert_id: AlertId) -> None:
    """Print one as JSON: why it died, what it says, and whom it is for."""
    letter = msgspec.json.encode(call(context, "GET", _path(alert_id)))
    typer.echo(msgspec.json.format(letter).decode())


@dead.command(name="retry")
def retry_dead(context: typer.Context, alert_id: AlertId) -> None:
    """Put one back on the queue, as if it had never been tried."""
    call(context, "POST", f"{_path(alert_id)}/retry")
    typer.echo(f"queued {alert_id}", err=True)


@dead.command(name="drop")
def drop_dead(context: typer.Context, alert_id: AlertId) -> None:
    """Forget one for good."""
    call(context, "DELETE", _path(alert_id))
    typer.echo(f"dropped {alert_id}", err=True)


@dead.command(name="pushes")
def list_pushes(
    context: typer.Context, hub: AnyHubOption = None, reason: ReasonOption = ""
) -> None:
    """List pushes that no push service took, the last given up first."""
    columns = ("id", "hub", "user", "device", "dead since", "attempts", "reason")
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows(context, "/v1/admin/dead-pushes", "dead", **_which(hub, reason)):
        whose = (row["hub"], Text(row["user"]), Text(row["installation_id"]))
        why = Text(f"{row['end']}: {row['reason']}")
        table.add_row(row["id"], *whose, row["dead_at"], str(row["attempts"]), why)
    print_table(table)


@dead.command(name="retry-push")
def retry_push(
    context: typer.Context,
    push_ids: Annotated[list[str], typer.Argument(help="Ids that `dead pushes` shows.")],
) -> None:
    """Send pushes once more, unless their alerts were dealt with meanwhile."""
    for push_id in push_ids:
        call(context, "POST", f"/v1/admin/dead-pushes/{quote(push_id, safe='')}/retry")
        typer.echo(f"queued {push_id}", err=True)


@dead.command(name="retry-pushes")
def retry_pushes(
    context: typer.Context, hub: AnyHubOption = None, reason: ReasonOption = ""
) -> None:
    """Send all pushes once more that `dead pushes` shows with the same options."""
    retried = gone = 0
    asked: dict[str, str] | None = _which(hub, reason)
    while asked is not None:
        answer = call(context, "POST", "/v1/admin/dead-pushes/retry", **asked)
        retried += answer["retried"]
        gone += answer["gone"]
        following = answer["page"]["next"]
        asked = {**asked, "cursor": following} if following else None
    typer.echo(f"queued {retried}; of {gone} the device is gone", err=True)


def _which(hub: str | None, reason: str) -> dict[str, str]:
    return {"reason": reason, **({} if hub is None else {"hub": hub})}


def _path(alert_id: str) -> str:
    return f"/v1/admin/dead/{quote(alert_id, safe='')}"
