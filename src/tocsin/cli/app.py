"""All commands and their options."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from tocsin import __version__
from tocsin.cli.access_keys import access_key, connection_string
from tocsin.cli.actions import read_action
from tocsin.cli.archive import back_up, restore
from tocsin.cli.audit import audit
from tocsin.cli.bench import bench
from tocsin.cli.calls import AnyHubOption, HubOption, call, print_table, settings_of
from tocsin.cli.dead import dead
from tocsin.cli.doctor import doctor
from tocsin.cli.drill.command import drill
from tocsin.cli.event_handlers import event_handler
from tocsin.cli.people import people
from tocsin.cli.preferences import preferences
from tocsin.cli.topics import topic
from tocsin.cli.vapid import vapid
from tocsin.cli.webhooks import webhook
from tocsin.clock import SystemClock
from tocsin.config import Settings, advice
from tocsin.errors import TocsinError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Alerts and instant messages: at once, by push, and for certain.",
    epilog="Settings also come from TOCSIN_* variables and tocsin.toml. "
    "TOCSIN_URL and TOCSIN_KEY point commands at a server elsewhere.",
)
keys = typer.Typer(
    no_args_is_help=True, help="API keys: for producers, servers and administrators."
)
app.add_typer(keys, name="key")
app.add_typer(access_key, name="access-key")
app.command(name="connection-string")(connection_string)
app.add_typer(dead, name="dead")
app.add_typer(topic, name="topic")
app.command(name="doctor")(doctor)
app.command(name="bench")(bench)
app.command(name="drill")(drill)
app.add_typer(people, name="user")
app.command(name="audit")(audit)
app.command(name="backup")(back_up)
app.command(name="restore")(restore)
app.add_typer(webhook, name="webhook")
app.add_typer(preferences, name="preferences")
app.add_typer(event_handler, name="event-handler")
app.add_typer(vapid, name="vapid")


def main() -> None:
    """Run the command; a failure is one line on standard error and exit code 1."""
    try:
        app()
    except TocsinError as error:
        place = f"{error.pointer}: " if error.pointer else ""
        print(f"tocsin: {place}{error.detail}", file=sys.stderr)
        sys.exit(1)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            envvar="TOCSIN_DATA_DIR",
            help="Where everything is kept.",
            show_default="tocsin-data",
        ),
    ] = None,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    context.obj = {"data_dir": data_dir}


@app.command(name="serve")
def serve_command(
    context: typer.Context,
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on.", show_default="127.0.0.1"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(help="Port; 0 takes a free one.", show_default="8080"),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(help="Certificate chain (PEM).", show_default=False)
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(help="Private key (PEM).", show_default=False)
    ] = None,
    demo: Annotated[
        bool | None,
        typer.Option(
            "--demo", help="Serve the demo page at / (this machine only).", show_default=False
        ),
    ] = None,
    roles: Annotated[
        str | None,
        typer.Option(
            help="What this process does, with commas: api, gateway, processor, dispatcher, sources.",
            show_default="all",
        ),
    ] = None,
) -> None:
    """Run the server until SIGTERM or Ctrl-C; then drain and exit 0."""
    import uvloop  # noqa: PLC0415 -- as below

    from tocsin.serving import serve  # noqa: PLC0415 -- other commands start in half the time without

    settings = settings_of(
        context,
        host=host,
        port=port,
        tls_cert=tls_cert,
        tls_key=tls_key,
        demo=demo,
        roles=roles,
    )
    uvloop.run(serve(settings))


@keys.command(name="create")
def create_key(
    context: typer.Context,
    role: Annotated[
        Literal["producer", "server", "admin"],
        typer.Option(
            help="producer publishes; server also issues client tokens and reads inboxes; admin also manages."
        ),
    ],
    hub: HubOption = None,
    name: Annotated[
        str | None, typer.Option(help="What it is for, e.g. billing.", show_default=False)
    ] = None,
) -> None:
    """Make a key and print it.  It is shown this once."""
    body = {"role": role, "name": name, "hub": hub}
    answer = call(context, "POST", "/v1/admin/keys", {k: v for k, v in body.items() if v})
    typer.echo(answer["key"])


@keys.command(name="list")
def list_keys(context: typer.Context, hub: AnyHubOption = None) -> None:
    """List keys (never the keys themselves)."""
    table = Table("id", "hub", "role", "name", "created", "revoked", box=None, pad_edge=False)
    for key in call(context, "GET", "/v1/admin/keys", hub=hub)["keys"]:
        table.add_row(
            key["id"],
            key["hub"],
            key["role"],
            key["name"],
            key["created_at"],
            key.get("revoked_at", ""),
        )
    print_table(table)


@keys.command(name="revoke")
def revoke_key(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(help="The id that `key list` shows.")],
) -> None:
    """Revoke a key, at once."""
    call(context, "DELETE", f"/v1/admin/keys/{key_id}")
    typer.echo(f"revoked {key_id}", err=True)


@app.command(name="client-token")
def client_token(
    context: typer.Context,
    user: Annotated[str, typer.Argument(help="The user who connects with it.")],
    hub: HubOption = None,
    ttl_s: Annotated[
        int | None, typer.Option(help="Seconds it is good for.", show_default="3600")
    ] = None,
) -> None:
    """Print a client URL with a token for USER."""
    body: dict[str, object] = {"user_id": user}
    if ttl_s is not None:
        body["ttl_s"] = ttl_s
    typer.echo(call(context, "POST", "/v1/client-tokens", body, hub=hub)["url"])


@app.command()
def publish(
    context: typer.Context,
    title: Annotated[str, typer.Option(help="One line.")],
    to_user: Annotated[
        list[str] | None, typer.Option(help="A recipient; may be repeated.", show_default=False)
    ] = None,
    to_topic: Annotated[
        list[str] | None, typer.Option(help="Its subscribers; may be repeated.", show_default=False)
    ] = None,
    to_all: Annotated[bool, typer.Option("--to-all", help="Everybody of the hub.")] = False,
    body: Annotated[str | None, typer.Option(help="More words.", show_default=False)] = None,
    severity: Annotated[
        Literal["info", "success", "warning", "error", "critical"], typer.Option()
    ] = "info",
    category: Annotated[str | None, typer.Option(help="E.g. payments.", show_default=False)] = None,
    collapse_key: Annotated[
        str | None,
        typer.Option(help="Replaces the unread alert of this key.", show_default=False),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Where a click leads.", show_default=False)
    ] = None,
    icon: Annotated[
        str | None, typer.Option(help="The address of a picture.", show_default=False)
    ] = None,
    action: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID=LABEL[,URL][,STYLE]",
            help="A button; may be repeated. STYLE is default, primary or danger.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="JSON that travels along.", show_default=False)
    ] = None,
    alert_id: Annotated[
        str | None, typer.Option("--id", help="Makes repeats safe.", show_default=False)
    ] = None,
    source: Annotated[str | None, typer.Option(help="Who says it.", show_default=False)] = None,
    deliver_at: Annotated[
        str | None,
        typer.Option(help="Not before this time, e.g. 2026-12-01T08:00:00Z.", show_default=False),
    ] = None,
    expires_in_s: Annotated[
        int | None, typer.Option(help="Seconds until it expires.", show_default=False)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check it, count its people, publish nothing.")
    ] = False,
    hub: HubOption = None,
) -> None:
    """Publish an alert and print its id; it is on disk then."""
    to = {"users": to_user, "topics": to_topic, "all": to_all}
    alert: dict[str, object] = {
        "to": {name: value for name, value in to.items() if value},
        "title": title,
        "severity": severity,
    }
    optional = {
        "body": body,
        "category": category,
        "collapse_key": collapse_key,
        "url": url,
        "icon": icon,
        "actions": [read_action(text) for text in action] if action else None,
        "id": alert_id,
        "source": source,
        "deliver_at": deliver_at,
    }
    alert |= {name: value for name, value in optional.items() if value is not None}
    if data is not None:
        alert["data"] = _json(data)
    if expires_in_s is not None:
        alert["expires_at"] = _time_in(expires_in_s)
    if dry_run:
        told = call(context, "POST", "/v1/alerts", alert, hub=hub, dry_run="true")
        typer.echo(f"it would reach {told['recipients']}; nothing was published")
    else:
        typer.echo(call(context, "POST", "/v1/alerts", alert, hub=hub)["id"])


@app.command()
def withdraw(
    context: typer.Context,
    alert_id: Annotated[str, typer.Argument(help="The id that `publish` printed.")],
    hub: HubOption = None,
) -> None:
    """Take an alert back from every inbox where it is unread."""
    call(context, "DELETE", f"/v1/alerts/{quote(alert_id, safe='')}", hub=hub)
    typer.echo(f"withdrawn {alert_id}", err=True)


@app.command()
def why(
    context: typer.Context,
    alert_id: Annotated[str, typer.Argument(help="The id that `publish` printed.")],
    user: Annotated[str, typer.Argument(help="Whose copy.")],
    hub: HubOption = None,
) -> None:
    """Tell what became of USER's copy of an alert, and why."""
    path = f"/v1/alerts/{quote(alert_id, safe='')}/trace"
    story = call(context, "GET", path, hub=hub, user=user)
    table = Table("at", "fact", "device", "detail", box=None, pad_edge=False)
    for event in story["events"]:
        words = (event["at"] or "?", event["fact"], event.get("device", ""), event["detail"])
        table.add_row(*map(Text, words))
    print_table(table)
    typer.echo(story["conclusion"])


@app.command()
def tail(
    context: typer.Context,
    user: Annotated[str, typer.Argument(help="Whose inbox.")],
    hub: HubOption = None,
) -> None:
    """Show USER's inbox live, until Ctrl-C."""
    from tocsin.cli.tail import tail_inbox  # noqa: PLC0415 -- only this command needs a live client

    settings = settings_of(context)
    try:
        asyncio.run(tail_inbox(settings, user, hub))
    except KeyboardInterrupt:
        return


@app.command(name="check-config")
def check_config(context: typer.Context) -> None:
    """Read all settings, name what is wrong, and print what is in force."""
    from tocsin.node.handlers import check_event_handlers  # noqa: PLC0415 -- a second of imports
    from tocsin.node.pushing import check_push  # noqa: PLC0415 -- as above
    from tocsin.node.sources import check_sources  # noqa: PLC0415 -- as above
    from tocsin.node.tracing import check_tracing  # noqa: PLC0415 -- as above

    settings = settings_of(context)
    check_push(settings)
    check_sources(settings)
    check_tracing(settings)
    asyncio.run(check_event_handlers(settings))
    table = Table("setting", "value", "meaning", box=None, pad_edge=False)
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if hasattr(value, "model_dump"):
            for part, inner in type(value).model_fields.items():
                table.add_row(f"{name}.{part}", str(getattr(value, part)), inner.description or "")
        else:
            table.add_row(name, str(value), field.description or "")
    print_table(table)
    for line in advice(settings):
        typer.echo(f"note: {line}", err=True)


def _time_in(seconds: int) -> str:
    now = datetime.fromtimestamp(SystemClock().now_us() / 1e6, UTC)
    try:
        return (now + timedelta(seconds=seconds)).isoformat()
    except OverflowError as error:
        detail = f"--expires-in-s {seconds} leads out of the calendar"
        raise typer.BadParameter(detail) from error


def _json(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        detail = f"--data is not JSON: {error}"
        raise typer.BadParameter(detail) from error
