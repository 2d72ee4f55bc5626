"""Showing how far a long command is: a bar on a terminal, nothing elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from tocsin.ports.care import Progress as Tell

_WIDTH = 24


@contextmanager
def shown_progress() -> Iterator[Tell]:
    """Show what is being done on standard error, if that is a terminal, until the end of the block."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(_WIDTH, complete_style="green", finished_style="green", pulse_style="green"),
        # Of the whole command: rich's own column stops when the first of several things is done.
        TextColumn("{task.elapsed:.0f} s", style="dim"),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not sys.stderr.isatty()
    ) as bar:
        task = bar.add_task("", total=None)

        def tell(what: str, share: float | None) -> None:
            total = None if share is None else 1.0
            bar.update(task, description=what, total=total, completed=share or 0.0)

        yield tell
