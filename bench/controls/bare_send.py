"""The least a server can do: ``socket.send`` of ready bytes, one call for each connection."""

import socket


class BareSend:
    """Plain connections, and a frame for all of them.  Run it in a process of its own (``bench.child``)."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4_096)
        self._sockets: list[socket.socket] = []

    async def port(self) -> int:
        """Return where to connect."""
        return int(self._listener.getsockname()[1])

    async def accept(self, count: int) -> None:
        """Take ``count`` connections."""
        self._sockets = [self._listener.accept()[0] for _ in range(count)]

    async def send(self, frame: bytes) -> None:
        """Send a frame to every connection."""
        for connection in self._sockets:
            connection.send(frame)

    async def close(self) -> None:
        """Close every connection."""
        for connection in self._sockets:
            connection.close()
