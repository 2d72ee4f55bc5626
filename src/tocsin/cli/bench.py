"""``tocsin bench``: a small load on a server of one's own, as its producers and its people see it."""

import asyncio
import os
import statistics
from collections.abc import Iterable
from typing import Annotated

import typer

from tocsin.cli.calls import HubOption, settings_of
from tocsin.cli.elsewhere import refuse_elsewhere
from tocsin.cli.progress import shown_progress


def bench(
    context: typer.Context,
    alerts: Annotated[int, typer.Option(min=1, max=100_000, help="How many to publish.")] = 500,
    rate: Annotated[float, typer.Option(min=1, max=2_000, help="How many a second.")] = 100,
    clients: Annotated[int, typer.Option(min=1, max=200, help="How many people look.")] = 10,
    yes: Annotated[bool, typer.Option("--yes", help="Also on another machine.")] = False,
    hub: HubOption = None,
) -> None:
    """Publish alerts to made-up people who look, measure, and clean up.  It WRITES to the server."""
    from tocsin.cli.load import Load, put_load  # noqa: PLC0415 -- only this command needs live clients

    if not yes:
        refuse_elsewhere(os.environ.get("TOCSIN_URL"))
    load = Load(alerts, rate, clients)
    typer.echo(f"writing {alerts} alerts to the inboxes of {clients} made-up people", err=True)
    with shown_progress() as progress:
        measured = asyncio.run(put_load(settings_of(context), hub, load, progress))
    accepted = len(measured.accepted_s)
    missing = accepted - len(measured.arrived_s)
    rated = accepted / measured.took_s
    typer.echo(f"published {accepted} in {measured.took_s:.1f} s, {rated:.0f} a second")
    typer.echo(f"on disk   {spread(measured.accepted_s.values())}  from request to 202")
    typer.echo(
        f"arrived   {spread(measured.arrived_s.values())}  from request to the person's socket"
    )
    if missing:
        typer.echo(f"MISSING   {missing} did not arrive")
    for reason in sorted(set(measured.refused)):
        typer.echo(f"REFUSED   {measured.refused.count(reason)}: {reason}")
    typer.echo("the made-up people are erased, and all that was for them", err=True)
    if measured.refused or missing:
        raise typer.Exit(1)


def spread(times: Iterable[float]) -> str:
    """Write the median and two high percentiles, of seconds, in milliseconds."""
    times_s = list(times)
    if len(times_s) < 2:  # noqa: PLR2004 -- of one number there are no percentiles
        times_s = 2 * times_s or [0.0, 0.0]
    cuts = statistics.quantiles(times_s, n=100, method="inclusive")
    return "  ".join(f"p{percent} {cuts[percent - 1] * 1000:.1f} ms" for percent in (50, 95, 99))
