"""Words cut into messages and put together again, whatever is lost in between."""

from collections.abc import Sequence

from tocsin.adapters.nats.parts import Joiner, Part, decode, parts

WORD = bytes(range(10))


def cut(body: bytes, number: int = 1, most_bytes: int = 3) -> list[Part]:
    return [decode(data) for data in parts("tell", number, body, most_bytes)]


def joined(said: Sequence[Part]) -> list[bytes]:
    joiner = Joiner()
    return [word.body for part in said if (word := joiner.take(part)) is not None]


def test_words_of_any_length_come_out_as_they_went_in() -> None:
    for size in range(11):
        said = cut(WORD[:size])
        assert joined(said) == [WORD[:size]]
        assert len(said) == max(1, -(-size // 3))


def test_a_lost_part_costs_its_word_and_no_other() -> None:
    for lost in range(4):
        said = cut(WORD)
        del said[lost]
        assert joined([*cut(b"before"), *said, *cut(b"after")]) == [b"before", b"after"]


def test_parts_of_two_words_are_never_put_together() -> None:
    first, second = cut(WORD, 1), cut(WORD[::-1], 2)
    assert joined([*first[:2], *second[2:]]) == []
    assert joined([*first[:2], *second]) == [WORD[::-1]]
