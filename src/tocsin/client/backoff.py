"""How long to wait after failures, one after the other."""

# By then every longest pause is reached; powers of many more are no float any more.
_MOST_DOUBLINGS = 32


def longest_pause_s(first_s: float, most_s: float, failures: int) -> float:
    """Return the first pause, doubled by each failure, and at most ``most_s``, however many there are."""
    return min(most_s, first_s * 2.0 ** min(failures, _MOST_DOUBLINGS))
