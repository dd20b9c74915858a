"""What an engine is: where packs of units are done.

An engine only carries work out; which unit is next is the scheduler's business. Every unit goes
from disk to disk under a lock and picks up where it was stopped, so an engine may do one again
whenever a worker dies.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from semloss.collect.units import Job, Unit
from semloss.collect.work import Result
from semloss.errors import SemlossError

#: Times a unit is started again after its worker died, before the run gives up.
WORKER_DEATHS = 3


class WorkerDied(Exception):  # noqa: N818 - an outcome that the scheduler retries
    """The worker process ended without an answer."""


class Engine(Protocol):
    """Carries packs out, up to `jobs` at a time."""

    jobs: int

    def take(self, ready: Sequence[Unit]) -> Sequence[Unit]:
        """Choose, from units that are ready in order of priority, what one worker does next."""
        ...

    def submit(self, pack: Sequence[Job]) -> Any:  # noqa: ANN401 - a handle only the engine understands
        """Start a pack."""
        ...

    def wait_any(self, handles: list[Any], timeout_s: float) -> list[Any]:
        """Wait until at least one is finished or the time is up; return the finished ones."""
        ...

    def result(self, handle: Any) -> list[Result]:  # noqa: ANN401
        """Result of each unit of a finished pack; raises what one raised, or `WorkerDied`."""
        ...

    def close(self) -> None:
        """Stop everything that still runs."""
        ...


@dataclass(frozen=True)
class Workers:
    """What the command line asks of an engine.

    Attributes
    ----------
    jobs
        Units at a time: on a CPU each in a worker of its own, on a GPU together in one.
    threads
        Threads of one worker.
    device
        "cpu" or "cuda".
    """

    jobs: int
    threads: int
    device: str

    @property
    def together(self) -> int:
        """Units that one worker does at a time."""
        return self.jobs if self.device == "cuda" else 1


ENGINES: dict[str, Callable[[Workers], Engine]] = {}
"""What makes each engine, by the name that `--engine` takes."""


def engine_named(name: str) -> Callable[[Workers], Engine]:
    """What makes the engine that `--engine` names.

    Raises
    ------
    SemlossError
        When there is none of that name.
    """
    if name not in ENGINES:
        raise SemlossError(f"--engine {name}: no such engine; there are {', '.join(ENGINES)}")
    return ENGINES[name]


def pack_of(ready: Sequence[Unit], together: int, workers: int = 1) -> Sequence[Unit]:
    """What a worker takes that does some units together: the first, and those like it.

    They are of its stage and batch size, those first whose trainings are about as long. Where
    there are several workers, it leaves the others their share.
    """
    first = ready[0]
    alike = [one for one in ready if (one.stage, _batch(one)) == (first.stage, _batch(first))]
    alike.sort(key=lambda one: abs(_steps(one) - _steps(first)))
    return alike[: min(together, math.ceil(len(alike) / workers))]


def _batch(unit: Unit) -> int:
    return unit.lesson.recipe.batch_size if unit.lesson else 0


def _steps(unit: Unit) -> int:
    return unit.lesson.recipe.steps if unit.lesson else 0
