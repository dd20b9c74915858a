"""Which unit is next, and what to do when one fails, is held by another, or loses its worker."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from semloss.collect.engines import WORKER_DEATHS, Engine, WorkerDied
from semloss.collect.units import Job, Unit
from semloss.collect.work import Result
from semloss.errors import SemlossError
from semloss.interruption import look

#: Seconds between two looks at a unit that another collect holds.
BUSY_PAUSE_S = 2.0

#: Times a unit is done anew because its weights were damaged, before the run gives up.
MENDS = 3


class Progress(Protocol):
    """Who is told how the work goes."""

    def started(self, unit: Unit) -> None:
        """A unit is handed to the engine."""
        ...

    def finished(self, unit: Unit, result: Result) -> None:
        """A unit is done."""
        ...

    def postponed(self, unit: Unit, reason: str) -> None:
        """A unit goes back to the queue."""
        ...

    def waiting(self) -> None:
        """Now and then between two finished units."""
        ...


class Scheduler:
    """The units of a run on their way through an engine.

    Parameters
    ----------
    units
        What is to be done, in order of priority.
    everything
        All units of the run by identifier: one whose results prove to be damaged is done again.
    job_for
        Makes the job of a unit.
    engine
        Where packs are done.
    progress
        Who is told.
    """

    def __init__(
        self,
        units: Sequence[Unit],
        everything: Mapping[str, Unit],
        job_for: Callable[[Unit], Job],
        engine: Engine,
        progress: Progress,
    ) -> None:
        self._waiting = list(units)
        self._unfinished = {unit.id for unit in units}
        self._everything = everything
        self._job_for = job_for
        self._engine = engine
        self._progress = progress
        self._not_before: dict[str, float] = {}
        self._deaths: dict[str, int] = {}
        self._mended: dict[str, int] = {}

    def run(self) -> None:
        """Do all units, each after those it needs, keeping the engine full.

        Raises
        ------
        SemlossError
            What a unit could not go on with (a full disk, a broken source), or that its worker
            died again and again. Other units in flight are stopped; their work so far is on disk.
        """
        in_flight: list[tuple[Any, Sequence[Unit]]] = []
        while self._waiting or in_flight:
            look()
            while len(in_flight) < self._engine.jobs and (pack := self._next_pack()):
                for unit in pack:
                    self._waiting.remove(unit)
                    self._progress.started(unit)
                in_flight.append((self._engine.submit([self._job_for(u) for u in pack]), pack))
            self._progress.waiting()
            if not in_flight:  # everything that is ready is held by another collect
                time.sleep(0.2)
                continue
            done = self._engine.wait_any([handle for handle, _ in in_flight], timeout_s=1.0)
            ended = [pair for pair in in_flight if any(pair[0] is one for one in done)]
            in_flight = [pair for pair in in_flight if not any(pair is one for one in ended)]
            for handle, pack in ended:
                try:
                    results = self._engine.result(handle)
                except WorkerDied as death:
                    self._again(pack, death)
                else:
                    for unit, result in zip(pack, results, strict=True):
                        self._take_in(unit, result)

    def _next_pack(self) -> Sequence[Unit]:
        now = time.monotonic()
        ready = [
            unit
            for unit in self._waiting
            if self._unfinished.isdisjoint(unit.needs.values())
            and self._not_before.get(unit.id, 0.0) <= now
        ]
        return self._engine.take(ready) if ready else ()

    def _take_in(self, unit: Unit, result: Result) -> None:
        if not result.postponed:
            self._unfinished.discard(unit.id)
            self._progress.finished(unit, result)
            return
        self._progress.postponed(unit, result.summary)
        self._waiting.append(unit)
        if result.damaged is None:
            self._not_before[unit.id] = time.monotonic() + BUSY_PAUSE_S
        elif result.damaged not in self._unfinished:
            times = self._mended[result.damaged] = self._mended.get(result.damaged, 0) + 1
            if times > MENDS:
                raise SemlossError(
                    f"{result.damaged}: its weights are damaged however often it is trained; look "
                    "at the disk, or at what its network saves and loads"
                )
            self._unfinished.add(result.damaged)
            self._waiting.insert(0, self._everything[result.damaged])

    def _again(self, pack: Sequence[Unit], death: WorkerDied) -> None:
        """Put the units of a dead worker back, unless it has died too often."""
        for unit in pack:
            deaths = self._deaths[unit.id] = self._deaths.get(unit.id, 0) + 1
            if deaths > WORKER_DEATHS:
                raise SemlossError(
                    f"{unit.name}: {death} {deaths} times (out of memory?); "
                    "try fewer --jobs, then run the same command to go on"
                ) from None
            self._progress.postponed(unit, str(death))
            self._waiting.insert(0, unit)
