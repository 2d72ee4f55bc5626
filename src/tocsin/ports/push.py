"""Push providers: what carries a notification to a device that nobody looks at.

Guarantee: one call becomes one typed outcome within a bounded time, whatever the other side does; nothing is raised for
it, and nothing is repeated here.  To the provider it is at least once: who got no outcome, or ``Later``, calls again with
the same ``delivery_id``, and the device drops what it has shown by the alert's id.
"""

from typing import Literal, Protocol

import msgspec

from tocsin.model.device import Channel

Urgency = Literal["very-low", "low", "normal", "high"]  # RFC 8030 section 5.3
# The most that ``payload`` may have: what fits into a record of 4,096 bytes (RFC 8291), and keys and values of a message.
WEB_PUSH_BYTES = 3_993
FCM_BYTES = 4_096


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """One message for one device.

    ``payload`` is the JSON that the device gets (``push/payloads.py``), within the provider's limit.  ``ttl_s`` is how
    long the provider may keep it.  ``collapse`` replaces what is still undelivered under the same name on that device;
    ``collapses`` if more than repeats of this message may, so that services which keep few names know which matter.
    ``withdraws`` takes back what was shown instead of showing something; not every provider can.  ``least`` is sent once
    instead if the provider finds ``payload`` too large, and without one that is an outcome like others.
    """

    delivery_id: str
    alert_id: str
    channel: Channel
    payload: bytes
    least: bytes | None = None
    ttl_s: int
    urgency: Urgency = "normal"
    collapse: str | None = None
    collapses: bool = False
    withdraws: bool = False


class Accepted(msgspec.Struct, frozen=True):
    """The provider took it; that is not yet a delivery.  ``reference`` is the provider's name for it, if it gave one."""

    reference: str | None = None


class Gone(msgspec.Struct, frozen=True):
    """That device is reached no more; forget it unless it registered again since."""

    reason: str


class Rejected(msgspec.Struct, frozen=True):
    """This message will never be taken; another one for that device may be."""

    reason: str


class Later(msgspec.Struct, frozen=True):
    """Not now.  ``after_s`` is the least wait that the provider asked for; ``whole_host`` if it means every device there."""

    reason: str
    after_s: float | None = None
    whole_host: bool = False


class Misconfigured(msgspec.Struct, frozen=True):
    """Our credentials or settings are at fault: nothing to that provider (host) goes until a person mends it.

    ``certain`` where no owner of a device can be behind it.
    """

    reason: str
    certain: bool = False


PushOutcome = Accepted | Gone | Rejected | Later | Misconfigured


class VapidKey(msgspec.Struct, frozen=True):
    """A key pair that signs Web Push (RFC 8292): P-256, the private key as its 32 bytes, the public one as browsers take it."""

    id: str
    private_key: bytes
    public_key: str


class VapidKeys(Protocol):
    """Tells the key pairs that are valid; they may change while a server runs."""

    def vapid_key(self, key_id: str) -> VapidKey | None:
        """Return a valid key pair; None if there is none of that id, or it was retired."""
        ...


class PushProvider(Protocol):
    """Sends to the devices of one platform."""

    def host(self, channel: Channel) -> str:
        """Return the name under which sends to that device are bounded and paused together; never a secret."""
        ...

    async def send(self, push: Push) -> PushOutcome:
        """Send one message and wait for its outcome."""
        ...
