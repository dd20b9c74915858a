"""`collect`: an experiment in, a run folder with tables out."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from semloss.collect.engines import make_engine
from semloss.collect.estimate import Estimate, as_duration, estimate
from semloss.collect.experiment import Experiment
from semloss.collect.grid import Unit, plan
from semloss.collect.run import Run
from semloss.collect.scheduler import run_units
from semloss.collect.work import Result
from semloss.collect.workshop import Job
from semloss.errors import SemlossError
from semloss.sources import ImageSet, Split, open_cached, stratified_split
from semloss.storage import cache_dir, write_atomically
from semloss.tables import write_tables
from semloss.training import native_bf16

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
    device: str
    bf16: bool
    run: Run

    def job(self, unit: Unit) -> Job:
        """The job of one unit."""
        images = self.images.images
        assert isinstance(images, np.memmap)
        return Job(
            unit=unit,
            units={one.name: one for one in self.units},
            run=self.run.path,
            images=Path(str(images.filename)).parent,
            experiment=self.experiment,
            split=self.split,
            device=self.device,
            bf16=self.bf16,
        )

    def unfinished(self) -> list[Unit]:
        """Units with work left: cells not measured, and what those need.

        What no unfinished cell needs is left out.
        """
        cells = [u for u in self.units if u.kind == "cell" and not self._finished(u)]
        names = {u.name for u in cells} | {need for u in cells for need in u.needs.values()}
        return [u for u in self.units if u.name in names and not self._finished(u)]

    def _finished(self, unit: Unit) -> bool:
        stages = {"task": "task", "receiver": "receiver", "cell": "measured"}
        record = self.run.folder(unit).read(stages.get(unit.kind, "codec"))
        if record is None or unit.kind != "cell":
            return record is not None
        grid, metrics = self.experiment.grid, self.experiment.metrics
        wanted = set(grid.snr_db) if grid.mismatch else {unit.snr_db}
        asked = record["asked"]
        same = {k: v for k, v in asked.items() if k != "snr_db"} == metrics.model_dump(mode="json")
        return same and wanted <= set(asked["snr_db"])


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
    data = {"images": images.content_hash, "split": split.content_hash}
    units = plan(experiment, (bands, height, width), data, bf16)
    run = Run(out or Path("runs") / experiment.name)
    return Plan(experiment, images, split, units, resolved, bf16, run)


def resolve_device(device: str) -> str:
    """Turn "auto" into "cuda" where there is one, else "cpu"."""
    if device == "cuda" and not torch.cuda.is_available():
        raise SemlossError("--device cuda: no CUDA device here; use --device cpu or auto")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


def default_jobs(plan: Plan) -> int:
    """Workers that the processors of this machine hold; one for a GPU."""
    if plan.device == "cuda":
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (cores or 1) // plan.experiment.compute.threads)


def time_needed(plan: Plan, jobs: int) -> tuple[Estimate, float]:
    """Estimate of the units, and seconds until all unfinished ones are done."""
    units = plan.unfinished()
    if not units:
        return Estimate({}, jobs), 0.0
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
    plan.run.open(plan.experiment, plan.images, plan.split)
    units = plan.unfinished()
    cells = [unit for unit in plan.units if unit.kind == "cell"]
    left = sum(unit.kind == "cell" for unit in units)
    plan.run.log(f"collect: {len(cells)} cells, {left} to do, {engine} with {jobs} jobs")
    report(
        f"{plan.run.path}: {len(cells)} cells, {len(cells) - left} finished; {plan.device}, "
        f"{'bf16' if plan.bf16 else 'fp32'}, {jobs} at a time"
    )
    try:
        if units:
            _work(plan, units, engine, jobs, report)
    finally:
        summary = write_run_tables(plan)
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
            tell(f"at work on {figures.at_work()}")

    def finished(unit: Unit, result: Result) -> None:
        del todo[unit.name]
        figures.finished(unit, result.seconds)
        line = f"{unit.kind} {unit.name}: {result.summary}"
        plan.run.log(f"{line} ({result.seconds:.1f} s)")
        tell(line)

    workers = make_engine(engine, min(jobs, len(units)), plan.experiment.compute.threads,
                          plan.device)  # fmt: skip
    try:
        run_units(units, plan.job, workers, figures.started, finished, waiting_on)
    finally:
        workers.close()
    report(f"done in {as_duration(time.monotonic() - started)}")


def write_run_tables(plan: Plan) -> dict[str, Any]:
    """Write the tables of all finished cells in the run, and its README; return the summary."""
    records = plan.run.cell_records()
    rows = []
    for record in records:
        cell = record["cell"]
        shared = ("cell", "source", "codec", "channel", "cr", "cr_nominal", "train_snr_db", "seed")
        about = {key: cell[key] for key in (*shared, "status")}
        rows += [about | row for row in record["rows"]]
    write_tables(rows, [record["cell"] for record in records], plan.run.path)
    statuses = [record["status"] for record in records]
    summary = {
        "run": str(plan.run.path),
        "cells": len([unit for unit in plan.units if unit.kind == "cell"]),
        "finished": len(records),
        "retried": statuses.count("retried"),
        "diverged": [r["cell"]["cell"] for r in records if r["status"] == "diverged"],
        "clean_accuracy": next((r["ceiling"] for r in rows if r["metric"] == "accuracy"), None),
        "tables": [str(plan.run.path / name) for name in ("metrics.parquet", "cells.parquet")],
        "not_monotone": not_monotone(rows),
    }
    write_atomically(plan.run.path / "README.md", _readme(plan, summary, rows))
    return summary


def not_monotone(rows: list[dict[str, Any]]) -> list[str]:
    """Neighbouring cells where more SNR, or more channel uses, read worse beyond doubt.

    Real surfaces rise with both; a pair that falls by more than two standard errors of its
    difference (taken as independent) speaks of training that has not converged.
    """
    groups: dict[tuple[Any, ...], dict[tuple[float, float], tuple[float, float]]] = {}
    for row in rows:
        if row["snr_db"] == row["train_snr_db"] and row["metric"] in ("psnr_db", "accuracy"):
            group = (row["codec"], row["channel"], row["seed"], row["task"], row["metric"])
            point = (row["cr"], row["snr_db"])
            groups.setdefault(group, {})[point] = (row["value"], row["se"])
    found = []
    for (*_, task, metric), points in groups.items():
        for axis in (0, 1):
            for point, (value, se) in points.items():
                further = [p for p in points if p[1 - axis] == point[1 - axis] and p > point]
                if further:
                    other, other_se = points[min(further)]
                    if other < value - 2 * np.hypot(se, other_se):
                        found.append(
                            f"{metric} ({task}) falls from {value:.4g} at CR {point[0]:.4g}, "
                            f"{point[1]:g} dB to {other:.4g} at CR {min(further)[0]:.4g}, "
                            f"{min(further)[1]:g} dB"
                        )
    return found


def headline(rows: list[dict[str, Any]], metric: str, task: str) -> str:
    """One metric as a table of text: a row per CR, a column per SNR; replicates are averaged."""
    cells: dict[tuple[float, float], list[float]] = {}
    for row in rows:
        own = row["snr_db"] == row["train_snr_db"]
        if own and row["metric"] == metric and row["task"] == task:
            cells.setdefault((row["cr"], row["snr_db"]), []).append(row["value"])
    if not cells:
        return ""
    snrs = sorted({snr for _, snr in cells})
    digits = 2 if metric.endswith("_db") else 3
    lines = ["| CR | " + " | ".join(f"{snr:g} dB" for snr in snrs) + " |"]
    lines.append("|" + "---|" * (len(snrs) + 1))
    for cr in sorted({cr for cr, _ in cells}):
        values = [cells.get((cr, snr)) for snr in snrs]
        texts = ["" if v is None else f"{np.mean(v):.{digits}f}" for v in values]
        lines.append(f"| 1/{1 / cr:.4g} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def _readme(plan: Plan, summary: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """The run, told to whoever opens its folder."""
    several = {(row["codec"], row["channel"]) for row in rows}
    parts = [
        f"# Run of `{plan.experiment.name}`",
        plan.experiment.description,
        f"{summary['finished']} of {summary['cells']} cells are measured on "
        f"{len(plan.split.test)} test images of `{plan.images.name}`. CR = k/n, complex channel "
        "uses per source sample; SNR = Es/N0 in dB per complex symbol.",
    ]
    if summary["diverged"]:
        parts.append("Diverged, not in the tables: " + ", ".join(summary["diverged"]))
    for codec, channel in sorted(several):
        own = [row for row in rows if (row["codec"], row["channel"]) == (codec, channel)]
        for metric, task, title in (
            ("psnr_db", "none", "Mean per-image PSNR in dB"),
            ("accuracy", "clean", "Accuracy of the task model trained on clean images"),
            ("accuracy", "matched", "Accuracy of the task model fine-tuned on receptions"),
        ):
            text = headline(own, metric, task)
            if text:
                parts += [f"## {title} ({codec}, {channel})", text]
    parts.append(
        "## Files\n\n"
        "- `metrics.parquet`, `metrics.csv`: one row per cell, test SNR, task and metric\n"
        "- `cells.parquet`, `cells.csv`: one row per trained cell: CR, steps, CPU time, status\n"
        "- `experiment.toml`: the experiment with every default; `semloss collect` on it "
        "goes on with this run\n"
        "- `environment.json`: versions and machine; `source.json`, `split.json`: the images\n"
        "- `tasks`, `trunks`, `bases`, `receivers`, `cells`: weights (safetensors) and "
        "record of each unit\n"
        "- `log.txt`: what happened when"
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def say(line: str) -> None:
    """Progress to stderr."""
    print(line, file=sys.stderr, flush=True)
