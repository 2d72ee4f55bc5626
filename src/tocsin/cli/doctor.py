"""``tocsin doctor``: is everything as it should be, and what to do where it is not."""

import asyncio
import os
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from tocsin.cli.calls import settings_of
from tocsin.cli.link import is_served, open_link
from tocsin.cli.progress import shown_progress
from tocsin.config import Settings, advice
from tocsin.errors import ConfigError, TocsinError
from tocsin.ports.care import Finding

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def doctor(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check the store, its folder and disk, the settings, and the server if one runs; exit code 1 if something fails."""
    findings = _examine(context)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(findings)))
    else:
        for finding in findings:
            _print(finding)
    if any(finding.verdict == "fail" for finding in findings):
        raise typer.Exit(1)


def _examine(context: typer.Context) -> list[Finding]:
    try:
        settings = settings_of(context)
    except ConfigError as error:
        return [Finding("settings", "fail", error.detail, "see `tocsin check-config`")]
    findings = [Finding("settings", "warn", line) for line in advice(settings)]
    findings = findings or [Finding("settings", "ok", "they can work, and nothing looks unmeant")]
    if not os.environ.get("TOCSIN_URL"):
        from tocsin.node.store import care_of  # noqa: PLC0415 -- a second of imports

        low_water = settings.limits.free_disk_bytes
        with shown_progress() as progress:
            findings += care_of(settings).examine(progress, low_water_bytes=low_water)
        if not is_served(settings):
            return [*findings, Finding("server", "ok", f"none runs on {settings.data_dir}")]
    answered = asyncio.run(_ask(settings))
    return [*findings, *(finding for finding in answered if finding not in findings)]


async def _ask(settings: Settings) -> list[Finding]:
    """Ask the running server how it is."""
    try:
        async with open_link(settings) as link:
            answer = await link.call("GET", "/v1/admin/doctor")
    except TocsinError as error:
        return [Finding("server", "fail", error.detail, "see its log, and restart it")]
    return [
        Finding("server", "ok", "it answers"),
        *msgspec.convert(answer["findings"], list[Finding]),
    ]


def _print(finding: Finding) -> None:
    line = Text.assemble(
        (f"{finding.verdict:<5}", _STYLES[finding.verdict]), f"{finding.check}: {finding.detail}"
    )
    if finding.remedy is not None:
        line.append(f"\n     -> {finding.remedy}")
    Console(highlight=False, soft_wrap=True).print(line)
