"""How long units take: measured on this machine before the work, corrected as it goes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from heapq import heappop, heappush

import torch
from torch import nn

from semloss.collect.scheme import Scheme, heard
from semloss.collect.stages import STAGES, Rates
from semloss.collect.stages.bench import Bench
from semloss.collect.stages.chain import Chain, images_at
from semloss.collect.stages.codec import CodecLoss
from semloss.collect.stages.measured import tests_db
from semloss.collect.stages.receiver import adapted_loss, over_range
from semloss.collect.stages.reception import BATCH, Listeners, TestSet, measure, readable
from semloss.collect.stages.task_model import clean_loss
from semloss.collect.units import Job, Lesson, Unit
from semloss.collect.work import IMPORT_S, prepare_process
from semloss.tasks import Said
from semloss.training import BatchLoss, Companion, train

#: Steps timed for one figure, after one that warms up: this share of all that are to be done,
#: and at least and at most so many.
TIMED_SHARE, LEAST_STEPS, MOST_STEPS = 0.01, 3, 20

#: Seconds of one image through a codec beyond which no training step is timed: with its way back
#: it takes at least three times as long, and the estimate is then "at least".
LONGEST_S = 0.25


#: Steps of the shorter and the longer training whose difference is timed on a GPU, where a
#: training begins with a capture.
GPU_STEPS = (25, 150)

#: A step of a pack of m on a GPU takes about 1 - this + this·m times as long as one alone (one
#: H100, batch 16: 1.2 ms alone, 1.9 of 4, 3.7 of 11, 6.4 of 24).
GPU_SHARE = 0.19


class Estimate:
    """Seconds per unit, and from them the time that remains.

    Parameters
    ----------
    seconds
        By unit identifier.
    jobs
        Units done at a time.
    at_least
        Whether steps were too long to be timed, so that it takes at least so long.
    start_s
        Seconds until a worker that is started begins its first unit.
    took_s
        Seconds that it took to find all this out.
    """

    def __init__(
        self,
        seconds: dict[str, float],
        jobs: int,
        at_least: bool = False,
        start_s: float = 0.0,
        took_s: float = 0.0,
    ) -> None:
        self.at_least = at_least
        self.start_s = start_s
        self.took_s = took_s
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
        if not asked:  # no unit of this stage yet: the machine's load shows in the others
            asked, took = sum(self._asked.values()), sum(self._took.values())
        return self._seconds[unit.id] * (took / asked if asked else 1)

    def remaining(self, units: list[Unit]) -> float:
        """Seconds until these units are done, in this order of priority: the work played through.

        A worker that waits for what the next units need is idle here as it is there.
        """
        now = time.monotonic()
        place = {unit.id: at for at, unit in enumerate(units)}
        lacking = {unit.id: set(unit.needs.values()) & place.keys() for unit in units}
        waits_for: dict[str, list[Unit]] = {}
        for unit in units:
            for need in lacking[unit.id]:
                waits_for.setdefault(need, []).append(unit)
        # what is being worked on goes on
        begun = [place[one] for one in self._running if one in place]
        ready = [place[u.id] for u in units if not lacking[u.id] and u.id not in self._running]
        ends: list[tuple[float, int]] = []
        end_s = 0.0
        while ready or begun or ends:
            while begun or (ready and len(ends) < self._jobs):
                at = begun.pop() if begun else heappop(ready)
                unit = units[at]
                spent_s = now - self._running[unit.id][1] if unit.id in self._running else 0.0
                heappush(ends, (end_s + max(0.0, self.of(unit) - spent_s), at))
            end_s, at = heappop(ends)
            for unit in waits_for.get(units[at].id, ()):
                lacking[unit.id].discard(units[at].id)
                if not lacking[unit.id]:
                    heappush(ready, place[unit.id])
        return end_s


def estimate(
    units: list[Unit], left: list[Unit], job_for: Callable[[Unit], Job], jobs: int
) -> Estimate:
    """Time a few real steps of each kind of work and scale them up.

    Every network is timed once at the grid's middle CR; that of other CRs differs little.

    Parameters
    ----------
    units
        All units of the run.
    left
        Those that are to be done.
    job_for
        Makes the job of a unit.
    jobs
        Units done at a time.
    """
    began = time.perf_counter()
    cells = [unit for unit in units if unit.stage == "measured"]
    trained = [u for u in cells if u.scheme and u.scheme.codec.training != "none"] or cells
    # task models and metrics mostly read images
    images = [u for u in trained if u.scheme and u.scheme.codec.delivers == "image"] or trained
    job = job_for(images[len(images) // 2])
    taught = {u.scheme.objective.label: u.scheme for u in units if u.stage == "codec" and u.scheme}
    prepare_process(job.experiment.compute.threads)
    start_s = IMPORT_S + time.perf_counter() - began
    clock = _Clock(job, left, taught, jobs if job.device == "cuda" else 1)
    rates = clock.rates()
    seconds = {unit.id: STAGES[unit.stage].cost(unit, rates) for unit in units}
    return Estimate(seconds, jobs, clock.too_long, start_s, time.perf_counter() - began)


class _Clock:
    """Times the work of one cell on this machine.

    `taught` are schemes by the label of their objective, each of a codec that is trained for it.
    """

    def __init__(
        self, job: Job, left: list[Unit], taught: Mapping[str, Scheme], together: int
    ) -> None:
        self._bench, self._cell, self._left = Bench(job), job.unit, left
        self._taught, self._together = taught, together
        #: Whether steps of the codec are too long to be timed.
        self.too_long = False

    def rates(self) -> Rates:
        """Seconds of one image in each kind of work."""
        bench, cell, experiment = self._bench, self._cell, self._bench.experiment
        scheme, own = cell.own_scheme, (cell.own_snr_db, cell.own_snr_db)
        chain = bench.chain(scheme, bench.new_codec(scheme, 0))
        sent_s = self._sent_s(chain, cell.own_snr_db)
        self.too_long = sent_s > LONGEST_S
        codec_s = {label: self._codec_s(one, sent_s) for label, one in self._taught.items()}
        clean_s, adapted_s = ({one.label: 0.0 for one in experiment.tasks} for _ in range(2))
        listeners, asked = [], experiment.metrics.asked(bench.images.classes)
        for entry in experiment.tasks:
            subject = bench.subjects[entry.label]
            network = subject.network()
            if entry.task.reads is not None:
                loss = clean_loss(bench, subject, network)
                clean_s[entry.label] = self._step_s("task", network, loss, task=entry.label)
            adapted_s[entry.label] = clean_s[entry.label] + sent_s
            if entry not in heard(experiment, scheme.codec):
                continue
            network = scheme.codec.listening(network, bench.shape)
            if not self.too_long:
                loss = adapted_loss(bench, subject, network, over_range(bench, chain, own))
                adapted_s[entry.label] = self._step_s("receiver", network, loss, task=entry.label)
            truth = subject.truth[bench.split.test[:BATCH]].numpy()
            networks: dict[str, nn.Module] = dict.fromkeys(entry.training.uses, network)
            listeners.append(Listeners(entry.task, networks, truth, Said(truth), asked))
        measured_s = sent_s if self.too_long else self._measured_s(chain, listeners)
        measured_s *= len(tests_db(experiment, cell))
        parts = bench.split
        return Rates(codec_s, clean_s, adapted_s, measured_s, len(parts.train), len(parts.test))

    def _codec_s(self, scheme: Scheme, sent_s: float) -> float:
        """Seconds of one image in the training for an objective: of the cell's codec, if it can."""
        bench, cell, objective = self._bench, self._cell, scheme.objective
        if self.too_long:
            return 3 * sent_s
        if scheme.codec.delivers == cell.own_scheme.codec.delivers:
            scheme = replace(cell.own_scheme, objective=objective)
        codec = bench.new_codec(scheme, 0)
        # a task model that is not trained yet takes as long as one that is
        tasks = {
            one.label: bench.subjects[one.label].network().eval().requires_grad_(False)
            for one in bench.experiment.tasks_of(objective)
        }
        judge = objective.build(bench.shape[0], tasks, 0).to(bench.device)
        lesson = Lesson(bench.experiment.train.base, (cell.own_snr_db, cell.own_snr_db))
        unit = replace(cell, scheme=scheme, lesson=lesson)
        taught = CodecLoss(bench, unit, codec, judge)
        return self._step_s("codec", codec, taught, taught.companion())

    def _sent_s(self, chain: Chain, snr_db: float) -> float:
        """Seconds that one image takes to be sent, the second time."""
        bench = self._bench
        image = images_at(bench.pixels, bench.split.test[:1], bench.device)
        generator = torch.Generator(bench.device).manual_seed(0)
        with torch.no_grad():
            for _ in range(2):
                started = time.perf_counter()
                chain.send(image, snr_db, generator)
                seconds = time.perf_counter() - started
        return seconds

    def _step_s(
        self,
        stage: str,
        network: nn.Module,
        loss: BatchLoss,
        companion: Companion | None = None,
        task: str = "",
    ) -> float:
        """Seconds of one image in the training of a stage; none where none of it is left."""
        lessons = [
            unit.lesson.recipe
            for unit in self._left
            if (unit.stage, unit.task) == (stage, task) and unit.lesson is not None
        ]
        if not lessons:
            return 0.0
        items, recipe = len(self._bench.split.train), lessons[0]
        batch = min(recipe.batch_size, items)
        all_steps = sum(one.steps for one in lessons)
        timed = round(min(max(TIMED_SHARE * all_steps, LEAST_STEPS), MOST_STEPS))
        on_gpu, took_s = self._bench.device.type == "cuda", {}
        for steps in GPU_STEPS if on_gpu else (1, timed):
            started = time.perf_counter()
            # a rate of nothing: what is timed here must not diverge
            short = recipe.model_copy(update={"steps": steps, "lr": 1e-12})
            train(network, loss, items, short, "time", None, companion, self._bench.reading)
            took_s[steps] = time.perf_counter() - started
        if not on_gpu:
            return took_s[timed] / timed / batch
        few, many = GPU_STEPS
        alone_s = max(0.0, took_s[many] - took_s[few]) / (many - few)
        return alone_s * (1 + GPU_SHARE * (min(self._together, len(lessons)) - 1)) / batch

    def _measured_s(self, chain: Chain, listeners: list[Listeners]) -> float:
        """Seconds of one image in a measurement."""
        bench, cell = self._bench, self._cell
        some = bench.split.test[:BATCH]
        metrics = bench.experiment.metrics.make()
        usable = readable(metrics, bench.images, cell.own_scheme.codec.delivers)
        sent = TestSet(bench.images, some, bench.device)
        started = time.perf_counter()
        measure(chain, sent, cell.own_snr_db, usable, listeners, "time")
        seconds = (time.perf_counter() - started) / len(some)
        return seconds * self._together  # a pack's units are measured one after another


def as_duration(seconds: float) -> str:
    """Seconds as people say them: "45 s", "7 min 30 s", "2 h 10 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
