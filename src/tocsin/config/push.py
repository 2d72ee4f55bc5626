"""Pushes to devices: by which services, when, and how many."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from tocsin.config.section import Positive, Section

PushHost = Annotated[
    str, Field(pattern=r"^(\*\.)?[0-9a-z_.-]+(:[1-9][0-9]{0,4})?$", max_length=253)
]


class Push(Section):
    """Pushes to devices of people who are not looking."""

    subject: str | None = Field(
        None,
        pattern=r"^(mailto:[^@\s<>]+@[^@\s<>]+|https://[^\s<>]+)$",
        description="contact that push services are told: mailto:... or https://...",
    )
    app_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s<>]+$",
        max_length=512,
        description="where your app lives: opened by a click where an alert has no url of its own",
    )
    hosts: tuple[PushHost, ...] = Field(
        (), description="push services that Web Push calls besides those of the browsers"
    )
    fcm_service_account: Path | None = Field(
        None, description="key file (JSON) of Firebase's service account; without it no FCM"
    )
    fcm_url: str = Field(
        "https://fcm.googleapis.com",
        pattern=r"^https?://[^/?#]+$",
        description="where Firebase's API lies",
    )
    grace_critical_s: float = Field(2, ge=0, description="wait for a critical alert to be shown")
    grace_error_s: float = Field(3, ge=0, description="wait for an error to be shown")
    grace_warning_s: float = Field(5, ge=0, description="wait for a warning to be shown")
    grace_s: float = Field(10, ge=0, description="wait for any other alert to be shown")
    ttl_s: int = Field(
        86_400, ge=60, le=2_419_200, description="age at which a push is of no use any more"
    )
    retry_after_s: float = Field(
        900, gt=0, description="longest wait that a push service may ask for (Retry-After)"
    )
    summary_over: Positive = Field(
        3,
        description="pushes held for one device that still go one by one; more become one summary",
    )
    storm_pushes: Positive = Field(
        20, description="pushes to one device in `push.storm_s`; more wait, but for critical ones"
    )
    storm_s: float = Field(600, gt=0, description="the time in which they are counted")
    calls_per_host: Positive = Field(32, description="calls under way to one push service")
    lingering_per_host: Positive = Field(
        224, description="calls to one push service that take over a second, besides"
    )

    def grace_of(self, severity: str) -> float:
        """Return how many seconds a push waits for an alert to be shown to whoever is looking."""
        special = {
            "critical": self.grace_critical_s,
            "error": self.grace_error_s,
            "warning": self.grace_warning_s,
        }
        return special.get(severity, self.grace_s)
