"""`collect`: an experiment in, a run folder with tables out."""

import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from joblib import cpu_count

from semloss.collect.engines import Workers, engine_named
from semloss.collect.engines.processes import refuse_in_worker
from semloss.collect.estimate import Estimate, as_duration, estimate
from semloss.collect.experiment import Experiment
from semloss.collect.run import Run, environment, source_record, split_record
from semloss.collect.schedule import PROCEDURE, units_of
from semloss.collect.scheduler import Scheduler
from semloss.collect.scheme import run_on_board
from semloss.collect.stages import STAGES
from semloss.collect.stages.task_model import shared_folder
from semloss.collect.summary import shown, write_run_tables
from semloss.collect.units import Job, Unit
from semloss.collect.work import Result
from semloss.errors import SemlossError
from semloss.interruption import looked_at
from semloss.sources import ImageSet, Split, contact_sheet, open_cached, stratified_split
from semloss.storage import cache_dir
from semloss.training import native_bf16

#: Longest silence on stderr while long units run, in seconds.
HEARTBEAT_S = 30.0

#: Units that a GPU does together unless --jobs says otherwise; more gain little (one H100: 48,000
#: images a second with 11, 60,000 with 24), and a pack that memory does not hold is halved.
GPU_JOBS = 24

Report = Callable[[str], None]


@dataclass(frozen=True)
class Schedule:
    """An experiment on its images: everything known before the first training."""

    experiment: Experiment
    images: ImageSet
    split: Split
    units: list[Unit]
    identity: dict[str, Any]
    run: Run
    code: str

    @cached_property
    def by_id(self) -> dict[str, Unit]:
        """All units by identifier."""
        return {unit.id: unit for unit in self.units}

    @property
    def cells(self) -> list[Unit]:
        """The units that measure, one for each cell."""
        return [unit for unit in self.units if unit.stage == "measured"]

    def job(self, unit: Unit) -> Job:
        """The job of one unit."""
        images = self.images.images
        assert isinstance(images, np.memmap)
        return Job(
            unit=unit,
            needs={role: self.by_id[need] for role, need in unit.needs.items()},
            run=self.run.path,
            cache=cache_dir().resolve(),
            images=Path(str(images.filename)).parent,
            experiment=self.experiment,
            split=self.split,
            device=self.identity["device"],
            bf16=self.identity["bf16"],
            code=self.code,
        )

    def unfinished(self) -> list[Unit]:
        """Units with work left: cells not measured, and what those need.

        What no unfinished cell needs is left out.
        """
        wanted = [unit.id for unit in self.cells if not self._finished(unit)]
        left: set[str] = set()
        while wanted:
            unit = self.by_id[wanted.pop()]
            if unit.id not in left and not self._finished(unit):
                left.add(unit.id)
                wanted += unit.needs.values()
        return [unit for unit in self.units if unit.id in left]

    def _finished(self, unit: Unit) -> bool:
        folder = self.run.folder(unit)
        return STAGES[unit.stage].finished(unit, folder, self.experiment)

    def cached(self, unit: Unit) -> bool:
        """Whether a unit costs nothing: finished here, or a task model that another run trained."""
        shared = unit.kind == "task" and shared_folder(self.job(unit), unit).read(unit.stage)
        return bool(shared) or self._finished(unit)


def prepare(experiment: Experiment, out: Path | None, device: str, report: Report) -> Schedule:
    """Read the images, split them and lay out the grid; nothing is written to the run yet.

    Raises
    ------
    SemlossError
        When the source cannot be read, a class is too small, a CR cannot be realised, LPIPS
        weights are no good, or cuda is asked for and absent.
    """
    refuse_in_worker()
    resolved = resolve_device(device)
    bf16 = experiment.train.precision == "bf16" or (
        experiment.train.precision == "auto" and native_bf16(torch.device(resolved))
    )
    # the run's snapshot is read from other folders too
    experiment = replace(experiment, source=experiment.source.rooted())
    images = open_cached(experiment.source, cache_dir(), report)
    split = stratified_split(images, **experiment.split.model_dump())
    height, width, bands = images.images.shape[1:]
    for metric in experiment.metrics.make():
        reason = metric.unavailable(bands, height, width)
        # ms_ssim_3 is asked for beside ms_ssim to stand in for it on small images
        stands_in = metric.name == "ms_ssim" and "ms_ssim_3" in experiment.metrics.names
        if reason is not None and not stands_in:
            report(f"{metric.name} is left out: {reason}")
    for entry in experiment.tasks:
        entry.task.check(images)
    for objective in experiment.objectives:
        entries = experiment.tasks_of(objective)
        models = {e.label: e.task.build(bands, len(images.classes), 0).eval().requires_grad_(False)
                  for e in entries}  # fmt: skip
        objective.build(bands, models, 0)  # what it does not find there it says before any work
    for codec in experiment.codecs:
        on_board = run_on_board(experiment, codec)
        if on_board is not None:  # a layer that is not there, likewise
            model = on_board.task.build(bands, len(images.classes), 0)
            codec.listening(model, (bands, height, width))
        deaf = [one.name for one in experiment.metrics.make() if one.reads != codec.delivers]
        deaf += [
            f"task {entry.label}"
            for entry in experiment.tasks
            if entry.task.reads not in (None, codec.delivers) and entry is not on_board
        ]
        if deaf:
            names = ", ".join(deaf)
            report(f"{codec.label} delivers {codec.delivers}: left out with it is {names}")
    identity = {
        "images": images.content_hash,
        "split": split.content_hash,
        "device": resolved,
        "bf16": bf16,
        "procedure": PROCEDURE,
    }
    if any(entry.task.reads_maps for entry in experiment.tasks):
        identity["maps"] = images.maps_hash()
    units = units_of(experiment, (bands, height, width), identity)
    run = Run((out or Path("runs") / experiment.name).resolve())
    code = environment()["code_digest"]
    return Schedule(experiment, images, split, units, identity, run, code)


def resolve_device(device: str) -> str:
    """Turn "auto" into "cuda" where there is one, else "cpu".

    Raises
    ------
    SemlossError
        When cuda is asked for and absent.
    """
    with warnings.catch_warnings():  # of a driver that is missing or too old: said below
        warnings.simplefilter("ignore")
        there = torch.cuda.is_available()
    if device == "cuda" and not there:
        built = torch.version.cuda or torch.version.hip
        reason = "finds no GPU with a working driver" if built else "is built for the CPU alone"
        raise SemlossError(f"--device cuda: this PyTorch {reason}; use --device cpu or auto")
    if device == "auto":
        return "cuda" if there else "cpu"
    return device


def default_jobs(schedule: Schedule) -> int:
    """Workers that the processors given to this process hold; on a GPU, units of a pack."""
    if schedule.identity["device"] == "cuda":
        return GPU_JOBS
    return max(1, int(cpu_count()) // schedule.experiment.compute.threads)


def time_needed(schedule: Schedule, jobs: int) -> tuple[Estimate, float]:
    """Estimate of the units, and seconds from now until all unfinished ones are done."""
    units = [unit for unit in schedule.unfinished() if not schedule.cached(unit)]
    if not units:
        return Estimate({unit.id: 0.0 for unit in schedule.units}, jobs), 0.0
    figures = estimate(schedule.units, units, schedule.job, jobs)
    return figures, figures.start_s + figures.remaining(units)


def collect(schedule: Schedule, engine: str, jobs: int, report: Report) -> dict[str, Any]:
    """Do the units that are left and write the tables.

    Returns
    -------
    dict
        Summary: folder, cells by status, tables, what is not monotone.

    Raises
    ------
    SemlossError
        When the run folder is another experiment's, the disk is full, or workers keep dying.
        All cells measured so far are on disk and in the tables.
    """
    units = schedule.unfinished()
    about = {"source": source_record(schedule.images), "split": split_record(schedule.split)}
    if units:  # a run that is only looked at keeps the record of what measured it
        about["environment"] = environment()
    schedule.run.open(schedule.experiment, schedule.identity, about)
    sheet = schedule.run.path / "images.png"
    if not sheet.exists():
        contact_sheet(schedule.images, sheet)
        report(f"what is sent, some of each class: {shown(sheet)}")
    cells = schedule.cells
    left = sum(unit.stage == "measured" for unit in units)
    schedule.run.log(f"collect: {len(cells)} cells, {left} to do, {engine} with {jobs} jobs")
    report(
        f"{shown(schedule.run.path)}: {len(cells)} cells, {len(cells) - left} finished; "
        f"{schedule.identity['device']}, {'bf16' if schedule.identity['bf16'] else 'fp32'}, "
        f"{jobs} at a time"
    )
    try:
        if units:
            _work(schedule, units, engine, jobs, report)
    finally:
        summary = write_run_tables(
            schedule.run, schedule.experiment, schedule.units, schedule.images, schedule.split
        )
    return summary


def _work(schedule: Schedule, units: list[Unit], engine: str, jobs: int, report: Report) -> None:
    started = time.monotonic()
    figures, seconds = time_needed(schedule, jobs)
    report(f"about {'at least ' * figures.at_least}{as_duration(seconds)} to go")
    threads, device = schedule.experiment.compute.threads, schedule.identity["device"]
    if device == "cuda" and engine == "processes":
        report(f"one worker for the GPU, {jobs} trainings together; more GPUs: --engine ray")
    workers = engine_named(engine)(Workers(min(jobs, len(units)), threads, device))
    progress = _Progress(schedule.run, units, figures, report)
    try:
        with looked_at():
            Scheduler(units, schedule.by_id, schedule.job, workers, progress).run()
    finally:
        workers.close()
    report(f"done in {as_duration(time.monotonic() - started)}")


class _Progress:
    """Tells how the work goes: each unit, the time that remains, and a sign of life."""

    def __init__(self, run: Run, units: list[Unit], figures: Estimate, report: Report) -> None:
        self._run = run
        self._left = {unit.id: unit for unit in units}
        self._total = len(units)
        self._figures = figures
        self._report = report
        self._reported = time.monotonic()
        self._told: set[str] = set()

    def started(self, unit: Unit) -> None:
        """See `Progress.started`."""
        self._left.setdefault(unit.id, unit)  # one that must be done again
        self._figures.started(unit)

    def finished(self, unit: Unit, result: Result) -> None:
        """See `Progress.finished`."""
        del self._left[unit.id]
        self._figures.finished(unit, result.seconds)
        line = f"{unit.title}: {result.summary}"
        self._run.log(f"{line} ({result.seconds:.1f} s)")
        self._tell(line)

    def postponed(self, unit: Unit, reason: str) -> None:
        """See `Progress.postponed`."""
        self._figures.stopped(unit)
        line = f"{unit.title} waits: {reason}"
        if line not in self._told:
            self._told.add(line)
            self._tell(line)

    def waiting(self) -> None:
        """See `Progress.waiting`."""
        if time.monotonic() - self._reported > HEARTBEAT_S:
            at_work = self._figures.at_work() or "nothing: other collects hold what is left"
            self._tell(f"at work on {at_work}")

    def _tell(self, line: str) -> None:
        self._reported = time.monotonic()
        done, width = self._total - len(self._left), len(str(self._total))
        eta = as_duration(self._figures.remaining(list(self._left.values())))
        self._report(f"[{done:{width}}/{self._total}] {line}; {eta} to go")


def say(line: str) -> None:
    """Progress to stderr."""
    print(line, file=sys.stderr, flush=True)
