"""What a person wants to be told beside the inbox, and by which channel; and what follows from it for one alert.

The inbox and the socket are never asked about it: whoever looks sees everything.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Final, Literal, NamedTuple, get_args

import msgspec
from msgspec import Meta

from tocsin.clock import from_datetime, to_rfc3339
from tocsin.model.alert import Severity
from tocsin.model.quiet_hours import QuietHours, zone_named

ChannelName = Literal["push"]
MAX_CATEGORIES = 200
MAX_MUTES = 200
UTC: Final = "UTC"

CategoryName = Annotated[str, Meta(min_length=1, max_length=256)]
_SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)


class Choice(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What one channel is used for; what is None is left to whoever is asked next."""

    enabled: bool | None = None
    min_severity: Severity | None = None


Choices = dict[ChannelName, Choice]


class Mute(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Nothing by any channel, of one category or of all, until a time or until it is taken back.

    Raises ValueError when it is made with a time without a zone, or out of range.
    """

    category: CategoryName | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.until is not None:
            from_datetime(self.until)

    def holds(self, category: str | None, now_us: int) -> bool:
        """Tell whether it holds for an alert of that category."""
        if self.category not in (None, category):
            return False
        return self.until is None or from_datetime(self.until) > now_us


class Said(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a person and a hub can both say: per channel, per category and channel, and quiet hours."""

    channels: Choices = {}
    categories: Annotated[dict[CategoryName, Choices], Meta(max_length=MAX_CATEGORIES)] = {}
    quiet_hours: QuietHours | None = None

    def choices(self, category: str | None, channel: ChannelName) -> Iterator[Choice]:
        """Yield what is said of a channel, of the category before the rest."""
        of_category: Mapping[ChannelName, Choice] = self.categories.get(category or "", {})
        for choices in (of_category, self.channels):
            if channel in choices:
                yield choices[channel]


class Preferences(Said, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Those of one person.  What is not said here is as the hub says."""

    mutes: Annotated[tuple[Mute, ...], Meta(max_length=MAX_MUTES)] = ()


class HubPreferences(Said, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What holds for everybody of a hub who said nothing else.

    ``critical_exempt``: critical alerts pass quiet hours and mutes; not a channel that is switched off.
    """

    critical_exempt: bool = False


class AlertFacts(NamedTuple):
    """What of an alert preferences are about."""

    severity: Severity
    category: str | None
    expires_us: int | None


class Send(msgspec.Struct, frozen=True):
    """Send it now.  ``reason`` is a stable code, ``detail`` a sentence, as in the others."""

    reason: Literal["allowed", "critical-exempt"]
    detail: str


class Hold(msgspec.Struct, frozen=True):
    """Keep it until ``until_us``, and decide again then."""

    reason: Literal["quiet-hours", "storm"]
    detail: str
    until_us: int


class Skip(msgspec.Struct, frozen=True):
    """Do not send it, now or later."""

    reason: Literal["switched-off", "below-severity", "muted", "expires-in-quiet-hours"]
    detail: str


Decision = Send | Hold | Skip


def reason_of(decision: Decision) -> str:
    """Return code and sentence, as a trace tells them."""
    return f"{decision.reason}: {decision.detail}"


class Rules(NamedTuple):
    """A person's preferences over those of the hub: what the person said goes first, the category before the rest."""

    mine: Preferences
    hub: HubPreferences

    def choice(self, category: str | None, channel: ChannelName) -> Choice:
        """Return what holds for a channel: each part by the first who said something of it."""
        enabled, severity = None, None
        for said in (self.mine, self.hub):
            for choice in said.choices(category, channel):
                enabled = choice.enabled if enabled is None else enabled
                severity = severity or choice.min_severity
        return Choice(enabled, severity)

    def quiet_hours(self) -> QuietHours | None:
        """Return the person's quiet hours, or the hub's."""
        return self.hub.quiet_hours if self.mine.quiet_hours is None else self.mine.quiet_hours


def decide(
    alert: AlertFacts,
    rules: Rules,
    zone: str | None,
    now_us: int,
    channel: ChannelName = "push",
) -> Decision:
    """Decide what becomes of an alert on one channel; ``zone`` is the time zone of the device, if it told one.

    A time zone that is named nowhere is UTC.
    """
    refused = _refused(alert, rules.choice(alert.category, channel), channel)
    if refused is not None:
        return refused
    kept = _muted(alert, rules.mine, now_us) or _quiet(alert, rules.quiet_hours(), zone, now_us)
    if kept is None:
        return Send("allowed", "nothing in the preferences speaks against it")
    if alert.severity == "critical" and rules.hub.critical_exempt:
        return Send("critical-exempt", f"critical alerts pass; else: {kept.detail}")
    return kept


def _refused(alert: AlertFacts, choice: Choice, channel: ChannelName) -> Skip | None:
    of = "" if alert.category is None else f" for the category {alert.category!r}"
    if choice.enabled is False:
        return Skip("switched-off", f"{channel} is switched off{of}")
    least = choice.min_severity
    if least is not None and _SEVERITIES.index(alert.severity) < _SEVERITIES.index(least):
        detail = f"{channel} begins at {least}{of}, and this is {alert.severity}"
        return Skip("below-severity", detail)
    return None


def _muted(alert: AlertFacts, mine: Preferences, now_us: int) -> Skip | None:
    mute = next((one for one in mine.mutes if one.holds(alert.category, now_us)), None)
    if mute is None:
        return None
    what = "everything" if mute.category is None else f"the category {mute.category!r}"
    until = "" if mute.until is None else f" until {to_rfc3339(from_datetime(mute.until))}"
    return Skip("muted", f"{what} is muted{until}")


def _quiet(
    alert: AlertFacts, hours: QuietHours | None, zone: str | None, now_us: int
) -> Hold | Skip | None:
    if hours is None:
        return None
    name = hours.zone or zone or UTC
    until_us = hours.end_us(now_us, zone_named(name))
    if until_us is None:
        return None
    detail = f"quiet hours in {name} until {to_rfc3339(until_us)}"
    if alert.expires_us is not None and alert.expires_us <= until_us:
        return Skip("expires-in-quiet-hours", f"{detail}, and it expires before")
    return Hold("quiet-hours", detail, until_us)
