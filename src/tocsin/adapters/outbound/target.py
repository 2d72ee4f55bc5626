"""What a URL says: the server that it names, and what is asked for there."""

from typing import NamedTuple


class Place(NamedTuple):
    """What connections are kept for; ``host`` is as the URL has it, in ASCII, an IPv6 address without brackets."""

    scheme: str
    host: str
    port: int


class Target(NamedTuple):
    """Where a request goes, and what it asks for: the path, and the query with it, as HTTP writes them."""

    place: Place
    path: str
