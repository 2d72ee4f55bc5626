"""A stand-in for a collector of OpenTelemetry: takes OTLP over HTTP and keeps the spans; it may be slow."""

import gzip
import threading
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from tests.acceptance.deadlines import until


class Span(NamedTuple):
    """A span as it came; ids are hexadecimal, times microseconds since 1970."""

    name: str
    trace: str
    id: str
    parent: str
    begin_us: int
    end_us: int
    about: Mapping[str, str | int]
    links: Sequence[tuple[str, str]]
    failed: bool
    roles: Sequence[str]


class Collector:
    """Listens on loopback; ``answers`` is what it waits for before it answers."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.asked = threading.Event()
        self.answers = threading.Event()
        self.answers.set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers["content-encoding"] == "gzip":
                    body = gzip.decompress(body)
                collector.asked.set()
                collector.answers.wait()
                collector.spans += spans_of(ExportTraceServiceRequest.FromString(body))
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *_: object) -> None:  # noqa: A002 -- the base's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self.answers.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def has(self, alert_id: str, names: Collection[str], within_s: float = 30.0) -> None:
        """Wait until an alert's own trace has spans of all these names."""
        until(lambda: self.trace(alert_id).keys() >= set(names), f"{names} are told", within_s)

    def trace(self, alert_id: str) -> dict[str, list[Span]]:
        """Return the spans of an alert's own trace by name, the earliest first."""
        found = defaultdict(list)
        for span in sorted(self.spans, key=lambda span: span.begin_us):
            if span.trace == alert_id.replace("-", ""):
                found[span.name].append(span)
        return dict(found)


def spans_of(request: ExportTraceServiceRequest) -> list[Span]:
    return [
        Span(
            name=span.name,
            trace=span.trace_id.hex(),
            id=span.span_id.hex(),
            parent=span.parent_span_id.hex(),
            begin_us=span.start_time_unix_nano // 1_000,
            end_us=span.end_time_unix_nano // 1_000,
            about={each.key: plain(each) for each in span.attributes},
            links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
            failed=span.status.code == 2,
            roles=[
                role.string_value
                for each in of_process.resource.attributes
                if each.key == "tocsin.roles"
                for role in each.value.array_value.values
            ],
        )
        for of_process in request.resource_spans
        for of_scope in of_process.scope_spans
        for span in of_scope.spans
    ]


def plain(pair: KeyValue) -> str | int:
    value: str | int = getattr(pair.value, str(pair.value.WhichOneof("value")))
    return value
