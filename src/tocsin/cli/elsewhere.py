"""Commands that write a lot do so on this machine, unless told otherwise."""

from tocsin.client.remote import find_remote
from tocsin.config import LOOPBACK
from tocsin.errors import ConfigError


def refuse_elsewhere(*addresses: str | None) -> None:
    """Let addresses of this machine pass; None is the server beside the command.

    Raises:
        ConfigError: One is of another machine, or is no address.
    """
    for address in filter(None, addresses):
        url = find_remote(address).url
        if url.host not in LOOPBACK:
            detail = f"{url} is another machine, and this writes to it; add --yes if you mean it"
            raise ConfigError(detail, code="not-local")
