"""What one session has going on with its hub's event handlers."""

from tocsin.ports.event_handlers import Line, Pending


class Talk:
    """A connection's line, and what waits for an answer there: ack ids, and invocations by their ids."""

    __slots__ = ("acks", "connection_id", "invocations", "line")

    def __init__(self, connection_id: str, line: Line) -> None:
        self.connection_id = connection_id
        self.line = line
        self.acks: set[int] = set()
        self.invocations: dict[str, Pending] = {}
