"""Settings: preferences and push, in every state and look, by hand and by keys alone."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess
from tests.browser.application_page import LOOKS, Look, application_page, indent
from tests.browser.conftest import DEADLINE_MS
from tests.browser.keyboard import go_back_to, go_to, press

expect.set_options(timeout=DEADLINE_MS)

SOURCE = 'token-url="/demo/session?user=ada" user="ada"'
PREFERENCES = (
    f'<tocsin-preferences {SOURCE} categories="billing, Rechnungswesen-und-Mahnläufe-Europa">'
    "</tocsin-preferences>"
)
DESKTOP = LOOKS[0]
# Whether a list of choices is as wide as what it says.
FITS = """(select) => {
  const drawn = select.offsetWidth;
  select.style.width = "max-content";
  const asked = select.offsetWidth;
  select.style.width = "";
  return drawn >= asked;
}"""
GROUND = "(one) => getComputedStyle(one).backgroundColor"
LINE = "(one) => getComputedStyle(one).borderTopColor"
REPORT = {
    "last_success_at": "2026-11-23T10:00:00Z",
    "last_failure_at": "2026-11-23T11:00:00Z",
    "last_failure": "push service said 502",
}


Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def ask(one_server: ServerProcess) -> Ask:
    """Ask the server as an administrator, and return what it answers."""
    headers = one_server.key("admin")

    def ask(method: str, path: str, body: Any = None) -> Any:
        answer = one_server.request(method, path, json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


@pytest.fixture
def mine(ask: Ask) -> Iterator[Callable[[], Any]]:
    """Ada has said nothing yet; what she has said is told when called."""
    ask("PUT", "/v1/preferences?user=ada", {})
    yield lambda: ask("GET", "/v1/preferences?user=ada")["preferences"]
    ask("PUT", "/v1/admin/preferences", {})


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_preferences_are_clean_in_every_state_and_look(
    chromium: Browser, one_server: ServerProcess, ask: Ask, mine: Callable[[], Any], look: Look
) -> None:
    windows = [{"from": "20:00", "to": "06:30"}]
    hub = {"quiet_hours": {"windows": windows}, "critical_exempt": True}
    ask("PUT", "/v1/admin/preferences", hub)
    german = look.lang == "de"
    with application_page(chromium, one_server, look, PREFERENCES) as shown:
        page = shown.page
        quiet = page.get_by_label("Ruhezeiten" if german else "Quiet hours").last
        expect(quiet).to_be_visible()
        expect(quiet).to_contain_text(re.compile("20:00.06:30"))
        shown.check("preferences-defaults")
        quiet.select_option("own")
        page.get_by_label("Push: billing").select_option("off")
        page.get_by_label("Stumm: billing" if german else "Mute: billing").select_option("week")
        expect(page.get_by_role("status")).to_have_text("Gespeichert" if german else "Saved")
        shown.check("preferences-own")
        assert indent(page.locator("tocsin-preferences .what", has_text="billing")) < 1
        assert page.get_by_label(re.compile(": billing")).last.evaluate(FITS)
        assert mine()["categories"] == {"billing": {"push": {"enabled": False}}}


def test_what_is_refused_is_taken_back_and_said(
    chromium: Browser, one_server: ServerProcess, mine: Callable[[], Any]
) -> None:
    with application_page(chromium, one_server, DESKTOP, PREFERENCES) as shown:
        page = shown.page
        page.get_by_label("Quiet hours").last.select_option("own")
        expect(page.get_by_role("status")).to_have_text("Saved")
        page.get_by_label("To", exact=True).fill("22:00")
        page.get_by_label("To", exact=True).blur()
        expect(page.get_by_role("alert")).to_contain_text("no minute of the week")
        expect(page.get_by_label("To", exact=True)).to_have_value("07:00")
        shown.check("preferences-refused")
        assert mine()["quiet_hours"]["windows"][0]["to"] == "07:00"


def test_keys_alone_set_everything(
    chromium: Browser, one_server: ServerProcess, mine: Callable[[], Any]
) -> None:
    with application_page(chromium, one_server, DESKTOP, PREFERENCES) as shown:
        page = shown.page
        expect(page.get_by_label("Push: billing")).to_be_visible()
        page.locator("#own").focus()
        press(page, "Tab")
        expect(page.get_by_label("Push: All alerts")).to_be_focused()
        press(page, *"Err")
        press(page, *["Tab"] * 6)
        expect(page.get_by_label("Quiet hours").last).to_be_focused()
        press(page, *"My")
        expect(page.get_by_label("From")).to_be_visible()
        # Each of the two times has parts that Tab stops at.
        for _ in range(10):
            press(page, "Tab")
            if page.get_by_label("Monday").evaluate("it => it.matches(':focus')"):
                break
        shown.check("preferences-focus")
        press(page, "Space")
        until(lambda: "quiet_hours" in mine(), "the quiet hours are saved")
        until(
            lambda: "mon" not in mine()["quiet_hours"]["windows"][0].get("days", ["mon"]),
            "Monday is out",
        )
        assert mine()["channels"] == {"push": {"enabled": True, "min_severity": "error"}}


def test_hours_are_added_changed_and_taken_out_by_keys_and_the_focus_stays(
    chromium: Browser, one_server: ServerProcess, mine: Callable[[], Any]
) -> None:
    def windows() -> list[tuple[str, str]]:
        quiet = mine().get("quiet_hours", {})
        return [(one["from"], one["to"]) for one in quiet.get("windows", [])]

    with application_page(chromium, one_server, DESKTOP, PREFERENCES) as shown:
        page = shown.page
        quiet = page.get_by_label("Quiet hours").last
        removes = page.get_by_role("button", name="Remove")
        expect(quiet).to_be_visible()
        page.locator("#own").focus()
        go_to(page.get_by_label("Mute: billing"))
        press(page, *"Until I")
        go_to(quiet)
        press(page, *"My")
        go_to(page.get_by_label("From"))
        press(page, "ArrowDown")
        go_to(page.get_by_role("button", name="Add hours"))
        press(page, "Enter")
        expect(removes).to_have_count(2)
        expect(page.get_by_role("button", name="Add hours")).to_be_focused()
        until(lambda: windows() == [("21:00", "07:00"), ("22:00", "07:00")], "both are saved")
        assert mine()["mutes"] == [{"category": "billing"}]
        go_to(page.get_by_label("Time zone"))
        press(page, *"Europe/Ber")
        until(lambda: mine()["quiet_hours"].get("zone") == "Europe/Berlin", "the zone is saved")
        go_back_to(removes.last)
        press(page, "Enter")
        expect(removes).to_have_count(1)
        expect(removes).to_be_focused()
        press(page, "Enter")
        expect(quiet).to_be_focused()
        expect(quiet).to_have_value("none")
        until(lambda: windows() == [], "none are left")


def test_a_server_that_is_away_is_said_and_asked_again(
    chromium: Browser, one_server: ServerProcess
) -> None:
    refused: list[Route] = []

    def refuse(route: Route) -> None:
        refused.append(route)
        route.fulfill(status=503, json={"title": "The store is busy."})

    with application_page(chromium, one_server, DESKTOP, "") as shown:
        page = shown.page
        page.route("**/v1/preferences", refuse)
        page.evaluate(
            """() => {
              const element = document.createElement("tocsin-preferences");
              element.setAttribute("token-url", "/demo/session?user=ada");
              document.querySelector("main").append(element);
            }"""
        )
        expect(page.get_by_role("alert")).to_contain_text("cannot do that right now")
        shown.check("preferences-away")
        page.unroute("**/v1/preferences")
        page.locator("#own").focus()
        go_to(page.get_by_role("button", name="Try again"))
        press(page, "Enter")
        expect(page.get_by_label("Push: All alerts")).to_be_focused()


STATES: dict[str, dict[str, Any]] = {
    "off": {"standing": "off"},
    "busy": {"standing": "off", "isBusy": True},
    "on": {"standing": "on"},
    "delivered": {"standing": "on", "report": {"last_success_at": "2026-11-23T10:00:00Z"}},
    "failing": {"standing": "on", "report": REPORT},
    "broken": {"standing": "broken", "problem": "The server cannot be reached."},
    "blocked": {"standing": "blocked"},
    "install": {"standing": "install"},
    "insecure": {"standing": "insecure"},
    "no": {"standing": "no"},
}
# How a test of push goes, while it is on.
TESTS: dict[str, Any] = {
    "under-way": "under way",
    "arrived": {"tookMs": 1_200},
    "lost": {"problem": "nothing came within 30 seconds"},
}


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_push_is_clean_in_every_state_and_look(
    chromium: Browser, one_server: ServerProcess, look: Look
) -> None:
    with application_page(
        chromium, one_server, look, f"<tocsin-push {SOURCE}></tocsin-push>"
    ) as shown:
        page = shown.page
        panel = page.locator("tocsin-push")
        expect(panel.locator("section")).to_be_visible()
        for name, state in STATES.items():
            whole = {"isBusy": False, "problem": None, "report": None, **state}
            panel.evaluate(
                "async (it, state) => { it.state = state; await it.updateComplete }", whole
            )
            shown.check(f"push-{name}")
        on = {"standing": "on", "isBusy": False, "problem": None, "report": REPORT}
        for name, test in TESTS.items():
            panel.evaluate(
                "async (it, more) => { Object.assign(it, more); await it.updateComplete }",
                {"state": on, "test": test},
            )
            expect(panel.get_by_role("status")).not_to_be_empty()
            shown.check(f"push-test-{name}")


def test_settings_can_be_told_apart_in_forced_colours(
    chromium: Browser, one_server: ServerProcess, mine: Callable[[], Any]
) -> None:
    panel = f"<tocsin-push {SOURCE}></tocsin-push>"
    with application_page(
        chromium, one_server, DESKTOP, panel + PREFERENCES, forced_colors="active"
    ) as shown:
        page = shown.page
        push = page.locator("tocsin-push")
        page.get_by_label("Quiet hours").last.select_option("own")
        page.get_by_label("Monday").uncheck(force=True)
        expect(page.get_by_role("status").last).to_have_text("Saved")
        grounds = [
            page.get_by_label(day).locator("+ span").evaluate(GROUND)
            for day in ("Monday", "Tuesday", "Wednesday")
        ]
        assert grounds[0] != grounds[1] == grounds[2]
        for name in ("off", "on", "failing", "blocked"):
            state = {"isBusy": False, "problem": None, "report": None, **STATES[name]}
            push.evaluate(
                "async (it, state) => { it.state = state; await it.updateComplete }", state
            )
            shown.check(f"settings-forced-{name}")
            for button in push.get_by_role("button").all():
                assert button.evaluate(LINE) != push.evaluate(GROUND)
