"""Whether "acknowledged" means "on disk": what the servers say of themselves on their monitoring pages.

They are asked directly and not by the guarded way out: the addresses are the operator's own, as that of the queue is.
"""

from collections.abc import Sequence
from typing import Final

import httpx
import msgspec

OLDEST: Final = (2, 15)
_ANSWER_S: Final = 2.0


class _Config(msgspec.Struct, frozen=True):
    sync_always: bool = False


class _Jetstream(msgspec.Struct, frozen=True):
    server_id: str = ""
    config: _Config | None = None


_decode = msgspec.json.Decoder(_Jetstream).decode


class Vitals:
    """Asks every server of a cluster."""

    def __init__(self, monitors: Sequence[str], replicas: int) -> None:
        """Make it; ``monitors`` are the servers' monitoring addresses, one each."""
        self._monitors = monitors
        self._replicas = replicas
        self._http = httpx.AsyncClient(follow_redirects=False)

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.aclose()

    async def doubts(self, within_s: float = _ANSWER_S) -> list[str]:
        """Say why an acknowledged message may be lost by a power cut; nothing if it cannot.

        A server that does not answer within ``within_s`` seconds is one reason.
        """
        asked = [await self._doubt(url, within_s) for url in self._monitors]
        doubts = [doubt for doubt in asked if doubt is not None]
        if len(set(self._monitors)) < self._replicas:
            doubts.append(
                f"queue_monitors names {len(set(self._monitors))} of {self._replicas} servers or more, so nobody knows "
                "whether the others write before they answer: set it to the monitoring address (http://HOST:8222) of each"
            )
        return doubts

    async def _doubt(self, url: str, within_s: float) -> str | None:
        try:
            answer = await self._http.get(
                url.rstrip("/") + "/jsz", params={"config": "true"}, timeout=within_s
            )
            said = _decode(answer.content)
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            return f"{url}/jsz gave no answer ({str(error) or type(error).__name__})"
        if said.config is None:
            return f"the server at {url} has no JetStream: turn it on there"
        if not said.config.sync_always:
            return (
                f"the server at {url} answers before a message is on disk: "
                "set sync_interval to always in its jetstream section"
            )
        return None
