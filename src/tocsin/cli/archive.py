"""Backup and restore of a data folder."""

from pathlib import Path
from typing import Annotated

import typer

from tocsin.cli.calls import settings_of
from tocsin.cli.progress import shown_progress


def back_up(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to write; must not exist.")],
    without_key: Annotated[
        bool, typer.Option("--without-key", help="Leave out access.key, which you keep elsewhere.")
    ] = False,
) -> None:
    """Copy everything into one file, while the server runs or not."""
    from tocsin.node import care_of  # noqa: PLC0415 -- a second of imports

    settings = settings_of(context)
    with shown_progress() as progress:
        manifest = care_of(settings.data_dir).back_up(file, progress, with_secrets=not without_key)
    typer.echo(f"{file}: {file.stat().st_size} bytes, as of {manifest.made_at}")
    typer.echo("It holds every key and every text: keep it as you keep secrets.", err=True)


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
    from tocsin.node import care_of  # noqa: PLC0415 -- a second of imports

    settings = settings_of(context, **({} if data_dir is None else {"data_dir": data_dir}))
    with shown_progress() as progress:
        restored = care_of(settings.data_dir).restore(file, progress, key_file=key_file)
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
