"""What can be set about the gateway, and its defaults."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from tocsin.errors import ConfigError

LONGEST_S: Final = 900  # of what lies in the timing wheel


class Replay(NamedTuple):
    """How much a connection keeps for its recovery, at most; by default what the service promises."""

    messages: int = 1000
    size_bytes: int = 16 * 2**20


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes, times in seconds.

    ``beat_s``: how often each connection is pinged and its position compared with the store.  ``idle_s``: a
    connection that said nothing (not even a pong) for this long is cut off.  ``head_s``: every inbox connection
    gets a head at least this often.  ``messages``: how many a connection may send in
    ``messages_window_s``, and at once; 0 for any number.  ``permessage_deflate``: whether messages are compressed with clients that offer it.
    ``comeback_s``: how long clients are told to stay away, at most, when the node ends.  ``cut_at_expiry``: the hubs in which a connection ends with its token
    (4401).  ``replay``: what each connection keeps for its recovery, ``detached_bytes`` what all dropped ones together
    may.
    """

    message_bytes: int = 2**20
    outbox_bytes: int = 2**20
    replay: Replay = Replay()
    detached_bytes: int = 64 * 2**20
    connections_per_user: int = 20
    groups_per_connection: int = 1000
    messages: int = 0
    messages_window_s: float = 10.0
    beat_s: float = 30.0
    idle_s: float = 75.0
    head_s: float = 600.0
    handshake_s: float = 10.0
    close_s: float = 5.0
    recovery_window_s: float = 30.0
    comeback_s: float = 2.0
    permessage_deflate: bool = False
    cut_at_expiry: frozenset[str] = frozenset()
    allowed_origins: Mapping[str, tuple[str, ...]] = {}

    def __post_init__(self) -> None:
        """Refuse times the wheel cannot hold.

        Raises:
            ConfigError: A time is above 900 s.
        """
        for name in ("beat_s", "close_s", "recovery_window_s"):
            value = getattr(self, name)
            if not 0 <= value <= LONGEST_S:
                detail = f"the gateway's {name} is {value:g}; 0 to {LONGEST_S} s are possible"
                raise ConfigError(detail)
