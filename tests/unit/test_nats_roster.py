"""Who holds whom, as far as messages tell: pure, with time by hand."""

from tocsin.adapters.nats.roster import MARK_BYTES, MARKS_AT_ONCE, Holdings, Roster, mark

ANN, BOB = mark("h", "ann"), mark("h", "bob")


class Pair:
    """One gateway, and one who hears what it says."""

    def __init__(self) -> None:
        self.holdings, self.roster = Holdings("g"), Roster(15)
        self.now_s = 0.0

    def tell(self, *, lose: int = 0, whole: bool = False) -> bool:
        """Pass on all but the first ``lose`` messages; whether the gateway is to be asked."""
        said = self.holdings.whole() if whole else self.holdings.changes()
        answers = [self.roster.hear(one, self.now_s) for one in said[lose:]]
        return any(answers)

    def holds(self, one: bytes) -> bool:
        return list(self.roster.holders(one)) == ["g"]


def test_a_gateway_of_which_everything_was_heard_is_known_exactly() -> None:
    pair = Pair()
    pair.holdings.add(ANN)
    assert not pair.tell(whole=True)
    assert (pair.holds(ANN), pair.holds(BOB)) == (True, False)
    pair.holdings.add(BOB)
    pair.holdings.drop(ANN)
    assert not pair.tell()
    assert (pair.holds(ANN), pair.holds(BOB)) == (False, True)


def test_one_that_is_new_is_taken_to_hold_everybody_and_is_asked_with_its_beat() -> None:
    pair = Pair()
    pair.holdings.add(ANN)
    pair.holdings.changes()  # before anybody listened
    pair.holdings.add(BOB)
    assert not pair.tell()
    assert pair.holds(mark("h", "nobody"))
    assert pair.tell()
    assert not pair.tell(whole=True)
    assert not pair.holds(mark("h", "nobody"))
    assert pair.holds(ANN)


def test_a_lost_change_makes_doubt_until_everything_is_told_again() -> None:
    pair = Pair()
    pair.tell(whole=True)
    pair.holdings.add(ANN)
    pair.tell(lose=1)
    pair.holdings.add(BOB)
    assert not pair.tell()
    assert pair.holds(mark("h", "nobody"))
    assert pair.tell()
    pair.tell(whole=True)
    assert not pair.holds(mark("h", "nobody"))


def test_a_lost_change_that_nothing_followed_is_known_by_the_next_beat() -> None:
    pair = Pair()
    pair.tell(whole=True)
    pair.holdings.add(ANN)
    pair.tell(lose=1)
    assert pair.tell()
    assert pair.holds(ANN)


def test_a_lost_part_of_many_makes_doubt() -> None:
    pair = Pair()
    for number in range(3 * MARKS_AT_ONCE):
        pair.holdings.add(mark("h", str(number)))
    first, second, third = pair.holdings.whole()
    assert len(first.came) == MARK_BYTES * MARKS_AT_ONCE
    for said in (first, third):
        assert not pair.roster.hear(said, 0)
    assert pair.holds(mark("h", "nobody"))
    assert pair.tell()
    for said in (first, second, third):
        pair.roster.hear(said, 0)
    assert not pair.holds(mark("h", "nobody"))


def test_many_who_go_at_once_are_told_by_who_is_left() -> None:
    pair = Pair()
    users = [mark("h", str(number)) for number in range(MARKS_AT_ONCE + 2)]
    for one in users:
        pair.holdings.add(one)
    pair.tell(whole=True)
    for one in users[1:]:
        pair.holdings.drop(one)
    assert not pair.tell()
    assert (pair.holds(users[0]), pair.holds(users[1])) == (True, False)


def test_who_comes_and_goes_between_two_messages_is_not_held() -> None:
    pair = Pair()
    pair.tell(whole=True)
    assert pair.holdings.add(ANN)
    assert not pair.holdings.add(ANN)
    pair.holdings.drop(ANN)
    pair.holdings.drop(ANN)
    assert not pair.tell()
    assert not pair.holds(ANN)


def test_a_gateway_that_says_farewell_holds_nobody() -> None:
    pair = Pair()
    pair.holdings.add(ANN)
    pair.tell(whole=True)
    assert not pair.roster.hear(pair.holdings.farewell(), 0)
    assert not pair.holds(ANN)


def test_a_silent_gateway_is_forgotten() -> None:
    pair = Pair()
    pair.holdings.add(ANN)
    pair.tell(whole=True)
    pair.roster.forget_silent(15)
    assert pair.holds(ANN)
    pair.roster.forget_silent(15.1)
    assert not pair.holds(ANN)


def test_after_trouble_everything_is_in_doubt() -> None:
    pair = Pair()
    pair.tell(whole=True)
    pair.roster.doubt()
    assert pair.holds(ANN)
    assert pair.tell()
