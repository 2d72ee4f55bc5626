"""The reading of answers: HTTP/1.1 as httptools takes it apart, within bounds.  No I/O.

Bounds:  ``HEAD_BYTES`` for a head, with interim ones (1xx) before it; the caller's for a body, in as few or many chunks as
``FRAMING`` times as many bytes on the line hold.
"""

from typing import Final

import httptools

from tocsin.ports.outbound import Answer, FailureKind, Method

HEAD_BYTES: Final = 32_768
FRAMING: Final = 8
_FINAL: Final = 200
_REASON_CHARACTERS: Final = 500


class NoAnswerError(Exception):
    """No whole answer came, or will; what the port calls ``Failed``."""

    def __init__(self, kind: FailureKind, reason: str) -> None:
        super().__init__(reason)
        self.kind: FailureKind = kind
        self.reason = reason[:_REASON_CHARACTERS]


class AnswerReader:
    """Reads the answers of one connection, one after the other.

    ``heard`` tells whether any byte of the present one came; ``goes_on`` whether another may follow it.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._parser = httptools.HttpResponseParser(self)
        self.begin("GET")

    def begin(self, method: Method) -> None:
        """Expect the answer to a request."""
        self.heard = self.goes_on = False
        self._bodiless = method == "HEAD"
        self._answer: Answer | None = None
        self._failure: NoAnswerError | None = None
        self._line_bytes = 0
        self._status = 0
        self._fields: list[tuple[bytes, bytes]] = []
        self._field_bytes = 0
        self._body: list[bytes] = []
        self._body_bytes = 0

    def feed(self, data: bytes) -> Answer | None:
        """Take what came; returns the answer when it is whole.

        Raises:
            NoAnswerError: This will be none.
        """
        self.heard = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.goes_on = False
            if self._answer is None:
                raise self._failure or _malformed(str(error)) from None
        if self._answer is None:
            self._bound(len(data))
        return self._answer

    def end(self) -> Answer | None:
        """Return the answer if it was one whose end is that of the connection; None if something is missing."""
        names = {name for name, _ in self._fields}
        if not self._status or names & {b"content-length", b"transfer-encoding"}:
            return None
        return self._made()

    # --- called by the parser ----------------------------------------------------------------
    def on_message_begin(self) -> None:
        """Begin a head, interim or final; a second final one is refused."""
        if self._answer is not None:
            self._fail(_malformed("more than one answer came"))
        self._fields.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field of a head; trailers, which nobody asked for, are passed over."""
        if self._status:
            return
        self._field_bytes += len(name) + len(value)
        if self._field_bytes > HEAD_BYTES:
            self._fail(_long_head())
        self._fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Take the status of a final head."""
        status = self._parser.get_status_code()
        if status >= _FINAL:
            self._status = status
            if self._bodiless:
                self._answer = self._made()

    def on_body(self, data: bytes) -> None:
        """Keep a part of the body."""
        self._body_bytes += len(data)
        if self._body_bytes > self._most:
            self._fail(self._too_large())
        self._body.append(data)

    def on_message_complete(self) -> None:
        """Make the answer, unless this was an interim one."""
        if self._status and self._answer is None:
            self._answer = self._made()
            self.goes_on = self._parser.should_keep_alive()

    # --- bounds ------------------------------------------------------------------------------
    def _bound(self, more: int) -> None:
        """Count what is on the line: a field, a chunk's size or a trailer may go on for ever."""
        self._line_bytes += more
        if not self._status and self._line_bytes > HEAD_BYTES:
            raise _long_head()
        if self._line_bytes > HEAD_BYTES + FRAMING * self._most:
            raise self._too_large()

    def _made(self) -> Answer:
        fields = tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in self._fields)
        return Answer(self._status, fields, b"".join(self._body))

    def _too_large(self) -> NoAnswerError:
        return NoAnswerError("too-large", f"the answer has more than {self._most} bytes")

    def _fail(self, failure: NoAnswerError) -> None:
        self._failure = failure
        raise failure


def _malformed(said: str) -> NoAnswerError:
    return NoAnswerError("malformed", f"the answer is no HTTP that is taken: {said}")


def _long_head() -> NoAnswerError:
    return _malformed(f"its head has more than {HEAD_BYTES} bytes")
