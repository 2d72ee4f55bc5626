"""``tocsin tail``: a person's inbox, live in the terminal."""

from tocsin.config import Settings


async def tail_inbox(settings: Settings, user: str, hub: str | None) -> None:
    """Print what is unread now, then every change, until cancelled."""
    raise NotImplementedError
