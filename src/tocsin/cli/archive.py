"""Backup and restore of a data folder."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from tocsin.cli.calls import settings_of
from tocsin.cli.link import is_served, open_served
from tocsin.cli.progress import shown_progress
from tocsin.config import Settings
from tocsin.errors import ConfigError


def back_up(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to write; must not exist.")],
    without_key: Annotated[
        bool, typer.Option("--without-key", help="Leave out access.key, which you keep elsewhere.")
    ] = False,
) -> None:
    """Copy everything into one file, while the server runs or not."""
    from tocsin.node.store import care_of  # noqa: PLC0415 -- a second of imports

    settings, with_key = settings_of(context), not without_key
    care = care_of(settings)

    def note(outcome: str) -> None:
        if is_served(settings):
            target = str(file.absolute())
            told = {"archive": target, "outcome": outcome, "with_key": with_key}
            asyncio.run(_tell_server(settings, told))
        else:
            care.note_backup(file, outcome, with_secrets=with_key)

    note("begun")
    try:
        with shown_progress() as progress:
            manifest = care.back_up(file, progress, with_secrets=with_key)
    except ConfigError as error:
        note(error.code)
        raise
    note("done")
    typer.echo(f"{file}: {file.stat().st_size} bytes, as of {manifest.made_at}")
    typer.echo("It holds every key and every text: keep it as you keep secrets.", err=True)


async def _tell_server(settings: Settings, told: dict[str, object]) -> None:
    """Have the server that runs on the folder note the backup in its audit log."""
    async with open_served(settings) as link:
        await link.call("POST", "/v1/admin/backups", told)


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="What `tocsin backup` wrote.")],
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="Folder to restore into; empty, or not there.", show_default="tocsin-data"
        ),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(help="access.key, if the backup was made without it.", show_default=False),
    ] = None,
) -> None:
    """Bring a backup back into an empty folder; every client reads its inbox anew."""
    from tocsin.node.store import care_of  # noqa: PLC0415 -- a second of imports

    settings = settings_of(context, **({} if data_dir is None else {"data_dir": data_dir}))
    with shown_progress() as progress:
        restored = care_of(settings).restore(file, progress, key_file=key_file)
    manifest = restored.manifest
    typer.echo(f"{settings.data_dir} is as of {manifest.made_at} (Tocsin {manifest.version}).")
    typer.echo(
        f"{len(restored.epochs)} hubs have a new epoch: their clients notice, and read everything anew."
    )
    typer.echo(
        f"{restored.waiting} alerts wait and will be delivered, {restored.scheduled} have a time to "
        f"come, {restored.dead} are dead letters."
    )
    typer.echo("Gone: all that was accepted, read or deleted after that time.")
