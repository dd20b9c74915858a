"""How long units take: measured on this machine before the work, corrected as it goes."""

import time
from collections.abc import Callable

from torch import nn

from semloss.collect.experiment import Experiment
from semloss.collect.grid import Unit
from semloss.collect.losses import Job, Workshop
from semloss.collect.measuring import measure_cell
from semloss.collect.work import prepare_process
from semloss.training.loop import BatchLoss, Recipe, train

#: Steps timed for one figure, after one that warms up.
TIMED_STEPS = 3


class Estimate:
    """Seconds per unit, and from them the time that remains.

    Parameters
    ----------
    seconds
        By unit name.
    jobs
        Units done at a time.
    """

    def __init__(self, seconds: dict[str, float], jobs: int) -> None:
        self._seconds = seconds
        self._jobs = jobs
        self._asked: dict[str, float] = {}  # by kind: estimated seconds of the finished units
        self._took: dict[str, float] = {}  # by kind: what they really took
        self._running: dict[str, tuple[Unit, float]] = {}

    def started(self, unit: Unit) -> None:
        """Note that a unit is being worked on."""
        self._running[unit.name] = (unit, time.monotonic())

    def at_work(self) -> str:
        """The units that are being worked on, as text."""
        return ", ".join(f"{unit.kind} {unit.name}" for unit, _ in self._running.values())

    def stopped(self, unit: Unit) -> None:
        """Note that a unit is no longer being worked on, finished or not."""
        self._running.pop(unit.name, None)

    def finished(self, unit: Unit, seconds: float) -> None:
        """Learn from a unit how far its kind is from the estimate."""
        self.stopped(unit)
        if seconds < 0.1 * self._seconds[unit.name]:
            return  # most of it was on disk already: that says nothing of the others
        self._asked[unit.kind] = self._asked.get(unit.kind, 0.0) + self._seconds[unit.name]
        self._took[unit.kind] = self._took.get(unit.kind, 0.0) + seconds

    def of(self, unit: Unit) -> float:
        """Seconds of one unit, by what its kind has taken so far."""
        asked, took = self._asked.get(unit.kind, 0.0), self._took.get(unit.kind, 0.0)
        if asked:
            correction = took / asked
        else:  # no unit of this kind yet: the machine's load shows in the others
            correction = (
                sum(self._took.values()) / sum(self._asked.values())
                if any(self._asked.values())
                else 1
            )
        return self._seconds[unit.name] * correction

    def remaining(self, units: list[Unit]) -> float:
        """Seconds until these units are done: shared work, or the longest chain if that is more."""
        now = time.monotonic()
        left = {}
        for unit in units:
            spent = now - self._running[unit.name][1] if unit.name in self._running else 0.0
            left[unit.name] = max(0.0, self.of(unit) - spent)
        ends: dict[str, float] = {}
        for unit in units:
            ends[unit.name] = left[unit.name] + max(
                (ends.get(need, 0.0) for need in unit.needs.values()), default=0.0
            )
        return max([sum(left.values()) / self._jobs, *ends.values()], default=0.0)


def estimate(
    experiment: Experiment, units: list[Unit], job_for: Callable[[Unit], Job], jobs: int
) -> Estimate:
    """Time a few real steps of each kind of work and scale them up.

    Every network is timed once at the grid's middle CR; that of other CRs differs little.
    """
    cells = [unit for unit in units if unit.kind == "cell"]
    if not cells:
        return Estimate({}, jobs)
    cell = cells[len(cells) // 2]
    assert cell.link is not None
    assert cell.snr_db is not None
    prepare_process(experiment.compute.threads)
    shop = Workshop(job_for(cell))
    codec, task = shop.new_codec(cell.link, 0), shop.new_task(0)
    snr = (cell.snr_db, cell.snr_db)
    training, recipes = experiment.train, experiment.task_training

    def image_s(network: nn.Module, loss: BatchLoss, recipe: Recipe) -> float:
        size = min(recipe.batch_size, len(shop.split.train))
        times = []
        for steps in (1, TIMED_STEPS):
            started = time.perf_counter()
            # a rate of nothing: what is timed here must not diverge
            timed = recipe.model_copy(update={"steps": steps, "lr": 1e-12})
            train(network, loss, len(shop.split.train), timed, "time")
            times.append(time.perf_counter() - started)
        return times[1] / TIMED_STEPS / size

    codec_s = image_s(codec, shop.codec_loss(codec, cell.link, snr), training.base)
    clean_s = image_s(task, shop.task_loss(task), recipes.clean)
    delivered = shop.task_loss(task, (codec, cell.link, snr))
    matched_s = image_s(task, delivered, recipes.matched)
    timed = shop.split.test[:64]
    started = time.perf_counter()
    measure_cell(
        codec,
        cell.link.channel,
        {"clean": task, "matched": task},
        shop.images,
        timed,
        [cell.snr_db],
        experiment.metrics.make(),
        shop.images.labels[timed],
        "time",
        shop.device,
    )
    measure_s = (time.perf_counter() - started) / len(timed)

    def cost(per_image_s: float, recipe: Recipe) -> float:
        return per_image_s * recipe.steps * min(recipe.batch_size, len(shop.split.train))

    tests = len(experiment.grid.snr_db) if experiment.grid.mismatch else 1
    measuring = measure_s * len(shop.split.test) * tests
    shared = {
        "task": cost(clean_s, recipes.clean),
        "trunk": cost(codec_s, training.trunk),
        "receiver": cost(matched_s, recipes.adapted),
    }
    seconds = {}
    for unit in units:
        if unit.kind == "base":
            assert unit.link is not None
            seconds[unit.name] = cost(codec_s, training.base_recipe(unit.link.realisation.cr))
        elif unit.snr_db is None:
            seconds[unit.name] = shared[unit.kind]
        else:
            sending = cost(codec_s, training.cell_recipe(unit.snr_db))
            receiving = cost(matched_s, recipes.matched_recipe(training, unit.snr_db))
            seconds[unit.name] = sending + receiving + measuring
    return Estimate(seconds, jobs)


def as_duration(seconds: float) -> str:
    """Seconds as people say them: "45 s", "7 min 30 s", "2 h 10 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
