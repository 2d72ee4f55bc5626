"""The command ``tocsin`` with shorter times, which can be told to make mistakes (``mistakes.py``); for the test bed only."""

from tests.cluster import mistakes
from tocsin.adapters.nats import connection
from tocsin.cli import main
from tocsin.process import worker

# As outages are here: what takes minutes in production takes seconds.
LEASE_S = 1.5
RETRY_S = 0.2


def scale() -> None:
    """Shorten what is no setting."""
    for module, name, seconds in (
        (worker, "LEASE_S", LEASE_S),
        (connection, "_RETRY_S", RETRY_S),
    ):
        assert isinstance(getattr(module, name), int | float), "what this program scales has moved"
        vars(module)[name] = seconds


if __name__ == "__main__":
    scale()
    mistakes.make_possible()
    main()
