"""JSON bodies become Structs, or a problem that points at the field."""

from typing import TypeVar

import msgspec

from tocsin.api.http import Request
from tocsin.errors import InvalidInputError
from tocsin.ingest.admission import refused_field
from tocsin.ingest.complaints import why_no_json

T = TypeVar("T")
SMALL_BODY = 65_536
NDJSON = "application/x-ndjson"


def media_type(request: Request) -> str:
    """Return what the body is said to be, without parameters; empty if nothing is said."""
    return (request.header(b"content-type") or "").partition(";")[0].strip().lower()


async def read_json(
    request: Request, decoder: msgspec.json.Decoder[T], limit: int = SMALL_BODY
) -> T:
    """Read and check a small JSON body.

    Raises:
        InvalidInputError: It is no JSON, or breaks the shape; the pointer tells where.
        TooLargeError: It has more than ``limit`` bytes.
    """
    raw = await request.body(limit, f"{limit} bytes for this route")
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise refused_field(error, kind=decoder.type) from error
    except (msgspec.DecodeError, RecursionError) as error:
        detail = f"the body is not JSON: {why_no_json(raw, error)}"
        raise InvalidInputError(detail, code="invalid-json") from error
