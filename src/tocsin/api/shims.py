"""Publishing in the ways of other products, so that what people already run needs a new address and nothing else.

What they send is read in ``ingest/shims``; here are their keys, their limits, and the statuses by which they decide
whether to try again: 4xx never, 503 and 429 later.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from tocsin.api.alerts import fault_of
from tocsin.api.auth import Authenticator
from tocsin.api.dry_run import refuse_dry_run
from tocsin.api.http import JSON, ClientGoneError, Handler, Request, Response
from tocsin.api.problems import problem_of
from tocsin.clock import Clock
from tocsin.config import Hub, Limits
from tocsin.errors import TocsinError, UnauthenticatedError
from tocsin.ingest.admission import Producer
from tocsin.ingest.episodes import Answer, Episodes
from tocsin.ingest.shims.alertmanager import Alertmanager
from tocsin.ingest.shims.gotify import Gotify
from tocsin.ingest.shims.grafana import Grafana
from tocsin.ingest.shims.notice import Destination, Incoming, Product, destination_of_url
from tocsin.ingest.shims.ntfy import Ntfy
from tocsin.ingest.shims.pagerduty import PagerDuty
from tocsin.ports.queue import Published


class Shims:
    """The routes of other products; one attribute each."""

    def __init__(
        self,
        auth: Authenticator,
        episodes: Episodes,
        clock: Clock,
        limits: Limits,
        hubs: Mapping[str, Hub],
    ) -> None:
        self._auth = auth
        self._episodes = episodes
        self._clock = clock
        self._limits = limits
        self._hubs = hubs
        self.alertmanager = self._handler(Alertmanager(), 200)
        self.grafana = self._handler(Grafana(), 200)
        self.pagerduty = self._handler(PagerDuty(), 202)
        self.ntfy = self._handler(Ntfy(), 200)
        self.gotify = self._handler(Gotify(), 200)

    def _handler(self, product: Product, taken: int) -> Handler:
        async def handle(request: Request) -> Response:
            try:
                body = await self._take(product, request)
            except ClientGoneError:
                raise
            except TocsinError as error:
                return _refusal(product, error)
            return Response(taken, body)

        return handle

    async def _take(self, product: Product, request: Request) -> bytes:
        """Return the product's answer, after all that its request says is durable (I1)."""
        refuse_dry_run(request)
        incoming = Incoming(
            b"", request.header, request.query, request.params, self._clock.now_us()
        )
        if not product.key_in_body:  # then a stranger is refused before the body is read
            self._producer(product, request, incoming)
        incoming = replace(incoming, body=await self._body(product, request))
        producer = self._producer(product, request, incoming)
        reading = product.read(incoming)
        request.charge(max(0, len(reading.notices) - 1))
        default = destination_of_url(incoming) or self._default(producer)
        key = request.header(b"idempotency-key")
        answers = await self._episodes.carry_out(producer, reading.notices, default, key)
        return reading.answer(_ids(answers))

    async def _body(self, product: Product, request: Request) -> bytes:
        if product.most_bytes is None:
            return await request.body(self._limits.batch_bytes, "limits.batch_bytes")
        return await request.body(product.most_bytes, f"{product.most_bytes} bytes for this route")

    def _producer(self, product: Product, request: Request, incoming: Incoming) -> Producer:
        """Return who publishes: by the ``Authorization`` header, or by the product's own place for its key."""
        credential = request.header(b"authorization")
        if credential is None:
            credential = product.key(incoming)
        if credential is None:
            return self._auth.producer(request)
        return self._auth.producer_of(request, _key_in(credential))

    def _default(self, producer: Producer) -> Destination:
        """Return the configured audience of a key."""
        hub = self._hubs.get(producer.hub)
        said = None if hub is None else hub.audiences.get(producer.name)
        return Destination() if said is None else Destination(said.users, said.topics, said.all)


def _ids(answers: Sequence[Answer]) -> list[str]:
    """Return the ids of what was published; what was refused, or failed, is raised after all else is done.

    Raises:
        TocsinError: One of them was not taken.  What may be repeated comes first, since then all of it is.
    """
    faults = [one if isinstance(one, TocsinError) else fault_of(one) for one in answers]
    found = sorted((f for f in faults if f is not None), key=lambda fault: not fault.retryable)
    if found:
        raise found[0]
    return [one.id for one in answers if isinstance(one, Published)]


def _refusal(product: Product, error: TocsinError) -> Response:
    """Answer in the product's form, with status and headers of the problem."""
    answer = problem_of(error)
    body = product.refused(answer.status, error)
    return answer if body is None else replace(answer, body=body, content_type=JSON)


def _key_in(credential: str) -> str:
    """Return the key of a Bearer, the password of Basic (or the user, without one), or a key as it is.

    Raises:
        UnauthenticatedError: It is Basic, and no base64.
    """
    scheme, _, text = credential.strip().partition(" ")
    if scheme.lower() == "bearer":
        return text.strip()
    if scheme.lower() != "basic":
        return credential
    try:
        user, _, password = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise UnauthenticatedError("Basic is `user:password` in base64") from error
    return password or user
