"""The docs say what the code does: codes, settings, metrics, routes, commands, links."""

import ast
import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel

from tests.unit.api_server import running
from tocsin import errors
from tocsin.api.problems import status_of
from tocsin.cli.app import app
from tocsin.config import CLIENT_VARIABLES, ENV_PREFIX, Hub, Issuer, Mapping, Settings, Source
from tocsin.telemetry import Metrics

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "tocsin").rglob("*.py"))
REFERENCE = ROOT / "docs" / "reference"
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "web").glob("*.md")],
)
# The functions that take a code by position, and where it stands.
CODE_POSITION = {"problem": 1, "_refuse": 1, "Refusal": 0}
NO_ANSWERS = "## At the start of a program"

Codes = set[tuple[str, int | None]]


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(name) | ast.Attribute(attr=name):
                    yield name, node
                case _:
                    continue


def texts(node: ast.expr) -> Iterator[str]:
    """Find the texts that an expression may be, both of ``"a" if x else "b"``."""
    match node:
        case ast.Constant(str(text)):
            yield text
        case ast.IfExp():
            yield from texts(node.body)
            yield from texts(node.orelse)
        case _:
            return


def status_in(node: ast.expr) -> int | None:
    match node:
        case ast.Constant(int(status)):
            return status
        case ast.Attribute(ast.Name("HTTPStatus"), name):
            return HTTPStatus[name].value
        case _:
            return None


def status_of_class(name: str) -> int | None:
    """Return the HTTP status of an error's class; None for those that only end a program."""
    kind: type[errors.TocsinError] | None = getattr(errors, name, None)
    if kind is None or issubclass(kind, errors.ConfigError):
        return None
    return status_of(kind("detail"))


def codes_of(name: str, call: ast.Call) -> Codes:
    """Return the codes that a call gives to a failure, with the HTTP status it is answered with."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
    found = {(code, status_of_class(name)) for value in given for code in texts(value)}
    default = getattr(getattr(errors, name, None), "code", None)
    if default is not None and not given:
        found.add((default, status_of_class(name)))
    place = CODE_POSITION.get(name)
    if place is not None and len(call.args) > place:
        found |= {(code, status_in(call.args[0])) for code in texts(call.args[place])}
    match call.args:
        case [ast.Constant("code"), fallback]:  # problem.get("code", "...")
            found |= {(code, None) for code in texts(fallback)}
        case _:
            pass
    return found


def raised_codes() -> Codes:
    """Collect every code in the source; what runs beside the server answers nothing by HTTP."""
    found: Codes = set()
    for source in SOURCES:
        beside = source.parent.name in ("cli", "client")
        for name, call in calls(ast.parse(source.read_text())):
            found |= {(code, None if beside else status) for code, status in codes_of(name, call)}
    return found


def rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of every table row but heads and rules."""
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        for line in block.splitlines()[2:]:
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def documented_codes() -> dict[str, int | None]:
    answers, others = (ROOT / "docs" / "error-codes.md").read_text().split(NO_ANSWERS)
    found: dict[str, int | None] = {
        code: int(cells[1]) for cells in rows(answers) for code in quoted(cells[0])
    }
    return found | {code: None for cells in rows(others) for code in quoted(cells[0])}


def test_every_code_in_the_source_is_documented_and_no_other() -> None:
    assert {code for code, _ in raised_codes()} == set(documented_codes())


def test_codes_are_documented_with_the_status_they_are_answered_with() -> None:
    documented = documented_codes()
    wrong = {
        code: (status, documented[code])
        for code, status in raised_codes()
        if code in documented and status is not None and documented[code] != status
    }
    assert wrong == {}


def settings() -> Iterator[tuple[str, str, str]]:
    """Yield the name, environment variable and default of every setting, as the page writes them."""
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            for part, inner in type(default).model_fields.items():
                variable = f"{ENV_PREFIX}{name}__{part}".upper()
                yield f"{name}.{part}", variable, written(inner.default)
        else:
            yield name, f"{ENV_PREFIX}{name}".upper(), written(default)


def written(default: object) -> str:
    if default is None:
        return "none"
    text = default if isinstance(default, str | Path) else json.dumps(default)
    return f"`{text}`"


def test_every_setting_is_documented_with_its_variable_and_default() -> None:
    page = (REFERENCE / "configuration.md").read_text()
    documented = {
        tuple(cell.strip("`") if place < 2 else cell for place, cell in enumerate(cells[:3]))
        for cells in rows(page)
        if len(cells) == 4 and "NAME" not in cells[0]
    }
    assert documented == set(settings())


@pytest.mark.parametrize(
    ("beginning", "section"),
    [("hubs.NAME.", Hub), ("sources.NAME.", Source), ("mapping.", Mapping)],
)
def test_every_setting_of_a_table_is_documented(beginning: str, section: type[BaseModel]) -> None:
    page = (REFERENCE / "configuration.md").read_text()
    documented = {
        cells[0].strip("`").removeprefix(beginning)
        for cells in rows(page)
        if cells[0].startswith(f"`{beginning}")
    }
    assert documented == set(section.model_fields)


def test_every_setting_of_an_issuer_is_documented() -> None:
    page = (REFERENCE / "configuration.md").read_text()
    documented = {
        cells[0].strip("`").removeprefix("issuer."): cells[1]
        for cells in rows(page)
        if cells[0].startswith("`issuer.")
    }
    assert set(documented) == set(Issuer.model_fields)
    required = {name for name, field in Issuer.model_fields.items() if field.is_required()}
    assert {name for name, default in documented.items() if default == "required"} == required


def test_the_variables_of_the_command_line_are_documented() -> None:
    page = (REFERENCE / "configuration.md").read_text()
    documented = {cells[0].strip("`") for cells in rows(page) if cells[0].startswith("`TOCSIN_")}
    assert documented == CLIENT_VARIABLES


def test_every_metric_is_documented_with_its_type_and_labels() -> None:
    collectors: list[Any] = [
        collector for name, collector in vars(Metrics()).items() if name != "registry"
    ]
    metrics = {
        (
            f"{collector._name}{'_total' if collector._type == 'counter' else ''}",
            collector._type,
            collector._labelnames,
        )
        for collector in collectors
    }
    documented = {
        (cells[0].strip("`"), cells[1], tuple(quoted(cells[2])))
        for cells in rows((REFERENCE / "metrics.md").read_text())
    }
    assert documented == metrics


def routes() -> set[str]:
    tree = ast.parse((ROOT / "src" / "tocsin" / "api" / "routes.py").read_text())
    found = set()
    for node in ast.walk(tree):
        parts = node.elts if isinstance(node, ast.Tuple) else getattr(node, "args", None)
        match parts:
            case [ast.Constant(str(method)), ast.Constant(str(path)), *_]:
                found.add(f"{method} {path}")
            case _:
                continue
    return found


def sections(page: str, level: str) -> dict[str, str]:
    """Split a page by the headings that are one piece of code."""
    parts = re.split(rf"^{level} `([^`]+)`.*$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_route_is_documented_and_no_other() -> None:
    documented = set(sections((REFERENCE / "http-api.md").read_text(), "###"))
    assert documented == routes()


async def test_every_operation_of_the_data_plane_is_documented_and_no_other() -> None:
    async with running() as server:
        served = {f"{method} {path}" for method, path in server.app.routes()}
    page = (REFERENCE / "web-pubsub-operations.md").read_text()
    documented = {quoted(cells[0])[0] for cells in rows(page) if "/api/" in cells[0]}
    assert documented == {route for route in served if " /api/" in route}


def test_codes_named_beside_routes_exist() -> None:
    named = {
        word
        for page in ("http-api.md", "configuration.md")
        for word in quoted((REFERENCE / page).read_text())
        if re.fullmatch(r"[a-z]+(-[a-z]+)+", word)
    }
    assert named - set(documented_codes()) == set()


def test_json_examples_of_the_http_api_are_json() -> None:
    page = (REFERENCE / "http-api.md").read_text()
    for example in re.findall(r"```json\n(.*?)```", page, re.DOTALL):
        json.loads(example)


def commands() -> Iterator[tuple[str, Any]]:
    def below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
        inner: dict[str, Any] = getattr(command, "commands", {})
        if not inner:
            yield name, command
        for word, child in inner.items():
            yield from below(f"{name} {word}", child)

    yield from below("tocsin", typer.main.get_command(app))


def test_every_command_is_documented_with_its_options_and_no_other() -> None:
    page = sections((REFERENCE / "cli.md").read_text(), "##")
    known = dict(commands())
    assert set(page) == set(known)
    missing = {
        (name, option)
        for name, command in known.items()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and option != "--help" and option not in page[name]
    }
    assert missing == set()


def without_code(page: Path) -> str:
    return re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", without_code(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere_within_the_repository(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(page)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_names_a_path_of_somebodys_machine(page: Path) -> None:
    # Where packages and services live by convention is on no machine in particular.
    pattern = r"(?<![\w.}])/(?!(?:opt|var/lib)/tocsin)(?:home|root|Users|tmp|var|opt|work|mnt)(?:/|\b)|\.\./\.\./\.\."
    assert re.findall(pattern, page.read_text()) == []


def test_the_files_that_the_architecture_names_exist() -> None:
    places = (ROOT, ROOT / "src" / "tocsin")
    named = quoted(without_code(ROOT / "ARCHITECTURE.md"))
    paths = [word for word in named if re.fullmatch(r"[\w./-]+(?:\.py|\.ts|\.md|/)", word)]
    # A bare name stands beside the folder of its row.
    gone = [
        path
        for path in paths
        if "/" in path and not any((place / path).exists() for place in places)
    ]
    assert gone == []
    assert len(paths) > 40


def test_a_code_that_only_the_source_knows_would_be_found() -> None:
    tree = ast.parse('raise NotFoundError(detail, code="a" if x else "b")')
    [(name, call)] = calls(tree)
    assert (name, list(texts(call.keywords[0].value))) == ("NotFoundError", ["a", "b"])
