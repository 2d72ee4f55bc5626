"""The network between clients and server: it loses, doubles, delays and thereby reorders."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.model.schedule import Schedule


@dataclass
class Faults:
    """How bad the network is: probabilities, and the longest delay in milliseconds."""

    lose: float = 0.0
    double: float = 0.0
    lose_request: float = 0.0
    refuse: float = 0.0
    delay_ms: int = 2

    @classmethod
    def drawn(cls, rng: Random) -> "Faults":
        return cls(
            lose=rng.choice([0.0, 0.0, 0.1, 0.5]),
            double=rng.choice([0.0, 0.1, 0.4]),
            lose_request=rng.choice([0.0, 0.0, 0.1, 0.4]),
            refuse=rng.choice([0.0, 0.0, 0.2]),
            delay_ms=rng.choice([1, 20, 150, 150, 500, 12_000]),
        )


class Network:
    """Carries frames one way and requests both."""

    def __init__(self, rng: Random, schedule: Schedule, faults: Faults) -> None:
        self.faults = faults
        self._rng = rng
        self._schedule = schedule

    def carry(self, arrive: Callable[[], None]) -> None:
        """Carry one frame, perhaps never, perhaps twice."""
        if self._rng.random() < self.faults.lose:
            return
        self._later(arrive)
        if self._rng.random() < self.faults.double:
            self._later(arrive)

    def ask(
        self,
        serve: Callable[[], tuple[int, bytes]],
        answered: Callable[[int, bytes], None],
        failed: Callable[[], None],
    ) -> None:
        """Carry a request and its answer; either may be lost, with or without notice."""
        fate = self._rng.random()
        if fate < self.faults.lose_request / 2:
            self._fail(failed)
        elif fate > 1 - self.faults.refuse:
            self._later(lambda: answered(503, b"{}"))
        else:
            self._later(lambda: self._serve(serve, answered, failed))
            if self._rng.random() < self.faults.double:
                self._later(serve)

    def _serve(
        self,
        serve: Callable[[], tuple[int, bytes]],
        answered: Callable[[int, bytes], None],
        failed: Callable[[], None],
    ) -> None:
        status, body = serve()
        if self._rng.random() < self.faults.lose_request:
            self._fail(failed)
        else:
            self._later(lambda: answered(status, body))

    def _fail(self, failed: Callable[[], None]) -> None:
        if self._rng.random() < 0.5:
            self._later(failed)

    def _later(self, happen: Callable[[], object]) -> None:
        self._schedule.after(self._rng.randint(0, self.faults.delay_ms), lambda: _do(happen))


def _do(happen: Callable[[], object]) -> None:
    happen()
