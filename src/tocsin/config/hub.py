"""What differs per hub."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from tocsin.config.section import Section

KeptFact = Literal["written", "received", "shown", "seen", "read", "acted", "pushed", "push_failed"]
TopicPattern = Annotated[str, Field(pattern=r"^[^*\x00-\x1f]*\*?$", min_length=1, max_length=256)]


class DefaultAudience(Section):
    """Who hears what a shim takes in, where neither the payload nor the URL names anybody."""

    users: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    all: bool = False


class WantedHandler(Section):
    """An event handler, as the file or an administrator describes it."""

    url: str
    user_events: str = ""
    system_events: tuple[Literal["connect", "connected", "disconnected"], ...] = ()
    authorization: str | None = None


class Issuer(Section):
    """Whose tokens a hub takes besides its own, and what they say; a claim that is not named here says nothing."""

    jwks_url: Annotated[str, Field(pattern=r"^https?://", max_length=2048)] = Field(
        description="where the issuer's public keys are"
    )
    issuer: Annotated[str, Field(min_length=1, max_length=2048)] = Field(
        description="what `iss` must be"
    )
    audience: Annotated[str, Field(min_length=1, max_length=2048)] = Field(
        description="what must be in `aud`"
    )
    algorithms: frozenset[Literal["RS256", "ES256"]] = Field(
        frozenset(("RS256", "ES256")), min_length=1, description="which keys of the set count"
    )
    user_claim: str = Field("sub", min_length=1, description="which claim is the user")
    inbox_claim: str = Field("scope", min_length=1, description="which claim may open the inbox")
    inbox_value: str | None = Field(
        None, min_length=1, description="the word in it that does; without one no token opens it"
    )
    role_claim: str | None = Field(None, description="which claim lists Web PubSub roles")
    group_claim: str | None = Field(None, description="which claim lists groups to be in")


class Hub(Section):
    """What differs per hub."""

    event_handlers: tuple[WantedHandler, ...] = Field(
        (), description="applications that decide about connections and take their events"
    )
    receipts: frozenset[KeptFact] = Field(
        frozenset(get_args(KeptFact)), description="which facts about alerts are kept"
    )
    allowed_origins: tuple[str, ...] = Field(
        (), description="browser origins of other sites that may use this hub's API and socket"
    )
    open_topics: tuple[TopicPattern, ...] = Field(
        (), description="topics that users may choose themselves; news-* means all that begin so"
    )
    issuer: Issuer | None = Field(None, description="who else issues tokens for this hub")
    cut_at_expiry: bool = Field(
        False, description="whether a live connection ends when its token does"
    )
    audiences: dict[str, DefaultAudience] = Field(
        default_factory=dict, description="default audiences of shims, by the name of the API key"
    )

    def opens(self, topic: str) -> bool:
        """Tell whether users may subscribe themselves to a topic."""
        return any(
            topic.startswith(pattern[:-1]) if pattern.endswith("*") else topic == pattern
            for pattern in self.open_topics
        )
