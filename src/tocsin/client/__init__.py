"""Tocsin for programs beside it: publish alerts.  The live inbox is in ``tocsin.client.live``."""

from tocsin.client.alert import Action, Alert, Audience
from tocsin.client.async_producer import AsyncProducer
from tocsin.client.producer import Producer
from tocsin.client.publishing import Accepted, Outcome, Standing
from tocsin.client.refusal import RefusedError, UnsettledError

__all__ = [
    "Accepted",
    "Action",
    "Alert",
    "AsyncProducer",
    "Audience",
    "Outcome",
    "Producer",
    "RefusedError",
    "Standing",
    "UnsettledError",
]
