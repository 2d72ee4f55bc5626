"""Devices over HTTP: a user's own with a client token, anybody's of the hub with a server key and ``?user=``."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tocsin.api.auth import Authenticator
from tocsin.api.bodies import read_json
from tocsin.api.http import Request, Response
from tocsin.api.rates import Rate
from tocsin.clock import Clock, to_rfc3339
from tocsin.errors import InvalidInputError, NotFoundError
from tocsin.model.device import Channel, Device, FcmChannel, WebPushChannel
from tocsin.model.ids import check_id
from tocsin.ports.devices import DeviceStore
from tocsin.ports.push import Accepted, Gone, Later, Misconfigured, Rejected
from tocsin.push.registrar import Registrar, Subscription, Traits
from tocsin.push.tester import Tester
from tocsin.push.vapid import VapidRing

# A person looks at each, so a few are enough.
TESTS = 5
TESTS_WINDOW_S = 60

Endpoint = Annotated[str, Meta(min_length=1, max_length=2_048)]
KeyText = Annotated[str, Meta(max_length=200)]
Handle = Annotated[str, Meta(min_length=1, max_length=4_096)]
Tags = Annotated[tuple[str, ...], Meta(max_length=20)]
Version = Annotated[str, Meta(min_length=1, max_length=64)]


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The receiver's keys of a subscription, base64url."""

    p256dh: KeyText
    auth: KeyText


class WebPushBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """``PushSubscription.toJSON()``, and the key that it was made with; the expiration time is not used."""

    endpoint: Endpoint
    keys: Keys
    expiration_time: float | None = None
    vapid_key: KeyText | None = msgspec.field(default=None, name="vapid_key")


class FcmBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A registration token, or an installation id, of Firebase; one of both."""

    token: Handle | None = None
    fid: Handle | None = None


class _Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="platform"):
    tags: Tags = ()
    locale: str | None = None
    time_zone: str | None = None
    app_version: Version | None = None


class WebPushDevice(_Said, frozen=True, kw_only=True, tag="webpush"):
    """The body of ``PUT /v1/devices/{id}`` of a browser."""

    channel: WebPushBody


class FcmDevice(_Said, frozen=True, kw_only=True, tag="fcm"):
    """The body of ``PUT /v1/devices/{id}`` of an app."""

    channel: FcmBody


class DeviceChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``PATCH /v1/devices/{id}``: what is left out stays, null takes away."""

    channel: msgspec.Raw | UnsetType = UNSET
    tags: Tags | UnsetType | None = UNSET
    locale: str | UnsetType | None = UNSET
    time_zone: str | UnsetType | None = UNSET
    app_version: Version | UnsetType | None = UNSET


_device = msgspec.json.Decoder(WebPushDevice | FcmDevice)
_change = msgspec.json.Decoder(DeviceChange)
_bodies = {"webpush": WebPushBody, "fcm": FcmBody}


class Devices:
    """The routes of devices."""

    def __init__(
        self,
        auth: Authenticator,
        store: DeviceStore,
        registrar: Registrar,
        vapid: VapidRing,
        tester: Tester,
        clock: Clock,
    ) -> None:
        self._auth = auth
        self._store = store
        self._registrar = registrar
        self._vapid = vapid
        self._tester = tester
        self._tests = Rate("device-test", TESTS, TESTS_WINDOW_S, clock.monotonic_s)

    async def config(self, _request: Request) -> Response:
        """``GET /v1/push/config``: for everybody, since the keys are public and about no hub."""
        current = self._vapid.current
        keys = [{"id": key.id, "public_key": key.public_key} for key in self._vapid.valid]
        answer = {
            "vapid_key": current.id,
            "application_server_key": current.public_key,
            "accepted_keys": keys,
        }
        return Response(200, msgspec.json.encode(answer))

    async def list(self, request: Request) -> Response:
        """``GET /v1/devices``: all of one user; there are few."""
        hub, user = await self._auth.inbox(request)
        found = await self._store.devices(hub, user)
        return Response(200, msgspec.json.encode({"devices": [describe(one) for one in found]}))

    async def show(self, request: Request) -> Response:
        """``GET /v1/devices/{id}``."""
        return Response(200, msgspec.json.encode(describe(await self.named(request))))

    async def put(self, request: Request) -> Response:
        """``PUT /v1/devices/{id}``: register, or register again."""
        hub, user = await self._auth.inbox(request)
        device_id = check_id(request.params["id"], "installation id")
        said = await read_json(request, _device)
        channel = await self._channel(said.channel)
        traits = Traits(said.tags, said.locale, said.time_zone, said.app_version)
        known = await self._store.device(hub, user, device_id)
        kept = await self._registrar.register(known, hub, user, device_id, channel, traits)
        return Response(201 if known is None else 200, msgspec.json.encode(describe(kept)))

    async def change(self, request: Request) -> Response:
        """``PATCH /v1/devices/{id}``: a merge patch; the channel is replaced as a whole, which registers anew."""
        known = await self.named(request)
        change = await read_json(request, _change)
        traits = Traits(
            tags=known.tags if change.tags is UNSET else change.tags or (),
            locale=known.locale if change.locale is UNSET else change.locale,
            time_zone=known.time_zone if change.time_zone is UNSET else change.time_zone,
            app_version=known.app_version if change.app_version is UNSET else change.app_version,
        )
        if change.channel is UNSET:
            kept = await self._registrar.amend(known, traits)
        else:
            channel = await self._channel(_read_channel(change.channel, known.platform))
            kept = await self._registrar.register(
                known, known.hub, known.user, known.id, channel, traits
            )
        return Response(200, msgspec.json.encode(describe(kept)))

    async def remove(self, request: Request) -> Response:
        """``DELETE /v1/devices/{id}``; repeating it changes nothing."""
        hub, user = await self._auth.inbox(request)
        await self._store.remove_device(hub, user, request.params["id"])
        return Response(204)

    async def test(self, request: Request) -> Response:
        """``POST /v1/devices/{id}/test``: send a push to it now, and tell what the push service said."""
        device = await self.named(request)
        if device.gone_us is not None:
            return _tested("gone", device.gone_reason)
        self._tests.take((device.hub, device.user))
        match await self._tester.send(device):
            case Accepted():
                return _tested("accepted", None)
            case Gone(reason):
                return _tested("gone", reason)
            case Later(reason):
                return _tested("later", reason)
            case Rejected(reason) | Misconfigured(reason):
                return _tested("failed", reason)

    async def named(self, request: Request) -> Device:
        """Return the device that the path names.

        Raises:
            NotFoundError: This user has none of that id.
        """
        hub, user = await self._auth.inbox(request)
        device_id = request.params["id"]
        found = await self._store.device(hub, user, device_id)
        if found is None:
            detail = f"there is no device {device_id[:80]!r}; register it with PUT"
            raise NotFoundError(detail, code="device-not-found")
        return found

    async def _channel(self, said: WebPushBody | FcmBody) -> Channel:
        if isinstance(said, WebPushBody):
            return await self._registrar.web_push(
                Subscription(said.endpoint, said.keys.p256dh, said.keys.auth, said.vapid_key)
            )
        if (said.token is None) == (said.fid is None):
            detail = "the channel of FCM is either a token or a fid"
            raise InvalidInputError(detail, code="invalid-device", pointer="/channel")
        if said.token is not None:
            return self._registrar.fcm(FcmChannel(said.token))
        return self._registrar.fcm(FcmChannel(said.fid or "", "fid"))


def describe(device: Device) -> dict[str, object]:
    """Describe a device; the way to it is a secret, and is not told."""
    channel = device.channel
    described: dict[str, object] = {
        "installation_id": device.id,
        "platform": device.platform,
        "state": "active" if device.gone_us is None else "gone",
        "tags": device.tags,
        "locale": device.locale,
        "time_zone": device.time_zone,
        "app_version": device.app_version,
        "created_at": to_rfc3339(device.created_us),
        "registered_at": to_rfc3339(device.registered_us),
        "last_seen_at": to_rfc3339(device.seen_us),
        "last_success_at": _when(device.last_success_us),
        "last_failure_at": _when(device.last_failure_us),
        "last_failure": device.last_failure,
        "gone_at": _when(device.gone_us),
        "gone_reason": device.gone_reason,
    }
    if isinstance(channel, WebPushChannel):
        described["vapid_key"] = channel.vapid_key
    return described


def _tested(outcome: str, reason: str | None) -> Response:
    return Response(200, msgspec.json.encode({"outcome": outcome, "reason": reason}))


def _when(us: int | None) -> str | None:
    return None if us is None else to_rfc3339(us)


def _read_channel(raw: msgspec.Raw, platform: str) -> WebPushBody | FcmBody:
    try:
        said: WebPushBody | FcmBody = msgspec.json.decode(raw, type=_bodies[platform])
    except msgspec.ValidationError as error:
        detail = f"the channel is not that of {platform}: {error}"
        raise InvalidInputError(detail, code="invalid-device", pointer="/channel") from error
    return said
