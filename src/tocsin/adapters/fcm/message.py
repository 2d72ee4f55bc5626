"""The message as Firebase's HTTP v1 API takes it: what an alert says, and how it is to travel."""

import hashlib
from typing import Any, Final

import msgspec

from tocsin.clock import US_PER_S
from tocsin.model.device import FcmChannel
from tocsin.ports.push import Push

LONGEST_TTL_S: Final = 28 * 86_400
# Apple's bound on a collapse id.
_COLLAPSE_BYTES: Final = 64
_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def message_body(push: Push, channel: FcmChannel, now_us: int) -> bytes:
    """Return the body of the request.

    Raises:
        msgspec.DecodeError: The payload is no JSON object.
    """
    message = _decode(push.payload)
    ttl_s = min(max(push.ttl_s, 0), LONGEST_TTL_S)
    message[channel.kind] = channel.handle
    message["android"] = {**message.get("android", {}), **_android(push, ttl_s)}
    expires_s = now_us // US_PER_S + ttl_s
    message["apns"] = {**message.get("apns", {}), "headers": _apns_headers(push, expires_s)}
    return _encode({"message": message})


def _android(push: Push, ttl_s: int) -> dict[str, str]:
    said = {"priority": "high" if push.urgency == "high" else "normal", "ttl": f"{ttl_s}s"}
    # A device keeps messages of four keys at most, so a key for each alert would have the fifth throw out the first.
    if push.collapses and push.collapse is not None:
        said["collapse_key"] = push.collapse
    return said


def _apns_headers(push: Push, expires_s: int) -> dict[str, str]:
    """Apple wants 5 for what is not shown, and takes 10 for what is to be shown at once."""
    loud = push.urgency in ("normal", "high") and not push.withdraws
    headers = {
        "apns-push-type": "background" if push.withdraws else "alert",
        "apns-priority": "10" if loud else "5",
        "apns-expiration": str(expires_s),
    }
    if push.collapse is not None:
        headers["apns-collapse-id"] = _collapse_id(push.collapse)
    return headers


def _collapse_id(collapse: str) -> str:
    said = collapse.encode()
    return collapse if len(said) <= _COLLAPSE_BYTES else hashlib.sha256(said).hexdigest()
