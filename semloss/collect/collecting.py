"""`collect`: an experiment in, a run folder with tables out."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from joblib import cpu_count

from semloss.collect.engines import make_engine
from semloss.collect.estimate import Estimate, as_duration, estimate
from semloss.collect.experiment import Experiment
from semloss.collect.grid import PROCEDURE, Unit, plan
from semloss.collect.losses import Job, shared_task
from semloss.collect.run import Run, environment, source_record, split_record
from semloss.collect.scheduler import run_units
from semloss.collect.summary import shown, write_run_tables
from semloss.collect.work import Result, missing_snrs_db
from semloss.errors import SemlossError
from semloss.sources import ImageSet, Split, open_cached, stratified_split
from semloss.storage import cache_dir
from semloss.training.loop import native_bf16

#: Longest silence on stderr while long units run, in seconds.
HEARTBEAT_S = 30.0

Report = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """An experiment on its images: everything known before the first training."""

    experiment: Experiment
    images: ImageSet
    split: Split
    units: list[Unit]
    identity: dict[str, Any]
    run: Run
    code: str

    def job(self, unit: Unit) -> Job:
        """The job of one unit."""
        images = self.images.images
        assert isinstance(images, np.memmap)
        return Job(
            unit=unit,
            units={one.name: one for one in self.units},
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
        cells = [u for u in self.units if u.kind == "cell" and not self._finished(u)]
        names = {u.name for u in cells} | {need for u in cells for need in u.needs.values()}
        return [u for u in self.units if u.name in names and not self._finished(u)]

    def _finished(self, unit: Unit) -> bool:
        folder = self.run.folder(unit)
        if unit.kind == "cell":
            measured = folder.read("measured")
            missing = missing_snrs_db(self.experiment, unit, measured)
            return measured is not None and not missing
        stages = {"task": "task", "receiver": "receiver"}
        return folder.read(stages.get(unit.kind, "codec")) is not None

    def cached(self, unit: Unit) -> bool:
        """Whether a unit costs nothing: finished here, or a task model that another run trained."""
        shared = unit.kind == "task" and shared_task(self.job(unit), unit).read("task")
        return bool(shared) or self._finished(unit)


def prepare(experiment: Experiment, out: Path | None, device: str, report: Report) -> Plan:
    """Read the images, split them and lay out the grid; nothing is written to the run yet.

    Raises
    ------
    SemlossError
        When the source cannot be read, a class is too small, a CR cannot be realised, LPIPS
        weights are no good, or cuda is asked for and absent.
    """
    resolved = resolve_device(device)
    bf16 = experiment.train.precision == "bf16" or (
        experiment.train.precision == "auto" and native_bf16(torch.device(resolved))
    )
    images = open_cached(experiment.source, cache_dir(), report)
    shares = experiment.split
    split = stratified_split(
        images,
        train=shares.train,
        validation=shares.validation,
        test=shares.test,
        seed=shares.seed,
    )
    height, width, bands = images.images.shape[1:]
    for metric in experiment.metrics.make():
        reason = metric.unavailable(bands, height, width)
        # ms_ssim_3 is asked for beside ms_ssim to stand in for it on small images
        stands_in = metric.name == "ms_ssim" and "ms_ssim_3" in experiment.metrics.names
        if reason is not None and not stands_in:
            report(f"{metric.name} is left out: {reason}")
    if len(images.classes) < 2:
        raise SemlossError(
            f"source: all images are of one class, {images.classes[0]}; a task needs at least two"
        )
    identity = {
        "images": images.content_hash,
        "split": split.content_hash,
        "device": resolved,
        "bf16": bf16,
        "procedure": PROCEDURE,
    }
    units = plan(experiment, (bands, height, width), identity)
    run = Run((out or Path("runs") / experiment.name).resolve())
    code = environment()["code_digest"]
    return Plan(experiment, images, split, units, identity, run, code)


def resolve_device(device: str) -> str:
    """Turn "auto" into "cuda" where there is one, else "cpu"."""
    if device == "cuda" and not torch.cuda.is_available():
        raise SemlossError("--device cuda: no CUDA device here; use --device cpu or auto")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


def default_jobs(plan: Plan) -> int:
    """Workers that the processors given to this process hold; one for a GPU."""
    if plan.identity["device"] == "cuda":
        return 1
    return max(1, int(cpu_count()) // plan.experiment.compute.threads)


def time_needed(plan: Plan, jobs: int) -> tuple[Estimate, float]:
    """Estimate of the units, and seconds until all unfinished ones are done."""
    units = [unit for unit in plan.unfinished() if not plan.cached(unit)]
    if not units:
        return Estimate({unit.name: 0.0 for unit in plan.units}, jobs), 0.0
    figures = estimate(plan.experiment, plan.units, plan.job, jobs)
    return figures, figures.remaining(units)


def collect(plan: Plan, engine: str, jobs: int, report: Report) -> dict[str, Any]:
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
    units = plan.unfinished()
    about = {"source": source_record(plan.images), "split": split_record(plan.split)}
    if units:  # a run that is only looked at keeps the record of what measured it
        about["environment"] = environment()
    plan.run.open(plan.experiment, plan.identity, about)
    cells = [unit for unit in plan.units if unit.kind == "cell"]
    left = sum(unit.kind == "cell" for unit in units)
    plan.run.log(f"collect: {len(cells)} cells, {left} to do, {engine} with {jobs} jobs")
    report(
        f"{shown(plan.run.path)}: {len(cells)} cells, {len(cells) - left} finished; "
        f"{plan.identity['device']}, {'bf16' if plan.identity['bf16'] else 'fp32'}, "
        f"{jobs} at a time"
    )
    try:
        if units:
            _work(plan, units, engine, jobs, report)
    finally:
        summary = write_run_tables(plan.run, plan.experiment, plan.units, plan.images, plan.split)
    return summary


def _work(plan: Plan, units: list[Unit], engine: str, jobs: int, report: Report) -> None:
    started = time.monotonic()
    figures, seconds = time_needed(plan, jobs)
    report(f"about {as_duration(seconds)} to go")
    todo = {unit.name: unit for unit in units}
    total = len(units)
    reported = time.monotonic()

    def tell(line: str) -> None:
        nonlocal reported
        reported = time.monotonic()
        eta = figures.remaining(list(todo.values()))
        report(f"[{total - len(todo):{len(str(total))}}/{total}] {line}; {as_duration(eta)} to go")

    def waiting_on() -> None:
        if time.monotonic() - reported > HEARTBEAT_S:
            tell(f"at work on {figures.at_work() or 'nothing: other collects hold what is left'}")

    def finished(unit: Unit, result: Result) -> None:
        del todo[unit.name]
        figures.finished(unit, result.seconds)
        line = f"{unit.kind} {unit.name}: {result.summary}"
        plan.run.log(f"{line} ({result.seconds:.1f} s)")
        tell(line)

    def postponed(unit: Unit, reason: str) -> None:
        figures.stopped(unit)
        line = f"{unit.kind} {unit.name} waits: {reason}"
        if line not in told:
            told.add(line)
            tell(line)

    told: set[str] = set()
    threads, device = plan.experiment.compute.threads, plan.identity["device"]
    workers = make_engine(engine, min(jobs, len(units)), threads, device)
    try:
        run_units(units, plan.job, workers, figures.started, finished, postponed, waiting_on)
    finally:
        workers.close()
    report(f"done in {as_duration(time.monotonic() - started)}")


def say(line: str) -> None:
    """Progress to stderr."""
    print(line, file=sys.stderr, flush=True)
