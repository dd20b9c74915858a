"""Which unit is next, and what to do when one fails, is held by another, or loses its worker."""

import time
from collections.abc import Callable
from typing import Any

from semloss.collect.engines import WORKER_DEATHS, Engine, WorkerDied
from semloss.collect.grid import Unit
from semloss.collect.losses import Job
from semloss.collect.run import Busy
from semloss.collect.work import Result
from semloss.errors import SemlossError

#: Seconds between two looks at a unit that another collect holds.
BUSY_PAUSE_S = 2.0


def run_units(
    units: list[Unit],
    job_for: Callable[[Unit], Job],
    engine: Engine,
    started: Callable[[Unit], None],
    finished: Callable[[Unit, Result], None],
    postponed: Callable[[Unit, str], None],
    waiting_on: Callable[[], None],
) -> None:
    """Do all units, each after those it needs, keeping the engine full.

    Parameters
    ----------
    units
        In order of priority; a need that is not among them counts as finished.
    job_for
        Makes the job of a unit.
    engine
        Where jobs are done.
    started, finished
        Called as a unit is handed to the engine, and with its result.
    postponed
        Called with the reason when a unit goes back to the queue.
    waiting_on
        Called now and then between two finished units.

    Raises
    ------
    SemlossError
        What a unit could not go on with (a full disk, a broken source), or that its worker
        died again and again. Other units in flight are stopped; their work so far is on disk.
    """
    waiting = list(units)
    unfinished = {unit.name for unit in units}
    not_before: dict[str, float] = {}
    deaths: dict[str, int] = {}
    in_flight: list[tuple[Any, Unit]] = []
    while waiting or in_flight:
        now = time.monotonic()
        for unit in list(waiting):
            if len(in_flight) >= engine.jobs:
                break
            if unfinished.isdisjoint(unit.needs.values()) and not_before.get(unit.name, 0.0) <= now:
                waiting.remove(unit)
                started(unit)
                in_flight.append((engine.submit(job_for(unit)), unit))
        waiting_on()
        if not in_flight:  # everything that is ready is held by another collect
            time.sleep(0.2)
            continue
        done = engine.wait_any([handle for handle, _ in in_flight], timeout_s=1.0)
        ended = [pair for pair in in_flight if any(pair[0] is one for one in done)]
        in_flight = [pair for pair in in_flight if not any(pair is one for one in ended)]
        for handle, unit in ended:
            try:
                result = engine.result(handle)
            except Busy:
                postponed(unit, "another collect is at work on it")
                not_before[unit.name] = time.monotonic() + BUSY_PAUSE_S
                waiting.append(unit)
            except WorkerDied as death:
                deaths[unit.name] = deaths.get(unit.name, 0) + 1
                if deaths[unit.name] > WORKER_DEATHS:
                    raise SemlossError(
                        f"{unit.name}: {death} {deaths[unit.name]} times (out of memory?); "
                        "try fewer --jobs, then run the same command to go on"
                    ) from None
                postponed(unit, str(death))
                waiting.insert(0, unit)
            else:
                unfinished.discard(unit.name)
                finished(unit, result)
