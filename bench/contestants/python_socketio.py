"""A room on python-socketio behind uvicorn, set as its documentation says for production on one core.

Run:  ``BENCH_SECRET=... BENCH_ROOM=... python -m bench.contestants.python_socketio``
"""

import json
import os
import socket
import sys
from typing import Any

import jwt
import socketio
import uvicorn

_SECRET, _ROOM = os.environ["BENCH_SECRET"], os.environ["BENCH_ROOM"]
_server = socketio.AsyncServer(async_mode="asgi", transports=["websocket"])


async def _connect(sid: str, _environ: Any, auth: dict[str, str]) -> None:  # noqa: ANN401 -- ASGI
    try:
        claims = jwt.decode(auth["token"], _SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError as error:
        raise socketio.exceptions.ConnectionRefusedError(str(error)) from error
    if room := claims.get("room"):
        await _server.enter_room(sid, room)
    if claims.get("publishes"):
        await _server.save_session(sid, claims)


async def _say(sid: str, message: object) -> None:
    if await _server.get_session(sid):
        await _server.emit("said", message, room=_ROOM)


def main() -> None:
    _server.on("connect", _connect)
    _server.on("say", _say)
    listener = socket.create_server(("127.0.0.1", 0), backlog=4_096)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        socketio.ASGIApp(_server),
        http="httptools",
        loop="uvloop",
        ws="websockets-sansio",  # the quickest of the three here
        ws_per_message_deflate=False,
        backlog=4_096,  # uvicorn listens once more on what it is given
        log_level="warning",
        access_log=False,
    )
    print(json.dumps({"event": "serve.ready", "address": address}), file=sys.stderr, flush=True)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
