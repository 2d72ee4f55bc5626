"""The command ``tocsin``: arguments in, words out; everything else is elsewhere."""

from tocsin.cli.app import main

__all__ = ["main"]
