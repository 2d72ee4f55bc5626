"""What devices are told in our own words, in the languages that we have; an alert's words are its producer's."""

from typing import Final

import msgspec

_DEFAULT: Final = "en"


class Words(msgspec.Struct, frozen=True):
    """The words of one language; ``summary`` holds ``{count}``."""

    summary: str
    test_title: str
    test_body: str


_LANGUAGES: Final = {
    "en": Words("{count} new alerts", "Notifications work", "This is the test that you asked for."),
    "de": Words(
        "{count} neue Meldungen",
        "Benachrichtigungen funktionieren",
        "Das ist der Test, den Sie angefordert haben.",
    ),
}


def words_for(locale: str | None) -> Words:
    """Return the words of a language tag such as de-CH (BCP 47), English where we have none."""
    language = (locale or _DEFAULT).partition("-")[0].lower()
    return _LANGUAGES.get(language, _LANGUAGES[_DEFAULT])
