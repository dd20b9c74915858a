"""The tables of a run, its README, and a look at whether its surfaces rise."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from semloss.collect.experiment import Experiment
from semloss.collect.rate_curve import write_rate_curve
from semloss.collect.run import Run
from semloss.collect.units import Unit
from semloss.outcomes import Outcomes, beside, key_of, write_outcomes
from semloss.sources import ImageSet, Split
from semloss.storage import write_atomically
from semloss.tables import write_tables

#: Columns of the cells table that every row of the metrics table repeats.
SHARED_COLUMNS = (
    "cell", "source", "codec", "codec_label", "objective", "channel", "cr", "cr_nominal",
    "train_snr_db", "seed", "status",
)  # fmt: skip


#: Measures that tell how well a task is done, one for each kind of task.
HEADLINES = {"accuracy": "Accuracy", "miou": "Mean intersection over union"}

#: States of a task model, and what each was trained on.
RECEIVERS = {
    "clean": "trained on clean images",
    "matched": "fine-tuned on receptions",
    "deployable": "fine-tuned on the receptions of the whole grid",
}


def write_run_tables(
    run: Run, experiment: Experiment, units: list[Unit], images: ImageSet, split: Split
) -> dict[str, Any]:
    """Write the tables of all finished cells in the run, and its README; return the summary."""
    with run.locked():  # the last of two collects writes what both have measured
        records = run.cell_records(experiment.tasks[0].label)
        rows = []
        for record in records:
            about = {key: record["cell"][key] for key in SHARED_COLUMNS}
            rows += [about | row for row in record["rows"]]
        outcomes = _outcomes(rows, images, split)
        if outcomes.of:  # before the tables: none of their rows is without
            write_outcomes(outcomes, beside(run.path / "metrics.csv"))
        write_tables(rows, [record["cell"] for record in records], run.path)
        curve = write_rate_curve(run.path, records)
        measured = {record["cell"]["cell"]: record["status"] for record in records}
        cells = [unit.name for unit in units if unit.stage == "measured"]
        summary = {
            "run": shown(run.path),
            "cells": len(cells),
            "finished": sum(name in measured for name in cells),
            "in_folder": len(measured),
            "retried": [name for name, status in measured.items() if status == "retried"],
            "diverged": [name for name, status in measured.items() if status == "diverged"],
            "clean_accuracy": next((r["ceiling"] for r in rows if r["metric"] == "accuracy"), None),
            "clean_accuracies": {
                r["task"]: r["ceiling"] for r in rows if r["metric"] == "accuracy"
            },
            "tables": [shown(run.path / f"{name}.parquet") for name in ("metrics", "cells")],
            "rate_curve": None if curve is None else shown(curve),
            "without_outcomes": _without(rows, outcomes),
            "not_monotone": not_monotone(rows),
            "next": f"semloss fit {shown(run.path)}{_choice(rows)}",
        }
        write_atomically(run.path / "README.md", _readme(experiment, images, split, summary, rows))
    return summary


def _outcomes(rows: list[dict[str, Any]], images: ImageSet, split: Split) -> Outcomes:
    """Outcomes of the test images, taken out of the rows that hold them."""
    label = np.array([images.classes[at] for at in images.labels[split.test]])
    of = {key_of(row): row.pop("outcomes") for row in rows if "outcomes" in row}
    return Outcomes(np.array(images.names(split.test)), label, of)


def _without(rows: list[dict[str, Any]], outcomes: Outcomes) -> list[str]:
    """Cells that were measured, at some SNR, before outcomes of single images were kept."""
    measured = {key_of(row)[:2] for row in rows}
    return sorted({cell for cell, _ in measured - {key[:2] for key in outcomes.of}})


def shown(path: Path) -> str:
    """A path as short as it can be written from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def not_monotone(rows: list[dict[str, Any]]) -> list[str]:
    """Neighbouring cells where more SNR, or more channel uses, read worse beyond doubt.

    Real surfaces rise with both; a pair that falls by more than two standard errors of its
    difference (taken as independent) speaks of training that has not converged.
    """
    groups: dict[tuple[Any, ...], dict[tuple[float, float], tuple[float, float]]] = {}
    for row in rows:
        if _own(row) and row["metric"] in ("psnr_db", *HEADLINES):
            group = (*_link(row), row["seed"], row["task"], row["receiver"], row["metric"])
            point = (row["cr"], row["snr_db"])
            groups.setdefault(group, {})[point] = (row["value"], row["se"])
    found = []
    for (*_, receiver, metric), points in groups.items():
        for axis in (0, 1):
            for point, (value, se) in points.items():
                further = [p for p in points if p[1 - axis] == point[1 - axis] and p > point]
                if further:
                    other, other_se = points[min(further)]
                    if other < value - 2 * np.hypot(se, other_se):
                        found.append(
                            f"{metric} ({receiver}) falls from {value:.4g} at CR {point[0]:.4g}, "
                            f"{point[1]:g} dB to {other:.4g} at CR {min(further)[0]:.4g}, "
                            f"{min(further)[1]:g} dB"
                        )
    return found


def _own(row: dict[str, Any]) -> bool:
    """Whether a row was tested at the SNR that its codec was trained for."""
    return row["train_snr_db"] is None or bool(row["snr_db"] == row["train_snr_db"])


def _link(row: dict[str, Any]) -> tuple[str, ...]:
    """What was trained for what, over which channel."""
    return row["codec_label"], row["objective"], row["channel"]


def _choice(rows: list[dict[str, Any]]) -> str:
    """Options of `semloss fit` that take the main metric of a table apart into surfaces."""
    there = {row["metric"] for row in rows}
    metric = next((one for one in (*HEADLINES, "psnr_db") if one in there), "accuracy")
    several = [
        column
        for column in ("task", "codec_label", "objective", "channel")
        if len({row[column] for row in rows if row["metric"] == metric}) > 1
    ]
    text = "" if metric == "accuracy" else f" --metric {metric}"
    return text + (f" --group-by {','.join(several)}" if several else "")


def headline(rows: list[dict[str, Any]], metric: str, receiver: str) -> str:
    """One metric as a table of text: a row per CR, a column per SNR; replicates are averaged."""
    cells: dict[tuple[float, float], list[float]] = {}
    for row in rows:
        if _own(row) and row["metric"] == metric and row["receiver"] == receiver:
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


def _readme(
    experiment: Experiment,
    images: ImageSet,
    split: Split,
    summary: dict[str, Any],
    rows: list[dict[str, Any]],
) -> str:
    """The run, told to whoever opens its folder."""
    several = {_link(row) for row in rows}
    parts = [
        f"# Run of `{experiment.name}`",
        experiment.description,
        f"{summary['in_folder']} cells are measured here, {summary['finished']} of the "
        f"{summary['cells']} asked for last, on {len(split.test)} test images of "
        f"`{images.name}`. CR = k/n, complex channel uses per source sample; SNR = Es/N0 in dB "
        "per complex symbol.",
    ]
    if summary["diverged"]:
        parts.append("Diverged, not in the tables: " + ", ".join(summary["diverged"]))
    for link in sorted(several):
        own = [row for row in rows if _link(row) == link]
        codec, objective, channel = link
        trained = codec if objective == "mse" else f"{codec}, {objective}"
        text = headline(own, "psnr_db", "none")
        if text:
            parts += [f"## Mean per-image PSNR in dB ({trained}, {channel})", text]
        tasks = {row["task"]: row["metric"] for row in own if row["metric"] in HEADLINES}
        for (task, metric), (receiver, was) in product(tasks.items(), RECEIVERS.items()):
            text = headline([row for row in own if row["task"] == task], metric, receiver)
            if text:
                of = f"task model {task}" if len(tasks) > 1 else "the task model"
                best = next(r["ceiling"] for r in own if (r["task"], r["metric"]) == (task, metric))
                parts += [
                    f"## {HEADLINES[metric]} of {of} {was} ({trained}, {channel})",
                    f"On clean images as they were sent: {best:.3f}.",
                    text,
                ]
    parts.append(
        "## Files\n\n"
        "- `metrics.parquet`, `metrics.csv`: one row per cell, test SNR, receiver and metric\n"
        "- `cells.parquet`, `cells.csv`: one row per trained cell: CR, steps, CPU time, status\n"
        "- `metrics.outcomes.npz`: what became of each test image, for each row of the metrics\n"
        + "- `rate_curve.csv`: what each source codec makes of each rate, for "
        "`semloss plan against FIT .`\n"
        * (summary["rate_curve"] is not None)
        + "- `images.png`: some images of each class\n"
        "- `experiment.toml`: the experiment with every default; "
        "`semloss collect experiment.toml --out .` here goes on with it\n"
        "- `environment.json`: versions and machine; `source.json`, `split.json`: the images; "
        "`identity.json`: what all cells share\n"
        "- `tasks`, `trunks`, `bases`, `receivers`, `cells`: weights (safetensors) and "
        "record of each unit\n"
        "- `log.txt`: what happened when"
    )
    return "\n\n".join(part for part in parts if part) + "\n"
