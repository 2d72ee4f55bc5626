"""Lists of names in a body, as a JSON list or one JSON string per line (NDJSON)."""

from collections.abc import Sequence

import msgspec

from tocsin.api.bodies import NDJSON, media_type
from tocsin.api.http import Request
from tocsin.errors import InvalidInputError, InvalidItemsError, TooLargeError
from tocsin.ingest.admission import refused_field
from tocsin.model.ids import MAX_ID_CHARS, check_id

MAX_FAULTS = 100
# A character has at most six bytes in JSON (\\u0000); quotes and a comma stand around each name.
_NAME_BYTES = 6 * MAX_ID_CHARS + 4

_list = msgspec.json.Decoder(list[msgspec.Raw])
_name = msgspec.json.Decoder(str)


async def read_names(request: Request, what: str, most: int) -> Sequence[str]:
    """Read a list of at most ``most`` names.

    Raises:
        InvalidItemsError: Some are no names; each of the first 100 has its pointer.
        InvalidInputError: The body is no list.
        TooLargeError: They are more.
    """
    body = await request.body(most * _NAME_BYTES, f"{most} {what}s")
    raws = _split(body, request)
    if len(raws) > most:
        detail = (
            f"the list has {len(raws)} {what}s; at most {most} are allowed "
            "(limits.subscribers_per_request); send several lists"
        )
        raise TooLargeError(detail, code="list-too-large")
    read = [_read_name(raw, what, f"/{index}") for index, raw in enumerate(raws)]
    faults = [one for one in read if isinstance(one, InvalidInputError)]
    if faults:
        detail = f"{len(faults)} of {len(read)} {what}s are wrong, so nothing was done with any"
        raise InvalidItemsError(detail, faults[:MAX_FAULTS])
    return [one for one in read if isinstance(one, str)]


def _split(body: bytes, request: Request) -> Sequence[bytes]:
    if media_type(request) == NDJSON:
        return [line for line in body.split(b"\n") if line.strip()]
    try:
        return [bytes(raw) for raw in _list.decode(body)]
    except msgspec.ValidationError as error:
        raise refused_field(error) from error
    except (msgspec.DecodeError, RecursionError) as error:
        detail = f"the body is no JSON list: {error} (for lines, send {NDJSON})"
        raise InvalidInputError(detail, code="invalid-json") from error


def _read_name(raw: bytes, what: str, pointer: str) -> str | InvalidInputError:
    try:
        return check_id(_name.decode(raw), what, pointer)
    except InvalidInputError as error:
        return error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        detail = f"this is no {what}, a JSON string: {error}"
        return InvalidInputError(detail, code="invalid-field", pointer=pointer)
