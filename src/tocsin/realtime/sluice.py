"""Reads sockets for a slice of time per turn of the loop, so that thousands that speak or end at once fill no turn.

The loop's own way is to read whatever is readable before anything else happens: when ten thousand connections end in one
moment, a publish waits for all of them.  Here the sockets stand in an epoll set of our own.  The loop watches only the
set's descriptor, and each turn reads the next few sockets, those first that the kernel had not shown for the longest time.
What is not read stays in the kernel.  Transports still write and close.

What a transport must decrypt (TLS) it reads by itself, and so do all where there is no epoll (macOS).
"""

import asyncio
import contextlib
import os
import select
from collections.abc import Callable
from time import perf_counter
from typing import Final, Protocol

# How much of a turn reading may take while more is to be read.
_SLICE_S: Final = 0.00025
# What an end of stream costs comes after its reading, when the transport closes.
_SOCKETS_PER_TURN: Final = 32
_READ_BYTES: Final = 64 * 1024


class Reader(Protocol):
    """What bytes are read for; an ``asyncio.Protocol`` is one."""

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        ...

    def eof_received(self) -> bool | None:
        """Hear that no more will come; unless it returns true, the transport closes."""
        ...


class Sluice:
    """The sockets that are read a few per turn."""

    def __init__(
        self, slice_s: float = _SLICE_S, now_s: Callable[[], float] = perf_counter
    ) -> None:
        """Read for ``slice_s`` seconds in each turn of the loop, and at least one socket."""
        self._slice_s = slice_s
        self._now_s = now_s
        self._readings: dict[int, Reading] = {}
        self._ready: select.epoll | None = None

    def __len__(self) -> int:
        return len(self._readings)

    def read(self, reader: Reader, transport: asyncio.Transport) -> "Reading | None":
        """Read for ``reader`` until the reading ends; ``transport``, which is paused, must not.

        Returns:
            None if only the transport can read it; nothing has changed then.
        """
        socket = transport.get_extra_info("socket")
        encrypted = transport.get_extra_info("sslcontext") is not None
        if socket is None or encrypted or not hasattr(select, "epoll"):
            return None
        if self._ready is None:
            self._ready = select.epoll()
            asyncio.get_running_loop().add_reader(self._ready, self._turn, self._ready)
        reading = Reading(self, socket.fileno(), reader, transport)
        self._readings[reading.fd] = reading
        self._ready.register(reading.fd, select.EPOLLIN)
        return reading

    def forget(self, reading: "Reading") -> None:
        """Read no more for ``reading``; its descriptor may be another socket's by now."""
        if self._readings.get(reading.fd) is not reading:
            return
        del self._readings[reading.fd]
        if self._ready is not None:
            with contextlib.suppress(OSError):  # closed sockets left by themselves
                self._ready.unregister(reading.fd)
            if not self._readings:
                asyncio.get_running_loop().remove_reader(self._ready)
                self._ready.close()
                self._ready = None

    def _turn(self, ready: "select.epoll") -> None:
        """Read the next slice; the kernel shows the rest in the next turn."""
        end_s = self._now_s() + self._slice_s
        for fd, _ in ready.poll(0, _SOCKETS_PER_TURN):
            reading = self._readings.get(fd)
            if reading is not None:
                reading.take()
            if self._now_s() >= end_s:
                break


class Reading:
    """One socket that is read."""

    __slots__ = ("_reader", "_sluice", "_transport", "fd")

    def __init__(
        self, sluice: Sluice, fd: int, reader: Reader, transport: asyncio.Transport
    ) -> None:
        self._sluice = sluice
        self._reader = reader
        self._transport = transport
        self.fd = fd

    def end(self) -> None:
        """Stop; to be called before the descriptor closes, and harmless afterwards."""
        self._sluice.forget(self)

    def take(self) -> None:
        """Read once, and pass on what came: bytes, the end, or (as transports do) a failure as a lost connection."""
        if self._transport.is_closing():
            self.end()
            return
        try:
            data = os.read(self.fd, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self.end()
            self._transport.abort()
            return
        if data:
            self._reader.data_received(data)
            return
        self.end()
        if not self._reader.eof_received():
            self._transport.close()
