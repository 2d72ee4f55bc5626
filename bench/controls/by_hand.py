"""What one would write by hand: FastAPI, pydantic, sqlite3 and a WebSocket per user.

It promises the same to producers (an fsynced commit before the answer), checks the same fields and sends to whoever is
connected.  It has no revisions, no repeats, no acknowledgements and no recovery.  It commits in the event loop: a thread
pool would cost more CPU for the same single writer.

Run:  ``python -m bench.controls.by_hand FILE``
"""

import hashlib
import hmac
import json
import socket
import sqlite3
import sys
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import uvicorn
from fastapi import FastAPI, Header, HTTPException, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, model_validator

Name = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
Link = Annotated[str, Field(min_length=1, max_length=2_048)]
_DIGEST = hashlib.sha256(b"by-hand").digest()
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA fullfsync=ON",
    "PRAGMA cache_size=-16384",
    "PRAGMA temp_store=MEMORY",
)
_TABLE = """CREATE TABLE items (
    id TEXT, user TEXT, alert TEXT, created_at TEXT, seen_at TEXT, read_at TEXT,
    PRIMARY KEY (id, user))"""
_INDEX = "CREATE INDEX items_user ON items (user, id)"
_ADD = "INSERT INTO items (id, user, alert, created_at) VALUES (?, ?, ?, ?)"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Audience(_Model):
    """Who an alert is for."""

    users: Annotated[list[Name], Field(max_length=1_000)] = []
    all: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> "Audience":
        if self.all == bool(self.users):
            msg = "either users or all"
            raise ValueError(msg)
        return self


class Action(_Model):
    """A button."""

    id: str
    label: str
    url: str | None = None
    style: Literal["default", "primary", "danger"] | None = None


class Alert(_Model):
    """What a producer sends."""

    to: Audience
    title: Annotated[str, Field(min_length=1, max_length=512)]
    id: Name | None = None
    source: Name | None = None
    body: Annotated[str, Field(max_length=32_768)] | None = None
    severity: Literal["info", "success", "warning", "error", "critical"] = "info"
    category: Name | None = None
    url: Link | None = None
    icon: Link | None = None
    actions: Annotated[list[Action], Field(max_length=5)] = []
    data: Any = None
    expires_at: datetime | None = None


class Batch(_Model):
    """Several alerts."""

    alerts: Annotated[list[Alert], Field(max_length=1_000)]


class Accepted(BaseModel):
    """The answer for one alert."""

    id: str
    status: Literal["accepted"] = "accepted"


app = FastAPI(openapi_url=None)
_connection = sqlite3.connect(sys.argv[1], isolation_level=None)
_sockets: dict[str, list[WebSocket]] = {}


@app.post("/v1/alerts", status_code=202)
async def publish(alert: Alert, authorization: Annotated[str, Header()]) -> Accepted:
    """Take one alert: one commit."""
    _check_key(authorization)
    return (await _keep([alert]))[0]


@app.post("/v1/alerts/batch", status_code=202)
async def publish_batch(
    batch: Batch, authorization: Annotated[str, Header()]
) -> dict[str, list[Accepted]]:
    """Take several alerts: one commit for all of them."""
    _check_key(authorization)
    return {"results": await _keep(batch.alerts)}


@app.websocket("/sockets/{user}")
async def connect(websocket: WebSocket, user: str) -> None:
    """Hold a user's socket until it closes."""
    await websocket.accept()
    _sockets.setdefault(user, []).append(websocket)
    try:
        while True:
            await websocket.receive_text()
    except WebSocketDisconnect:
        _sockets[user].remove(websocket)


def _check_key(authorization: str) -> None:
    secret = authorization.removeprefix("Bearer ").encode()
    if not hmac.compare_digest(hashlib.sha256(secret).digest(), _DIGEST):
        raise HTTPException(401)


async def _keep(alerts: list[Alert]) -> list[Accepted]:
    created_at = datetime.now(UTC).isoformat()
    accepted, rows = [], list[tuple[str, str, str, str]]()
    for alert in alerts:
        alert_id = str(uuid.uuid4())
        accepted.append(Accepted(id=alert_id))
        text = alert.model_dump_json(exclude={"to"}, exclude_defaults=True)
        rows += [(alert_id, user, text, created_at) for user in alert.to.users or ["*"]]
    _connection.execute("BEGIN IMMEDIATE")
    _connection.executemany(_ADD, rows)
    _connection.execute("COMMIT")
    for alert_id, user, text, _ in rows:
        frame = f'{{"alert_id":"{alert_id}","alert":{text}}}'
        for websocket in _listening(user):
            await websocket.send_text(frame)
    return accepted


def _listening(user: str) -> list[WebSocket]:
    if user == "*":
        return [websocket for some in _sockets.values() for websocket in some]
    return _sockets.get(user, [])


def main() -> None:
    for statement in (*_PRAGMAS, _TABLE, _INDEX):
        _connection.execute(statement)
    listener = socket.create_server(("127.0.0.1", 0), backlog=4_096)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        app, http="httptools", loop="uvloop", log_level="warning", access_log=False
    )
    print(json.dumps({"event": "serve.ready", "address": address}), file=sys.stderr, flush=True)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
