"""Whether servers do what a drill asks of them: they are asked before anything is published."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

import aiohttp
import httpx

from tocsin.client.async_producer import try_once
from tocsin.client.attempts import Attempt, Lost, Patience, Reply, Request
from tocsin.client.refusal import problem_in
from tocsin.clock import SystemClock
from tocsin.errors import ConfigError, UnavailableError

_PAUSE_S: Final = 0.5
_NOT_FOUND: Final = 404
_SERVER_FAULT: Final = 500

Ask = Callable[[str, float], Awaitable[Reply | Lost]]
"""Sends a GET for a path once, and waits so many seconds for the answer."""


class Duty(NamedTuple):
    """What a server is to do for a drill: ``path`` is one that only its role answers, with a refusal that needs no key."""

    role: str
    path: str
    words: str
    remedy: str


API = Duty(
    "api",
    "/v1/inbox",
    "publishes to it and reads from it",
    "name with --endpoint servers that have it, and with --gateway those with the role gateway",
)
LIVE = Duty(
    "gateway",
    "/client/hubs/default",
    "connects live clients to it",
    "name with --gateway servers that have it",
)


async def check_duty(duty: Duty, name: str, ask: Ask, patience: Patience) -> None:
    """See that a server does its duty; one that is away, or not ready, is asked for as long as a request is repeated.

    Raises:
        ConfigError: It has another role, or is not Tocsin.
        UnavailableError: It did not answer.
    """
    told = await _first_answer(duty.path, ask, patience)
    of_drill = f"and a drill {duty.words}"
    if isinstance(told, Lost) or told.status >= _SERVER_FAULT:
        said = told.reason if isinstance(told, Lost) else problem_in(told.status, told.body).detail
        detail = (
            f"{name} gave no answer within {patience.deadline_s:g} s, {of_drill}: is it up, and the address right? "
            f"The last: {said}"
        )
        raise UnavailableError(detail)
    problem = problem_in(told.status, told.body)
    if problem.code == "no-answer":
        detail = f"{name} is no server of Tocsin's, {of_drill}: is it the right address? {problem.detail}"
        raise ConfigError(detail)
    if told.status == _NOT_FOUND:
        detail = (
            f"{name} has not the role {duty.role} (it answers {told.status} to GET {duty.path}), {of_drill}; "
            f"{duty.remedy}, or with --endpoint what stands in front of all"
        )
        raise ConfigError(detail)


async def _first_answer(path: str, ask: Ask, patience: Patience) -> Reply | Lost:
    """Return the first answer that does not ask for patience, or the last that did."""
    clock = SystemClock()
    until_s = clock.monotonic_s() + patience.deadline_s
    while True:
        left_s = max(_PAUSE_S, until_s - clock.monotonic_s())
        told = await ask(path, min(patience.timeout_s, left_s))
        if isinstance(told, Reply) and told.status < _SERVER_FAULT:
            return told
        if clock.monotonic_s() + _PAUSE_S >= until_s:
            return told
        await asyncio.sleep(_PAUSE_S)


def by_key(http: httpx.AsyncClient) -> Ask:
    """Ask as a drill publishes."""

    async def ask(path: str, timeout_s: float) -> Reply | Lost:
        return await try_once(http, Attempt(Request("GET", path), 0.0, timeout_s))

    return ask


def as_client(url: str) -> Ask:
    """Ask the server at ``url`` as its live clients reach it: they have no key, and may trust other certificates."""

    async def ask(path: str, timeout_s: float) -> Reply | Lost:
        try:
            async with (
                asyncio.timeout(timeout_s),
                aiohttp.ClientSession() as session,
                session.get(url + path, allow_redirects=False) as response,
            ):
                return Reply(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            return Lost(f"{type(error).__name__} {error}")

    return ask
