"""How long units take: measured on this machine before the work, corrected as it goes."""

import time
from collections.abc import Callable
from dataclasses import replace

from torch import nn

from semloss.collect.stages import STAGES, Rates
from semloss.collect.stages.bench import Bench
from semloss.collect.stages.codec import CodecLoss
from semloss.collect.stages.measured import tests_db
from semloss.collect.stages.receiver import adapted_loss
from semloss.collect.stages.reception import BATCH, Listeners, TestSet, measure, readable
from semloss.collect.stages.task_model import clean_loss
from semloss.collect.units import Job, Lesson, Unit
from semloss.collect.work import prepare_process
from semloss.training import BatchLoss, Companion, Recipe, train

#: Steps timed for one figure, after one that warms up.
TIMED_STEPS = 3

#: Seconds of one image's step beyond which no full batch is timed: the estimate is then "at least".
LONGEST_S = 2.0


class Estimate:
    """Seconds per unit, and from them the time that remains.

    Parameters
    ----------
    seconds
        By unit identifier.
    jobs
        Units done at a time.
    at_least
        Whether steps were too long to be timed in full, so that it takes at least so long.
    """

    def __init__(self, seconds: dict[str, float], jobs: int, at_least: bool = False) -> None:
        self.at_least = at_least
        self._seconds = seconds
        self._jobs = jobs
        self._asked: dict[str, float] = {}  # by stage: estimated seconds of the finished units
        self._took: dict[str, float] = {}  # by stage: what they really took
        self._running: dict[str, tuple[Unit, float]] = {}

    def started(self, unit: Unit) -> None:
        """Note that a unit is being worked on."""
        self._running[unit.id] = (unit, time.monotonic())

    def at_work(self) -> str:
        """The units that are being worked on, as text."""
        return ", ".join(unit.title for unit, _ in self._running.values())

    def stopped(self, unit: Unit) -> None:
        """Note that a unit is no longer being worked on, finished or not."""
        self._running.pop(unit.id, None)

    def finished(self, unit: Unit, seconds: float) -> None:
        """Learn from a unit how far its stage is from the estimate."""
        self.stopped(unit)
        if seconds < 0.1 * self._seconds[unit.id]:
            return  # most of it was on disk already: that says nothing of the others
        self._asked[unit.stage] = self._asked.get(unit.stage, 0.0) + self._seconds[unit.id]
        self._took[unit.stage] = self._took.get(unit.stage, 0.0) + seconds

    def of(self, unit: Unit) -> float:
        """Seconds of one unit, by what its stage has taken so far."""
        asked, took = self._asked.get(unit.stage, 0.0), self._took.get(unit.stage, 0.0)
        if asked:
            correction = took / asked
        else:  # no unit of this stage yet: the machine's load shows in the others
            correction = (
                sum(self._took.values()) / sum(self._asked.values())
                if any(self._asked.values())
                else 1
            )
        return self._seconds[unit.id] * correction

    def remaining(self, units: list[Unit]) -> float:
        """Seconds until these units are done: shared work, or the longest chain if that is more."""
        now = time.monotonic()
        left = {}
        for unit in units:
            spent = now - self._running[unit.id][1] if unit.id in self._running else 0.0
            left[unit.id] = max(0.0, self.of(unit) - spent)
        ends: dict[str, float] = {}
        for unit in units:
            ends[unit.id] = left[unit.id] + max(
                (ends.get(need, 0.0) for need in unit.needs.values()), default=0.0
            )
        return max([sum(left.values()) / self._jobs, *ends.values()], default=0.0)


def estimate(units: list[Unit], job_for: Callable[[Unit], Job], jobs: int) -> Estimate:
    """Time a few real steps of each kind of work and scale them up.

    Every network is timed once at the grid's middle CR; that of other CRs differs little.
    """
    cells = [unit for unit in units if unit.stage == "measured"]
    if not cells:
        return Estimate({}, jobs)
    trained = [u for u in cells if u.scheme and u.scheme.codec.training != "none"] or cells
    rates, at_least = _rates(job_for(trained[len(trained) // 2]))
    seconds = {unit.id: STAGES[unit.stage].cost(unit, rates) for unit in units}
    return Estimate(seconds, jobs, at_least)


def _rates(job: Job) -> tuple[Rates, bool]:
    """Time the work of one cell on this machine; and whether it takes at least so long."""
    prepare_process(job.experiment.compute.threads)
    bench, cell = Bench(job), job.unit
    assert cell.scheme is not None
    assert cell.snr_db is not None
    training, recipes = job.experiment.train, job.experiment.task_training
    items, own = len(bench.split.train), (cell.snr_db, cell.snr_db)
    long: list[float] = []

    def image_s(
        network: nn.Module, loss: BatchLoss, recipe: Recipe, companion: Companion | None = None
    ) -> float:
        batch = min(recipe.batch_size, items)
        for steps, size in ((1, 2), (1, batch), (TIMED_STEPS, batch)):
            started = time.perf_counter()
            # a rate of nothing: what is timed here must not diverge
            short = {"steps": steps, "lr": 1e-12, "batch_size": size}
            timed = recipe.model_copy(update=short)
            train(network, loss, items, timed, "time", companion=companion)
            seconds = (time.perf_counter() - started) / steps
            if size == 2 and seconds > LONGEST_S:  # a full batch takes no less
                long.append(seconds)
                break
        return seconds / batch

    scheme = cell.scheme
    codec = bench.new_codec(scheme, 0)
    chain, codec_s, clean_s, adapted_s = bench.chain(scheme, codec), 0.0, 0.0, 0.0
    if scheme.codec.training != "none":
        # a task model that is not trained yet takes as long as one that is
        tasks = {bench.task.label: bench.new_task(0).eval().requires_grad_(False)}
        judge = scheme.objective.build(bench.shape[0], tasks, 0).to(bench.device)
        unit = replace(cell, lesson=Lesson(training.base, own))
        loss = CodecLoss(bench, unit, codec, judge)
        codec_s = image_s(codec, loss, training.base, loss.companion())
    networks: dict[str, nn.Module] = {}
    if bench.task.reads == scheme.codec.delivers:
        task = bench.new_task(0)
        clean_s = image_s(task, clean_loss(bench, task), recipes.clean)
        adapted_s = image_s(task, adapted_loss(bench, task, chain, own), recipes.matched)
        networks = {"clean": task, "matched": task}
    some = bench.split.test[: 1 if long else BATCH]
    truth = bench.truth[some].numpy()
    listeners = Listeners(bench.task, networks, truth, truth)
    metrics = readable(job.experiment.metrics.make(), bench.images, scheme.codec.delivers)
    sent = TestSet(bench.images, some, bench.device)
    started = time.perf_counter()
    measure(chain, sent, cell.snr_db, metrics, listeners, "time")
    measured_s = (time.perf_counter() - started) / len(some) * len(tests_db(job.experiment, cell))
    rates = Rates(codec_s, clean_s, adapted_s, measured_s, items, len(bench.split.test))
    return rates, bool(long)


def as_duration(seconds: float) -> str:
    """Seconds as people say them: "45 s", "7 min 30 s", "2 h 10 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
