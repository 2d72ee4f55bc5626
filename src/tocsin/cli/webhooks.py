"""Webhooks: who is told of receipts, whether they take it, and what they did not."""

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from tocsin.cli.calls import HubOption, call, print_table, rows
from tocsin.errors import UnavailableError

webhook = typer.Typer(no_args_is_help=True, help="Webhooks: tell your backends of receipts.")
dead = typer.Typer(no_args_is_help=True, help="Messages that a webhook's receiver never took.")
webhook.add_typer(dead, name="dead")

WebhookId = Annotated[str, typer.Argument(help="The id that `webhook list` shows.")]
BatchId = Annotated[str, typer.Argument(help="The id that `webhook dead list` shows.")]


@webhook.command(name="add")
def add_webhook(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="Where to send receipts, https.")],
    fact: Annotated[
        list[str] | None,
        typer.Option(help="A fact to tell, e.g. read; may be repeated.", show_default="all"),
    ] = None,
    key_id: Annotated[
        str | None,
        typer.Option(help="Only alerts published with this key.", show_default=False),
    ] = None,
    hub: HubOption = None,
) -> None:
    """Register a webhook and print its secret.  It is shown this once."""
    body = {"url": url, "facts": fact or [], "key_id": key_id}
    answer = call(context, "POST", "/v1/admin/webhooks", body, hub=hub)
    typer.echo(f"webhook {answer['id']}", err=True)
    typer.echo(answer["secret"])


@webhook.command(name="list")
def list_webhooks(context: typer.Context, hub: HubOption = None) -> None:
    """List a hub's webhooks, and how each goes."""
    table = Table("id", "url", "facts", "state", box=None, pad_edge=False)
    for row in call(context, "GET", "/v1/admin/webhooks", hub=hub)["webhooks"]:
        facts = " ".join(row["facts"]) or "all"
        table.add_row(row["id"], Text(row["url"]), facts, Text(_state(row)))
    print_table(table)


@webhook.command(name="show")
def show_webhook(context: typer.Context, webhook_id: WebhookId, hub: HubOption = None) -> None:
    """Print one as JSON."""
    _print_json(call(context, "GET", _path(webhook_id), hub=hub))


@webhook.command(name="enable")
def enable_webhook(context: typer.Context, webhook_id: WebhookId, hub: HubOption = None) -> None:
    """Go on where it was disabled, at once."""
    call(context, "PATCH", _path(webhook_id), {"enabled": True}, hub=hub)
    typer.echo(f"enabled {webhook_id}", err=True)


@webhook.command(name="disable")
def disable_webhook(context: typer.Context, webhook_id: WebhookId, hub: HubOption = None) -> None:
    """Send nothing until it is enabled again."""
    call(context, "PATCH", _path(webhook_id), {"enabled": False}, hub=hub)
    typer.echo(f"disabled {webhook_id}", err=True)


@webhook.command(name="remove")
def remove_webhook(context: typer.Context, webhook_id: WebhookId, hub: HubOption = None) -> None:
    """Forget one, with the messages that it did not take."""
    call(context, "DELETE", _path(webhook_id), hub=hub)
    typer.echo(f"removed {webhook_id}", err=True)


@webhook.command(name="rotate")
def rotate_secret(context: typer.Context, webhook_id: WebhookId, hub: HubOption = None) -> None:
    """Print a new secret.  For a day the former one signs too."""
    answer = call(context, "POST", f"{_path(webhook_id)}/secret", hub=hub)
    typer.echo(f"the former secret signs until {answer['former_valid_until']}", err=True)
    typer.echo(answer["secret"])


@webhook.command(name="test")
def ping_webhook(context: typer.Context, webhook_id: WebhookId, hub: HubOption = None) -> None:
    """Send a ping; fails with the reason if it is not taken."""
    _expect_delivered(call(context, "POST", f"{_path(webhook_id)}/test", hub=hub))


@dead.command(name="list")
def list_dead(context: typer.Context, webhook_id: WebhookId, hub: HubOption = None) -> None:
    """List what a webhook's receiver never took, newest first."""
    table = Table("id", "dead since", "receipts", "attempts", "reason", box=None, pad_edge=False)
    for row in rows(context, f"{_path(webhook_id)}/dead", "dead", hub=hub):
        counts = (str(row["receipts"]), str(row["attempts"]))
        table.add_row(row["id"], row["dead_at"], *counts, Text(row["reason"]))
    print_table(table)


@dead.command(name="show")
def show_dead(
    context: typer.Context, webhook_id: WebhookId, batch_id: BatchId, hub: HubOption = None
) -> None:
    """Print one as JSON, with its events."""
    _print_json(call(context, "GET", _dead_path(webhook_id, batch_id), hub=hub))


@dead.command(name="retry")
def retry_dead(
    context: typer.Context, webhook_id: WebhookId, batch_id: BatchId, hub: HubOption = None
) -> None:
    """Send one once more, now; fails with the reason if it is not taken."""
    path = f"{_dead_path(webhook_id, batch_id)}/retry"
    _expect_delivered(call(context, "POST", path, hub=hub))


@dead.command(name="drop")
def drop_dead(
    context: typer.Context, webhook_id: WebhookId, batch_id: BatchId, hub: HubOption = None
) -> None:
    """Forget one for good."""
    call(context, "DELETE", _dead_path(webhook_id, batch_id), hub=hub)
    typer.echo(f"dropped {batch_id}", err=True)


def _state(row: dict[str, Any]) -> str:
    if not row["enabled"]:
        return f"disabled: {row['disabled_reason']}"
    if row["attempts"]:
        return f"failing, {row['attempts']} tries: {row['failure']}"
    return "ok"


def _expect_delivered(answer: dict[str, Any]) -> None:
    if not answer["delivered"]:
        detail = f"the receiver did not take it: {answer['reason']}"
        raise UnavailableError(detail)
    typer.echo("delivered", err=True)


def _print_json(value: object) -> None:
    typer.echo(msgspec.json.format(msgspec.json.encode(value)).decode())


def _path(webhook_id: str) -> str:
    return f"/v1/admin/webhooks/{quote(webhook_id, safe='')}"


def _dead_path(webhook_id: str, batch_id: str) -> str:
    return f"{_path(webhook_id)}/dead/{quote(batch_id, safe='')}"
