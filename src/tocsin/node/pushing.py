"""How pushes are wired."""

from collections.abc import Mapping

from tocsin.adapters.fcm.provider import Fcm
from tocsin.adapters.fcm.service_account import read_service_account
from tocsin.adapters.outbound.client import OutboundClient
from tocsin.adapters.webpush.provider import WebPush
from tocsin.config import Outbound, Settings
from tocsin.model.device import Platform
from tocsin.model.push_host import KNOWN_PUSH_HOSTS
from tocsin.node.ground import Ground
from tocsin.ports.push import PushProvider
from tocsin.ports.receipts import Recorder
from tocsin.push.dispatcher import Dispatcher
from tocsin.push.gate import Gate, Present
from tocsin.push.recaller import Recaller
from tocsin.push.registrar import Registrar
from tocsin.push.storm import StormGuard
from tocsin.push.tester import Tester
from tocsin.push.vapid import VapidRing
from tocsin.supervisor import Supervisor


class Pushing:
    """Pushes to devices: who signs, who calls which service, and who decides; nothing of it runs before :meth:`start`."""

    def __init__(self, ground: Ground, recorder: Recorder, is_present: Present) -> None:
        settings, store, clock = ground.settings.push, ground.store, ground.clock
        self.outbound = OutboundClient(_outbound(ground.settings), ground.metrics)
        self.vapid = VapidRing(store.vapid_keys, store.devices, ground.seal, clock)
        providers = self._providers(ground)
        self.registrar = Registrar(
            store.devices,
            self.vapid,
            self.outbound,
            clock,
            platforms=frozenset(providers),
            hosts=settings.hosts,
            most=ground.settings.limits.devices_per_user,
        )
        self.tester = Tester(providers, store.devices, clock, settings.app_url)
        self.recaller = Recaller(store.pushes, clock)
        self.dispatcher = Dispatcher(
            pushes=store.pushes,
            providers={
                platform: ground.tracing.provider(platform, provider)
                for platform, provider in providers.items()
            },
            recorder=recorder,
            clock=clock,
            gate=Gate(
                is_present, store.preferences, StormGuard(settings.storm_pushes, settings.storm_s)
            ),
            supervisor=ground.supervisor,
            metrics=ground.metrics,
            settings=settings,
        )
        ground.fanout.listen(self.recaller.heard, self.recaller.look_at_all)
        ground.fanout.listen(self.dispatcher.heard, self.dispatcher.wake)

    def start(self, supervisor: Supervisor) -> None:
        """Start pushing, and taking back what is not true any more."""
        supervisor.keep("push.dispatcher", self.dispatcher.run)
        supervisor.keep("push.recaller", self.recaller.run)

    def _providers(self, ground: Ground) -> Mapping[Platform, PushProvider]:
        push = ground.settings.push
        browsers = WebPush(
            self.outbound,
            self.vapid,
            ground.clock,
            subject=push.subject,
            topic_secret=ground.seal.derived("push topics"),
            hosts=(*KNOWN_PUSH_HOSTS, *push.hosts),
        )
        if push.fcm_service_account is None:
            return {"webpush": browsers}
        account = read_service_account(push.fcm_service_account)
        app = Fcm(account, self.outbound, ground.clock, push.fcm_url)
        return {"webpush": browsers, "fcm": app}


def check_push(settings: Settings) -> None:
    """See that Firebase's key file, if there is one, can be used.

    Raises:
        ConfigError: It cannot; the detail says why.
    """
    if settings.push.fcm_service_account is not None:
        read_service_account(settings.push.fcm_service_account)


def _outbound(settings: Settings) -> Outbound:
    """Give pushes connections of their own, as many as the dispatcher may have calls under way to one push service."""
    calls = settings.push.calls_per_host + settings.push.lingering_per_host
    return settings.outbound.model_copy(
        update={
            "connections": max(settings.outbound.connections, 4 * calls),
            "connections_per_host": calls,
        }
    )
