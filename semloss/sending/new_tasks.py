"""Tasks that something on board was made for beside tasks that came later, link by link.

What serves the task that was known at launch best may serve no other: what images still buy is what
a task model reads of them that neither a sender ran nor a training knew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from semloss.answers import Answer, laid_out
from semloss.codecs import Codec
from semloss.collect.experiment import Experiment
from semloss.collect.scheme import heard, objectives_of, run_on_board
from semloss.comparing.compare import asked_rows
from semloss.errors import SemlossError
from semloss.layout import columns
from semloss.tables import load_table
from semloss.units import format_cr

_HEADLINES = ("accuracy", "miou")
"""Metrics that tell how well a task is done, the first that a task has."""
_RECEIVERS = ("matched", "deployable", "clean")
"""States of a task model, the first that judges being meant."""


@dataclass(frozen=True)
class Served:
    """What a link delivers for a task.

    Attributes
    ----------
    known
        Whether the link's sender runs the task model, or its training read it.
    metric, receiver
        What is told, and of which state of the model; empty where there is nothing.
    value, se, cells
        Mean over so many cells, and its standard error by the test images, which all cells share.
    without
        Why there is no value; empty where there is one.
    """

    known: bool
    metric: str = ""
    receiver: str = ""
    value: float | None = None
    se: float | None = None
    cells: int = 0
    without: str = ""

    @property
    def text(self) -> str:
        """Value and receiver, or why there is none."""
        if self.value is None:
            return f"none: {self.without}"
        error = "" if self.se is None else f" ± {self.se:.3f}"
        return f"{self.value:.3f}{error} {self.receiver}" + " *" * self.known


@dataclass(frozen=True)
class LinkTasks:
    """A link, and what it delivers for each task, by the task model's label."""

    link: Mapping[str, str]
    cr: tuple[float, float]
    snr_db: Sequence[float]
    served: Mapping[str, Served]


@dataclass(frozen=True)
class NewTasks(Answer):
    """All links of a run, for each of its tasks; `best` is a task's value on clean images."""

    run: str
    links: Sequence[LinkTasks]
    best: Mapping[str, float]
    notes: Sequence[str] = ()

    def known(self, task: str) -> bool:
        """Whether something on board, or its training, knew a task model."""
        return any(one.served[task].known for one in self.links)

    @property
    def warnings(self) -> Sequence[str]:
        """What was left out."""
        return self.notes

    @property
    def assumed(self) -> dict[str, str]:
        """What the columns and their values are."""
        return {
            "known": "run by a sender or read by a training of this run (* by the link's own)",
            "new": "neither: its models were trained on the ground afterwards",
            "values": "means over the cells, ± one standard error by the test images",
        }

    def rows(self) -> list[dict[str, Any]]:
        """A record for each link and task."""
        return [
            {
                **one.link, "cr_low": one.cr[0], "cr_high": one.cr[1],
                "snr_db": " ".join(f"{snr:g}" for snr in one.snr_db),
                "task": task, "new": not self.known(task), "known_to_link": told.known,
                "metric": told.metric or None, "receiver": told.receiver or None,
                "value": told.value, "se": told.se, "cells": told.cells,
                "clean": self.best[task], "without": told.without or None,
            }
            for one in self.links for task, told in one.served.items()
        ]  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """The tasks, and the rows."""
        new = {task: "new" if not self.known(task) else "known" for task in self.best}
        return {"run": self.run, "tasks": new, "links": self.rows()}

    def text(self) -> str:
        """A line for each link: what it is, then known tasks, then new ones."""
        tasks = sorted(self.best, key=lambda task: not self.known(task))
        head = [*self.links[0].link, "CR", "SNR dB"]
        for task in tasks:
            metrics = {one.served[task].metric for one in self.links} - {""}
            kind = "known" if self.known(task) else "new"
            head.append(
                ", ".join([f"{kind}: {task}", *metrics]) + f" ({self.best[task]:.3f} clean)"
            )
        body = [
            [
                *one.link.values(),
                " … ".join(dict.fromkeys(map(format_cr, one.cr))),
                ", ".join(f"{snr:g}" for snr in one.snr_db),
                *(one.served[task].text for task in tasks),
            ]
            for one in self.links
        ]
        return laid_out(columns(head, body), self.assumed, "")


def new_tasks(
    run: Path,
    *,
    metric: str | None = None,
    receiver: str | None = None,
    task: str | None = None,
    where: Mapping[str, str] | None = None,
    cr: float | None = None,
    snr_db: float | None = None,
) -> NewTasks:
    """Put known tasks and new ones side by side, for each codec, objective and channel of a run.

    Each value is a mean over the cells of a link, at the SNRs that all of them share.

    Parameters
    ----------
    run
        Folder of a run, whose experiment tells what each link knows and delivers.
    metric, receiver
        By default the headline of each task, and the first that there is of matched, deployable
        and clean.
    task, where, snr_db
        Only these.
    cr
        Only cells of this k/n, of links that send at one that is asked.

    Raises
    ------
    SemlossError
        When the folder is no run, or nothing is there that is asked for.
    """
    if not (run / "experiment.toml").is_file():
        raise SemlossError(f"{run} is no run of semloss collect: it has no experiment.toml")
    experiment = Experiment.of_run(run)
    table = load_table(run)
    rows, notes = asked_rows(table, metric, receiver, task, where, None, snr_db)
    rows = rows[rows["task"] != "none"]
    if metric is None:
        rows = rows[rows["metric"].isin(_HEADLINES)]
    if rows.empty:
        raise SemlossError(f"{run}: no task model judges what is asked for")
    codecs = {one.label: one for one in experiment.codecs}
    if cr is not None:  # the CR of some follows from their SNR
        asked = rows["codec_label"].map(lambda label: codecs[label].takes_cr)
        there = sorted(rows[asked]["cr"].unique())
        rows = rows[~asked | (abs(rows["cr"] - cr) <= 1e-3 * cr)]
        if there and not rows["codec_label"].map(lambda label: codecs[label].takes_cr).any():
            listed = ", ".join(map(format_cr, there))
            raise SemlossError(f"--cr {format_cr(cr)} is not measured; there are {listed}")
    link = ["codec_label", "objective", "channel"]
    groups = {tuple(map(str, key)): of for key, of in rows.groupby(link, sort=False)}
    shared = set.intersection(*({*of["snr_db"]} for of in groups.values()))
    if not shared:
        raise SemlossError(f"{run}: its links share no SNR; choose some by --where")
    tasks = list(dict.fromkeys(rows["task"]))
    found = []
    for key, of in groups.items():
        own = of[of["snr_db"].isin(shared)]
        codec = codecs[key[0]]
        knows = _known(experiment, codec, key[1])
        can = knows | {entry.label for entry in heard(experiment, codec)}
        served = {name: _served(own, name, name in knows, name in can) for name in tasks}
        names = dict(zip(("codec", "objective", "channel"), key, strict=True))
        span = (float(own["cr"].min()), float(own["cr"].max()))
        found.append(LinkTasks(names, span, sorted(shared), served))
    best = {name: float(rows[rows["task"] == name]["ceiling"].iloc[0]) for name in tasks}
    return NewTasks(str(run), found, best, tuple(notes))


def _known(experiment: Experiment, codec: Codec, label: str) -> set[str]:
    """Labels of the task models that a codec's sender runs, or its training read."""
    on_board = run_on_board(experiment, codec)
    entries = [] if on_board is None else [on_board]
    for objective in objectives_of(experiment, codec):
        if objective.label == label:
            entries += experiment.tasks_of(objective)
    return {entry.label for entry in entries}


def _served(rows: pd.DataFrame, task: str, known: bool, can: bool) -> Served:
    """What the rows of a link tell of a task, if its model can read what is delivered."""
    own = rows[rows["task"] == task]
    if own.empty:
        return Served(known, without="not measured" if can else "sends no image")
    receiver = next(one for one in _RECEIVERS if one in {*own["receiver"]})
    metrics = {*own["metric"]}
    metric = next((one for one in _HEADLINES if one in metrics), min(metrics))
    own = own[(own["receiver"] == receiver) & (own["metric"] == metric)]
    cells = own.groupby(["cr", "snr_db"])[["value", "se"]].mean()  # seeds first
    value, se = cells["value"].mean(), cells["se"].mean()
    return replace(
        Served(known, metric, receiver, float(value)),
        se=None if pd.isna(se) else float(se), cells=len(cells),
    )  # fmt: skip
