"""Publishes with ``AsyncProducer`` what standard input says, and prints each outcome (see ``producers.py``)."""

import asyncio
import json
import sys
from typing import Any

from tocsin.client import Accepted, Alert, AsyncProducer, Outcome, RefusedError, UnsettledError


def told(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Accepted):
        return {"id": outcome.id, "repeat": outcome.is_repeat}
    return {"code": outcome.code}


async def publish_each(producer: AsyncProducer, alerts: list[Alert], at_once: int) -> list[Outcome]:
    in_flight = asyncio.Semaphore(at_once)

    async def publish(alert: Alert) -> Outcome:
        async with in_flight:
            try:
                return await producer.publish(alert)
            except (RefusedError, UnsettledError) as error:
                return error

    return list(await asyncio.gather(*map(publish, alerts)))


async def main() -> None:
    order = json.load(sys.stdin)
    async with AsyncProducer() as producer:
        if order["batch"]:
            outcomes = await producer.publish_many(order["alerts"])
        else:
            outcomes = await publish_each(producer, order["alerts"], order["at_once"])
    print(json.dumps([told(outcome) for outcome in outcomes]))


asyncio.run(main())
