"""Publishes with ``Producer`` what standard input says, and prints each outcome (see ``producers.py``)."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tocsin.client import Accepted, Alert, Outcome, Producer, RefusedError, UnsettledError


def told(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Accepted):
        return {"id": outcome.id, "repeat": outcome.is_repeat}
    return {"code": outcome.code}


def main() -> None:
    order = json.load(sys.stdin)
    with Producer() as producer:

        def publish(alert: Alert) -> Outcome:
            try:
                return producer.publish(alert)
            except (RefusedError, UnsettledError) as error:
                return error

        if order["batch"]:
            outcomes = producer.publish_many(order["alerts"])
        else:
            with ThreadPoolExecutor(order["at_once"]) as pool:
                outcomes = list(pool.map(publish, order["alerts"]))
    print(json.dumps([told(outcome) for outcome in outcomes]))


main()
