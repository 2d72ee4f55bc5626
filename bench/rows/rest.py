"""How many messages a second an application sends to single users by Azure's REST data plane, each with its own token."""

import time

import jwt
from bench.child import Child
from bench.frame import Bench, Row, rate
from bench.load.flow import Load
from bench.load.producers import FRESH_ID, Order, Sent
from bench.measure import median
from bench.servers import Tocsin, tocsin, user_name

USERS = 256
REQUESTS = 10_000
IN_FLIGHT = 64
_BODY = b'{"severity":"success","text":"Invoice 7 was paid in full today."}'
_TOKEN_S = 3_600


def send_to_user(bench: Bench) -> list[Row]:
    """One connected client for each user; every answer is a 202 behind a verified signature."""
    wall, cpu = list[float](), list[float]()
    with tocsin() as server, Child(Load) as load:
        load.call("listen", server.port, server.client_paths(USERS))
        order = Order(server.port, "", USERS, connections=IN_FLIGHT, ready=_requests(server))
        for turn in range(bench.turns + 1):
            before = server.cpu_s()
            sent: Sent = load.call("burst", order, REQUESTS // (1 if turn else 4))
            used = server.cpu_s() - before
            if sent.refused:
                msg = f"{sent.refused} requests were refused"
                raise RuntimeError(msg)
            bench.say(f"{rate(sent.alerts / sent.seconds)}, {rate(sent.alerts / used)} per CPU s")
            if turn:
                wall.append(sent.alerts / sent.seconds)
                cpu.append(sent.alerts / used)
    each = median(cpu)
    note = f"{IN_FLIGHT} in flight, {USERS} users connected; by the clock {rate(median(wall))}"
    what = "sendToUser by REST, per CPU second"
    return [Row(what, rate(each), "", None, ">= 5,000/s", each >= 5_000, note)]


def _requests(server: Tocsin) -> tuple[bytes, ...]:
    """Make a request to each user, with the token and the id that Microsoft's SDKs give it."""
    return tuple(_request(server, user_name(number)) for number in range(USERS))


def _request(server: Tocsin, user: str) -> bytes:
    path = f"/api/hubs/default/users/{user}/:send?api-version=2024-12-01"
    said = {"aud": f"http://127.0.0.1:{server.port}{path}", "exp": int(time.time()) + _TOKEN_S}
    token = jwt.encode(said, server.access_key(), algorithm="HS256")
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {token}\r\n"
        f"x-ms-client-request-id: {FRESH_ID.decode()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(_BODY)}\r\n\r\n"
    )
    return head.encode() + _BODY
