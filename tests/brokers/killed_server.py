"""The command ``tocsin`` whose process ends right before it acknowledges anything to a broker; for tests only."""

import os
import signal
from collections.abc import Sequence

from tocsin.adapters.nats.source import NatsLine
from tocsin.adapters.rabbitmq.source import RabbitLine
from tocsin.adapters.servicebus.source import ServiceBusLine
from tocsin.cli import main
from tocsin.ports.source import Message


async def die(_line: object, messages: Sequence[Message]) -> None:
    """End this process, as a power cut would."""
    if messages:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    for line in (NatsLine, RabbitLine, ServiceBusLine):
        assert callable(line.ack), "what this program breaks has moved"
        type.__setattr__(line, "ack", die)
    main()
