"""The servers under a drill: requests are spread over them, and one that is away costs an attempt."""

import httpx
import pytest

from tocsin.cli.drill.nodes import Node, Nodes
from tocsin.client.attempts import Lost, Patience, Reply
from tocsin.client.refusal import RefusedError


def node_that(answers: httpx.Response | Exception, asked: list[str], name: str) -> Node:
    def answer(_: httpx.Request) -> httpx.Response:
        asked.append(name)
        if isinstance(answers, Exception):
            raise answers
        return answers

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://x")
    return Node(http, f"https://{name}")


async def test_a_repeat_goes_to_the_next_node_and_each_request_begins_at_another() -> None:
    asked: list[str] = []
    well = node_that(httpx.Response(202, json={"id": "7", "status": "accepted"}), asked, "well")
    away = node_that(httpx.ConnectError("refused"), asked, "away")
    nodes = Nodes([well, away], Patience())
    trail: list[Reply | Lost] = []
    for _ in range(2):
        plan = nodes.publishing.publish({"to": {"users": ["ada"]}, "title": "t", "id": "1"})
        assert (await nodes.run(plan, trail)).id == "7"
    assert asked == ["away", "well", "well"]
    assert [type(told) for told in trail] == [Lost, Reply, Reply]


async def test_a_refusal_is_not_repeated_at_another_node() -> None:
    asked: list[str] = []
    problem = httpx.Response(403, json={"code": "wrong-role", "detail": "no"})
    nodes = Nodes([node_that(problem, asked, name) for name in ("a", "b")], Patience())
    with pytest.raises(RefusedError):
        await nodes.ask("GET", "/v1/inbox/items")
    assert len(asked) == 1


def test_clients_of_a_node_connect_to_that_node() -> None:
    nodes = Nodes([node_that(ValueError(), [], name) for name in ("a", "b")], Patience())
    given = "wss://public.example/client/hubs/h?access_token=x"
    assert nodes.of(1).client_url(given) == "wss://b/client/hubs/h?access_token=x"
    beside = Nodes([Node(httpx.AsyncClient(), None)], Patience())
    assert beside.of(3).client_url(given) == given
