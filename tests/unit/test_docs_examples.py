"""The examples of docs/reference/http-api.md do what the page says, in the order of the page."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec

from tests.unit.api_server import Server, running

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "http-api.md"
BLOCK = re.compile(r"```bash\n(?P<shell>.*?)```(?:\n```json\n(?P<answer>.*?)```)?", re.DOTALL)
# The position that examples use; a real one is put in its place.
EPOCH, POSITION = "k3x9", "k3x9:41:7"


class Example(msgspec.Struct):
    """One ``curl`` line, and the answer printed below it, if one is."""

    words: list[str]
    answer: Any


def examples() -> Iterator[Example]:
    for block in BLOCK.finditer(PAGE.read_text()):
        answer = msgspec.json.decode(block["answer"]) if block["answer"] else None
        lines = block["shell"].replace("\\\n", " ").replace("; ", "\n").splitlines()
        for line in lines:
            if line.startswith("curl "):
                yield Example(shlex.split(line)[1:], answer)


async def run(server: Server, words: list[str], default: dict[str, str]) -> httpx.Response:
    """Do what ``curl`` would do with these arguments; ``default`` headers stand in for being local."""
    method, url, headers, body = "GET", "", dict(default), ""
    arguments = iter(words)
    for word in arguments:
        match word:
            case "-X":
                method = next(arguments)
            case "-H":
                name, _, value = next(arguments).partition(": ")
                headers[name] = value
            case "-d":
                body = next(arguments)
            case _:
                url = word
    answer = await server.http.request(method, url, headers=headers, content=body)
    await server.worker.step()
    return answer


def same_shape(shown: Any, real: Any) -> bool:
    """Tell whether objects have the same fields, all the way down, where both have something."""
    match shown, real:
        case dict(), dict():
            return shown.keys() == real.keys() and all(
                same_shape(value, real[name]) for name, value in shown.items()
            )
        case list(), list():
            return all(same_shape(*pair) for pair in zip(shown, real, strict=False))
        case _:
            return shown is None or isinstance(real, type(shown))


class Shell:
    """The variables that the page's examples use."""

    def __init__(self, **variables: str) -> None:
        self.variables = variables
        self.position: dict[str, Any] = {}

    def fill(self, words: list[str]) -> list[str]:
        return [self._fill(word) for word in words]

    def _fill(self, word: str) -> str:
        word = re.sub(r"\$([A-Z_]+)", lambda found: self.variables[found[1]], word)
        if not self.position:
            return word
        real = "{epoch}:{rev}:{brev}".format(**self.position)
        return word.replace(POSITION, real).replace(EPOCH, self.position["epoch"])

    def learn(self, url: str, answer: Any) -> None:
        """Take from an answer what later examples name."""
        if url == "/v1/alerts":
            self.variables["BUILD_ID" if "ID" in self.variables else "ID"] = answer["id"]
        elif url == "/v1/client-tokens":
            self.variables["TOKEN"] = answer["token"]
        elif url == "/v1/admin/keys" and "id" in answer:
            self.variables["KEY_ID"] = answer["id"]
        elif url == "/v1/admin/webhooks" and "id" in answer:
            self.variables["WEBHOOK_ID"] = answer["id"]
        elif url.startswith("/v1/inbox?"):
            self.position = answer["position"]


async def test_examples_of_the_http_api_work_and_answer_as_shown() -> None:
    async with running(demo=True) as server:
        admin = await server.key("admin")
        shell = Shell(
            URL="",
            PRODUCER_KEY=(await server.key("producer"))["authorization"].removeprefix("Bearer "),
            SERVER_KEY=(await server.key("server"))["authorization"].removeprefix("Bearer "),
            ADMIN_KEY=admin["authorization"].removeprefix("Bearer "),
        )
        count = 0
        for example in examples():
            words = shell.fill(example.words)
            answer = await run(server, words, admin)
            assert answer.is_success, (words, answer.text)
            if answer.headers.get("content-type") == "application/json" and answer.content:
                url = next(word for word in words if word.startswith("/"))
                shell.learn(url, answer.json())
                if example.answer is not None:
                    assert same_shape(example.answer, answer.json()), (words, answer.text)
            count += 1
        assert count > 20
