"""Which alerts are traced, and to where."""

from typing import Annotated

from pydantic import Field

from tocsin.config.section import Section

CollectorUrl = Annotated[str, Field(pattern=r"^https?://[^?#@]+$", max_length=2048)]


class Traces(Section):
    """Traces of alerts, for a collector of OpenTelemetry."""

    endpoint: CollectorUrl | None = Field(
        None, description="a collector that takes OTLP over HTTP; without one nothing is traced"
    )
    share: float = Field(
        0.01,
        ge=0,
        le=1,
        description="which part of all alerts is traced, the same in all processes",
    )
