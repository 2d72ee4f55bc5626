"""The built web client: a handful of files, read once and served from memory.

``/tocsin/...`` (what other sites load by a script tag) is always there; the demo's pages and their assets only with ``--demo``.
"""

import hashlib
import mimetypes
from pathlib import Path

import msgspec

from tocsin.api.http import Request, Response

FOLDER = Path(__file__).parent.parent / "web"
# As strict as a page can ask for: what the elements need must fit, or their users could not ask for it either.
_CSP = (
    b"default-src 'self'; img-src 'self' data:; object-src 'none'; frame-ancestors 'self'; base-uri 'none'; "
    b"form-action 'self'; require-trusted-types-for 'script'; trusted-types lit-html tocsin"
)
_PAGE_HEADERS = (
    (b"content-security-policy", _CSP),
    (b"referrer-policy", b"no-referrer"),
)
_PUBLIC = "/tocsin/"


class _File(msgspec.Struct, frozen=True):
    content: Response
    etag: str


class WebFiles:
    """Serves what was built into the package; nothing when the client was not built."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {
            (name := f"/{path.relative_to(folder).as_posix()}").removesuffix("index.html"): _load(
                path, name
            )
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    def paths(self, *, demo: bool) -> list[str]:
        """List the paths to serve."""
        return [path for path in self._files if demo or path.startswith(_PUBLIC)]

    async def file(self, request: Request) -> Response:
        """Serve one file; 304 when the client has it."""
        found = self._files[request.scope["path"]]
        if request.header(b"if-none-match") == found.etag:
            return msgspec.structs.replace(found.content, status=304, body=b"")
        return found.content


def _load(path: Path, name: str) -> _File:
    body = path.read_bytes()
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if kind.startswith("text/") or kind.endswith(("javascript", "json")):
        kind += "; charset=utf-8"
    # Hashed names never change their content; the others are asked for again.
    cache = b"public, max-age=31536000, immutable" if path.parent.name == "assets" else b"no-cache"
    headers = [(b"etag", etag.encode())]
    if path.suffix == ".html":
        headers += _PAGE_HEADERS
    if name.startswith(_PUBLIC):
        headers.append((b"access-control-allow-origin", b"*"))
    return _File(Response(200, body, kind.encode(), headers, cache), etag)
