"""The command ``tocsin drill`` and its options."""

import asyncio
import json
import os
import signal
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from tocsin.cli.calls import HubOption, settings_of
from tocsin.cli.drill.plan import Drill
from tocsin.cli.elsewhere import refuse_elsewhere
from tocsin.client.remote import address_of
from tocsin.config import Settings
from tocsin.errors import ConfigError

if TYPE_CHECKING:  # a live client, which only this command needs
    from tocsin.cli.drill.drilled import Drilled, Watch

MOST_ALERTS = 100_000
SHORTEST_DROP_S = 0.05
CUT_SHORT = 130


class Servers(NamedTuple):
    """Where a drill is to go, and what it shows there."""

    endpoints: list[str]
    gateways: list[str]
    key: str | None
    hub: str | None


def drill(
    context: typer.Context,
    duration: Annotated[float, typer.Option(min=1, max=3600, help="Seconds to publish for.")] = 30,
    rate: Annotated[float, typer.Option(min=1, max=2000, help="Alerts a second.")] = 50,
    clients: Annotated[
        int, typer.Option(min=1, max=200, help="Clients that look, two for each made-up person.")
    ] = 10,
    drop_every: Annotated[
        float,
        typer.Option(
            min=0, max=3600, help="Seconds from one cut of a client to the next; 0: never."
        ),
    ] = 2,
    break_command: Annotated[
        str,
        typer.Option("--break", help="A shell command that breaks something.", show_default=False),
    ] = "",
    break_at: Annotated[
        float | None,
        typer.Option(
            min=0.1, max=3600, help="When, in seconds from the start.", show_default="half time"
        ),
    ] = None,
    break_every: Annotated[
        float | None,
        typer.Option(
            min=1, max=3600, help="Seconds from one break to the next.", show_default="one break"
        ),
    ] = None,
    settle: Annotated[
        float,
        typer.Option(
            min=1, max=600, help="Seconds a request is repeated, and that the last ones may take."
        ),
    ] = 60,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=60, help="Seconds that one answer is waited for.")
    ] = 10,
    endpoint: Annotated[
        list[str] | None,
        typer.Option(
            help="Where to publish and read: a server's address; may be repeated, for all nodes of a cluster.",
            show_default="TOCSIN_URL, or the server beside it",
        ),
    ] = None,
    gateway: Annotated[
        list[str] | None,
        typer.Option(
            help="Where live clients connect, if endpoints have not the role gateway; may be repeated.",
            show_default="the endpoints",
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="A server or admin key, for all endpoints.", show_default="TOCSIN_KEY"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the ledger as JSON.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Also on another machine.")] = False,
    hub: HubOption = None,
) -> None:
    """Prove that nothing is lost or told twice while things break, and clean up.  It WRITES to the server."""
    asked = Drill(
        duration_s=duration,
        rate=rate,
        clients=clients,
        drop_every_s=drop_every,
        settle_s=settle,
        timeout_s=timeout,
        break_command=break_command,
        break_at_s=break_at or 0.0,
        break_every_s=break_every or 0.0,
    )
    _check(asked)
    _check_addresses("--endpoint", endpoint or [])
    _check_addresses("--gateway", gateway or [])
    given = os.environ.get("TOCSIN_URL")
    servers = Servers(endpoint or ([given] if given else []), gateway or [], key, hub)
    if not yes:
        refuse_elsewhere(*servers.endpoints, *servers.gateways)
    drilled = _run(settings_of(context), asked, servers)
    _tell(drilled, as_json=as_json)


def _check(asked: Drill) -> None:
    """Refuse what the ranges of the single options let pass.

    Raises:
        BadParameter: It names the options.
    """
    if asked.alerts > MOST_ALERTS:
        detail = (
            f"{asked.duration_s:g} s at {asked.rate:g} a second are {asked.alerts:,} alerts, and at most {MOST_ALERTS:,} "
            "are kept account of; lower --duration or --rate"
        )
        raise typer.BadParameter(detail)
    if 0 < asked.drop_every_s < SHORTEST_DROP_S:
        detail = f"--drop-every {asked.drop_every_s:g} is too often; at least {SHORTEST_DROP_S:g} s, or 0 for never"
        raise typer.BadParameter(detail)
    if asked.break_at_s and asked.break_every_s:
        raise typer.BadParameter(
            "--break-at breaks once and --break-every again and again; give one"
        )
    if (asked.break_at_s or asked.break_every_s) and not asked.break_command:
        raise typer.BadParameter("there is nothing to break with; add --break COMMAND")
    if max(asked.break_at_s, asked.break_every_s) >= asked.duration_s:
        detail = f"the break is to come while alerts are published, within {asked.duration_s:g} s; raise --duration"
        raise typer.BadParameter(detail)


def _check_addresses(option: str, addresses: list[str]) -> None:
    """Refuse what is no address.

    Raises:
        BadParameter: It names the option.
    """
    for address in addresses:
        try:
            address_of(address, option)
        except ConfigError as error:
            raise typer.BadParameter(error.detail) from error


def _run(settings: Settings, asked: Drill, servers: Servers) -> "Drilled":
    """Carry it out; cut short it cleans up all the same."""
    from tocsin.cli.drill.drilled import Drilled  # noqa: PLC0415 -- only this command needs live clients
    from tocsin.cli.drill.screen import shown_drill  # noqa: PLC0415 -- as above

    drilled = Drilled()
    try:
        with shown_drill() as watch:
            asyncio.run(_carry_out(drilled, settings, asked, servers, watch))
    except asyncio.CancelledError:
        typer.echo("cut short, so that nothing is proved", err=True)
        raise typer.Exit(CUT_SHORT) from None
    finally:
        _tell_rest(drilled)
    return drilled


async def _carry_out(
    drilled: "Drilled",
    settings: Settings,
    asked: Drill,
    servers: Servers,
    watch: "Watch",
) -> None:
    from tocsin.cli.drill.nodes import open_nodes  # noqa: PLC0415 -- as above
    from tocsin.cli.drill.run import Drilling  # noqa: PLC0415 -- as above
    from tocsin.client.attempts import Patience  # noqa: PLC0415 -- as above

    task = asyncio.current_task()
    assert task is not None  # noqa: S101 -- a coroutine runs in one
    for number in (signal.SIGINT, signal.SIGTERM):  # a second one cuts the cleaning short
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    patience = Patience(asked.timeout_s, asked.settle_s)
    endpoints, gateways, key, hub = servers
    async with open_nodes(settings, hub, endpoints, key, patience, gateways) as nodes:
        await Drilling(asked, nodes, watch, drilled).run()


def _tell_rest(drilled: "Drilled") -> None:
    """Name what could not be cleaned up, and how to do it."""
    if not drilled.people:
        return
    for user, reason in drilled.uncleaned.items():
        typer.echo(f"NOT ERASED {user}: {reason}", err=True)
    if drilled.uncleaned:
        typer.echo(
            "erase them with `tocsin user erase NAME --yes`; their alerts expire by themselves",
            err=True,
        )
    else:
        typer.echo("the made-up people are erased, and all that was for them", err=True)


def _tell(drilled: "Drilled", *, as_json: bool) -> None:
    from tocsin.cli.drill.screen import print_account  # noqa: PLC0415 -- as above
    from tocsin.cli.drill.verdict import account  # noqa: PLC0415 -- as above

    told = account(drilled)
    if as_json:
        typer.echo(json.dumps(told))
    else:
        print_account(told)
    raise typer.Exit(told["exit_code"])
