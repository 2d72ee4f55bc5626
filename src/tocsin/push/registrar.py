"""Devices are checked when they register, so that what fails later fails for another reason.

An endpoint is chosen by a client: it has to be https, at a push service that is known or allowed, and at an address that
may be called (I13).  That address is checked again at every call.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from tocsin.clock import Clock
from tocsin.errors import InvalidInputError
from tocsin.model.device import Channel, Device, FcmChannel, Platform, WebPushChannel
from tocsin.model.push_host import KNOWN_PUSH_HOSTS, push_host, push_host_allowed
from tocsin.ports.devices import DeviceStore
from tocsin.ports.outbound import Outbound
from tocsin.push.vapid import VapidRing

_POINT_BYTES: Final = 65
_AUTH_BYTES: Final = 16
_LOCALE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}")
_TAG: Final = re.compile(r"[A-Za-z0-9_@#.:-]{1,120}")
_CURVE: Final = ec.SECP256R1()


class Subscription(msgspec.Struct, frozen=True):
    """A browser's subscription as it says it; ``vapid_key`` is the id or the public key that it subscribed with."""

    endpoint: str
    p256dh: str
    auth: str
    vapid_key: str | None = None


class Traits(msgspec.Struct, frozen=True):
    """What an installation says of itself beside the way to it."""

    tags: tuple[str, ...] = ()
    locale: str | None = None
    time_zone: str | None = None
    app_version: str | None = None


class Registrar:
    """Registers devices."""

    def __init__(
        self,
        store: DeviceStore,
        vapid: VapidRing,
        outbound: Outbound,
        clock: Clock,
        *,
        platforms: frozenset[Platform],
        hosts: Sequence[str],
        most: int,
    ) -> None:
        """Make it.

        Args:
            store: Where devices are kept.
            vapid: The keys that browsers subscribe with.
            outbound: What calls push services.
            clock: Tells the time.
            platforms: Those that can be sent to.
            hosts: Push services beside those of the browsers.
            most: How many devices a user has.
        """
        self._store = store
        self._vapid = vapid
        self._outbound = outbound
        self._clock = clock
        self._platforms = platforms
        self._hosts = (*KNOWN_PUSH_HOSTS, *hosts)
        self._most = most

    async def register(
        self,
        known: Device | None,
        hub: str,
        user: str,
        device_id: str,
        channel: Channel,
        traits: Traits,
    ) -> Device:
        """Keep a device, in the place of the ``known`` one of that id if there is one.

        Raises:
            InvalidInputError: A trait breaks a rule; the pointer says which.
        """
        check_traits(traits)
        now_us = self._clock.now_us()
        device = Device(
            hub=hub,
            user=user,
            id=device_id,
            channel=channel,
            tags=traits.tags,
            locale=traits.locale,
            time_zone=traits.time_zone,
            app_version=traits.app_version,
            created_us=now_us if known is None else known.created_us,
            registered_us=now_us,
            seen_us=now_us,
        )
        await self._store.put_device(device, self._most)
        return await self._store.device(hub, user, device_id) or device

    async def amend(self, known: Device, traits: Traits) -> Device:
        """Change what a device says of itself; the way to it stays, and one that is gone stays gone.

        Raises:
            InvalidInputError: A trait breaks a rule; the pointer says which.
        """
        check_traits(traits)
        changed = replace(
            known,
            tags=traits.tags,
            locale=traits.locale,
            time_zone=traits.time_zone,
            app_version=traits.app_version,
            seen_us=self._clock.now_us(),
        )
        await self._store.put_device(changed, self._most)
        return changed

    async def web_push(self, said: Subscription) -> WebPushChannel:
        """Check a browser's subscription.

        Raises:
            InvalidInputError: It cannot be sent to; the pointer says why.
        """
        await self._check_endpoint(said.endpoint)
        p256dh = _decode(said.p256dh, _POINT_BYTES, "/channel/keys/p256dh")
        auth = _decode(said.auth, _AUTH_BYTES, "/channel/keys/auth")
        try:
            ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, p256dh)
        except ValueError as error:
            detail = "keys.p256dh is no point of the curve P-256; send what the subscription says"
            raise InvalidInputError(
                detail, code="invalid-device", pointer="/channel/keys/p256dh"
            ) from error
        return WebPushChannel(said.endpoint, p256dh, auth, self._vapid_key(said.vapid_key))

    def fcm(self, handle: FcmChannel) -> FcmChannel:
        """Check an app's registration.

        Raises:
            InvalidInputError: This server does not speak to Firebase.
        """
        if "fcm" not in self._platforms:
            detail = "this server sends nothing by FCM; its operator sets push.fcm_service_account"
            raise InvalidInputError(detail, code="push-platform-off", pointer="/platform")
        return handle

    async def _check_endpoint(self, endpoint: str) -> None:
        pointer = "/channel/endpoint"
        if not push_host_allowed(endpoint, self._hosts):
            detail = (
                f"the endpoint names {push_host(endpoint) or 'no host of a plain URL'}, which is no push service "
                "that this server calls; its operator may allow it in push.hosts"
            )
            raise InvalidInputError(detail, code="push-host-not-allowed", pointer=pointer)
        refused = await self._outbound.refusal(endpoint)
        if refused is not None:
            detail = f"the endpoint is not called: {refused.reason}"
            raise InvalidInputError(detail, code="push-endpoint-refused", pointer=pointer)

    def _vapid_key(self, named: str | None) -> str:
        if named is None:
            return self._vapid.current.id
        for key in self._vapid.valid:
            if named in (key.id, key.public_key):
                return key.id
        detail = (
            f"vapid_key {named[:100]!r} is not valid here; subscribe anew with the key that "
            "GET /v1/push/config gives"
        )
        raise InvalidInputError(detail, code="vapid-key-void", pointer="/channel/vapid_key")


def check_traits(traits: Traits) -> None:
    """See that what an installation says of itself keeps the rules.

    Raises:
        InvalidInputError: It does not; the pointer says what.
    """
    for number, tag in enumerate(traits.tags):
        if not _TAG.fullmatch(tag):
            detail = f"the tag {tag[:130]!r} has other characters than letters, digits and _@#.:- or not 1 to 120"
            raise InvalidInputError(detail, code="invalid-device", pointer=f"/tags/{number}")
    if traits.locale is not None and not _LOCALE.fullmatch(traits.locale):
        detail = f"locale {traits.locale[:50]!r} is no language tag such as de-CH (BCP 47)"
        raise InvalidInputError(detail, code="invalid-device", pointer="/locale")
    if traits.time_zone is not None and not _is_zone(traits.time_zone):
        detail = (
            f"time_zone {traits.time_zone[:60]!r} is not in the IANA database; e.g. Europe/Zurich"
        )
        raise InvalidInputError(detail, code="invalid-device", pointer="/time_zone")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True


def _decode(text: str, length: int, pointer: str) -> bytes:
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) != length:
        detail = (
            f"{pointer[1:]} is not {length} bytes in base64url; send what the subscription says"
        )
        raise InvalidInputError(detail, code="invalid-device", pointer=pointer)
    return decoded
