"""Registering webhooks: which URLs are taken, and their secrets."""

from msgspec.structs import replace

from tocsin.clock import Clock
from tocsin.errors import ConflictError, InvalidInputError
from tocsin.events.signing import Seal, new_secret, secret_text
from tocsin.model.ids import uuid7
from tocsin.model.receipt import Fact
from tocsin.model.webhook import Secrets, Webhook
from tocsin.ports.audit import Deed
from tocsin.ports.outbound import Outbound
from tocsin.ports.webhooks import WebhookStore

BY_HAND = "disabled by an administrator"


class Registry:
    """Makes and changes webhooks.  A secret's text is returned when it is drawn, and never again."""

    def __init__(
        self, webhooks: WebhookStore, outbound: Outbound, seal: Seal, clock: Clock, per_hub: int
    ) -> None:
        self._webhooks = webhooks
        self._outbound = outbound
        self._seal = seal
        self._clock = clock
        self._per_hub = per_hub

    async def register(
        self,
        hub: str,
        url: str,
        facts: tuple[Fact, ...],
        key_id: str | None,
        deed: Deed | None = None,
    ) -> tuple[Webhook, str]:
        """Keep a webhook for what comes from now on; returned with its secret.

        Raises:
            InvalidInputError: The URL is none that may be called.
            ConflictError: The hub has as many as it may.
        """
        await self._check_url(url)
        count = len(await self._webhooks.webhooks(hub))
        if count >= self._per_hub:
            detail = (
                f"the hub has {count} webhooks; webhooks.per_hub = {self._per_hub} are allowed; "
                "remove one first"
            )
            raise ConflictError(detail, code="too-many-webhooks")
        secret, now_us = new_secret(), self._clock.now_us()
        webhook = Webhook(
            id=uuid7(now_us),
            hub=hub,
            url=url,
            facts=facts,
            key_id=key_id,
            secrets=Secrets(self._seal.close(secret)),
            created_us=now_us,
        )
        await self._webhooks.add_webhook(webhook, deed and replace(deed, target=webhook.id))
        return webhook, secret_text(secret)

    async def change(
        self,
        known: Webhook,
        wanted: Webhook,
        *,
        enabled: bool | None,
        deed: Deed | None = None,
    ) -> None:
        """Replace address and wishes, and enable or disable; what is due is tried at once.

        Raises:
            InvalidInputError: A new URL is none that may be called.
        """
        if wanted.url != known.url:
            await self._check_url(wanted.url)
        if enabled is True:
            wanted = replace(wanted, disabled_us=None, disabled_reason=None)
        elif enabled is False and known.disabled_us is None:
            now_us = self._clock.now_us()
            wanted = replace(wanted, disabled_us=now_us, disabled_reason=BY_HAND)
        await self._webhooks.change_webhook(wanted, deed)

    async def rotate(self, webhook: Webhook, deed: Deed | None = None) -> tuple[Secrets, str]:
        """Draw a new secret; the one it replaces signs beside it for a while, an older one no more."""
        secret = new_secret()
        secrets = Secrets(self._seal.close(secret), webhook.secrets.current, self._clock.now_us())
        await self._webhooks.rotate_secret(webhook.id, secrets, deed)
        return secrets, secret_text(secret)

    async def _check_url(self, url: str) -> None:
        refused = await self._outbound.refusal(url)
        if refused is not None:
            raise InvalidInputError(refused.reason, code="webhook-url-refused", pointer="/url")
