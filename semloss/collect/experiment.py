"""The experiment file: what is measured, read from TOML and checked before any work."""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from semloss.channels import CHANNELS, Channel
from semloss.codecs import CODECS, Codec
from semloss.collect.sections import Compute, Grid, Metrics, Split, TaskTraining, Train
from semloss.errors import SemlossError
from semloss.objectives import OBJECTIVES, Objective
from semloss.registry import Registry, as_toml, unknown_key, validate
from semloss.sources import SOURCES, Source
from semloss.storage import read_toml
from semloss.tasks import TASKS, Task

_TEXTS = ("name", "description", "run_time", "expected")

#: Images of a class that a scaled experiment keeps.
LEAST_PER_CLASS = 12


@dataclass(frozen=True)
class TaskEntry:
    """One of the experiment's task models, and how it is trained."""

    task: Task
    training: TaskTraining

    @classmethod
    def from_table(cls, table: Mapping[str, Any], where: str) -> "TaskEntry":
        """Check one table of options, named `where` in errors."""
        task = dict(table)
        training = {key: task.pop(key) for key in TaskTraining.model_fields if key in task}
        kind = TASKS.options_of(task.get("kind"))
        training = _merged(kind.training if kind else {}, training)
        return cls(TASKS.parse(task, where), validate(TaskTraining, training, where))

    @property
    def label(self) -> str:
        """What sets it apart from the others."""
        return self.task.label

    def as_table(self) -> dict[str, Any]:
        """Undo `from_table`, every default written out."""
        return TASKS.dump(self.task) | self.training.model_dump(mode="json")


@dataclass(frozen=True)
class Experiment:
    """A checked experiment. `as_tables` gives it back as plain data."""

    name: str
    description: str
    run_time: str
    expected: str
    source: Source
    split: Split
    codecs: tuple[Codec, ...]
    channels: tuple[Channel, ...]
    objectives: tuple[Objective, ...]
    grid: Grid
    train: Train
    tasks: tuple[TaskEntry, ...]
    metrics: Metrics
    compute: Compute

    @classmethod
    def from_tables(cls, tables: Mapping[str, Any]) -> "Experiment":
        """Check the tables of an experiment file.

        Raises
        ------
        SemlossError
            For the first key that is unknown, missing or has a value that is not allowed.
        """
        known = (
            *_TEXTS, "source", "split", "codec", "channel", "objective", "grid", "train", "task",
            "metrics", "compute",
        )  # fmt: skip
        for key in tables:
            if key not in known:
                raise SemlossError(unknown_key(key, key, known))
        for key in ("source", "grid"):
            if key not in tables:
                raise SemlossError(f"[{key}]: this table is required")
        experiment = cls(
            **{key: _text(tables, key) for key in _TEXTS},
            source=SOURCES.parse(_table(tables, "source"), "source"),
            split=validate(Split, _table(tables, "split"), "split"),
            codecs=tuple(CODECS.parse(*one) for one in _plugins(tables, "codec", "deepjscc")),
            channels=tuple(CHANNELS.parse(*one) for one in _plugins(tables, "channel", "awgn")),
            objectives=tuple(
                OBJECTIVES.parse(*one) for one in _plugins(tables, "objective", "mse")
            ),
            grid=validate(Grid, _table(tables, "grid"), "grid"),
            train=validate(Train, _table(tables, "train"), "train"),
            tasks=tuple(TaskEntry.from_table(*one) for one in _plugins(tables, "task", "resnet8")),
            metrics=validate(Metrics, _table(tables, "metrics"), "metrics"),
            compute=validate(Compute, _table(tables, "compute"), "compute"),
        )
        labels = [entry.label for entry in experiment.tasks]
        for label in labels:
            if labels.count(label) > 1:
                raise SemlossError(f"task: {label} stands twice; drop one, or change an option")
        for at, entry in enumerate(experiment.tasks):
            entry.task.accept({one.label: one.task for one in experiment.tasks[:at]})
        for objective in experiment.objectives:
            experiment.tasks_of(objective)
        return experiment

    @classmethod
    def of_run(cls, run: Path) -> "Experiment":
        """The experiment that a run's folder holds, every default as it was then."""
        return cls.from_tables(read_toml(run / "experiment.toml"))

    def tasks_of(self, objective: Objective) -> list[TaskEntry]:
        """The task models that an objective reads.

        Raises
        ------
        SemlossError
            When it reads one that there is none of, or that is kept from all objectives.
        """
        there = {
            entry.label: entry
            for entry in self.tasks
            if entry.task.reads == objective.reads and not entry.training.unseen
        }
        return [there[label] for label in objective.tasks_read(tuple(there))]

    def as_tables(self) -> dict[str, Any]:
        """The experiment as TOML-able data, every default written out."""
        return {
            **{key: getattr(self, key) for key in _TEXTS},
            "source": SOURCES.dump(self.source),
            "split": self.split.model_dump(mode="json"),
            "codec": [CODECS.dump(one) for one in self.codecs],
            "channel": [CHANNELS.dump(one) for one in self.channels],
            "objective": [OBJECTIVES.dump(one) for one in self.objectives],
            "grid": self.grid.model_dump(mode="json"),
            "train": self.train.model_dump(mode="json"),
            "task": _one_or_all([entry.as_table() for entry in self.tasks]),
            "metrics": self.metrics.model_dump(mode="json", exclude_none=True),
            "compute": self.compute.model_dump(mode="json"),
        }

    def scaled(self, scale: float) -> "Experiment":
        """The same grid with images and training steps times `scale`, rounded up.

        Every class keeps at least `LEAST_PER_CLASS` images. The options of the result say it all:
        a run of it is another experiment than one at full scale.

        Raises
        ------
        SemlossError
            When the source takes all images there are, whose number is not known here.
        """
        per_class = getattr(self.source, "per_class", None)
        if per_class is None:
            raise SemlossError("--scale: set source.per_class, the images of a class to scale")
        few = max(min(per_class, LEAST_PER_CLASS), math.ceil(per_class * scale))
        return replace(
            self,
            source=self.source.model_copy(update={"per_class": few}),
            train=self.train.scaled(scale),
            tasks=tuple(
                replace(entry, training=entry.training.scaled(scale)) for entry in self.tasks
            ),
        )


#: What no cell's identity holds of a task model: to change it is another measurement at most.
ASKED_OF_TASKS = ("uses", "unseen", "deployable")

Section = dict[str, Any] | list[dict[str, Any]]


@dataclass(frozen=True)
class GrownTasks:
    """The task models of a run that is taken up.

    Attributes
    ----------
    pairs
        What must not differ, then and now, with its name: the first model, which is part of
        every cell, and any that has the label of an older one.
    joined
        Section of all models that were asked for, each with all of its uses.
    """

    pairs: list[tuple[str, dict[str, Any], dict[str, Any]]]
    joined: Section


def grown_tasks(old: Section, new: Section) -> GrownTasks:
    """Compare and join the task section of a run with that of what is asked now."""
    before, now = (
        {TaskEntry.from_table(one, "task").label: one
         for one in (section if isinstance(section, list) else [section])}
        for section in (old, new)
    )  # fmt: skip
    firsts = [next(iter(tables)) for tables in (before, now)]
    both = [("task", *firsts), *((f"task {n}", n, n) for n in now if n in before)]
    fixed = [
        {label: {k: v for k, v in one.items() if k not in ASKED_OF_TASKS}
         for label, one in tables.items()}
        for tables in (before, now)
    ]  # fmt: skip
    joined = dict(before)
    for label, table in now.items():
        uses = [*before.get(label, table).get("uses", ()), *table["uses"]]
        joined[label] = table | {"uses": list(dict.fromkeys(uses))}
    pairs = [(name, fixed[0][one], fixed[1][other]) for name, one, other in both]
    return GrownTasks(pairs, _one_or_all(list(joined.values())))


def _one_or_all(tables: list[dict[str, Any]]) -> Section:
    """A section as it is written: one table, or an array of several."""
    return tables[0] if len(tables) == 1 else tables


def _text(tables: Mapping[str, Any], key: str) -> str:
    value = tables.get(key, "experiment" if key == "name" else "")
    if not isinstance(value, str):
        raise SemlossError(f"{key} = {value!r}: write a text in quotes")
    if key == "name" and (not value or not value.replace("-", "").replace("_", "").isalnum()):
        raise SemlossError(
            f'name = {value!r}: use letters, digits, "-" and "_" (it names a folder)'
        )
    return value


def _table(tables: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = tables.get(key, {})
    if not isinstance(value, Mapping):
        told = f"{key} = {as_toml(value)}"
        raise SemlossError(f"{told}: this is a table; write [{key}] and its keys below")
    return value


def _plugins(
    tables: Mapping[str, Any], key: str, default: str
) -> list[tuple[Mapping[str, Any], str]]:
    """One table or an array of tables, each with its name for errors."""
    value = tables.get(key, {"kind": default})
    if isinstance(value, Mapping):
        return [({"kind": default} | dict(value), key)]
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        text = as_toml(value)
        kind = f", e.g. --set {key}.kind={value}" if isinstance(value, str) else ""
        raise SemlossError(f"{key} = {text}: write one table [{key}] or several [[{key}]]{kind}")
    if not value:
        raise SemlossError(f"{key}: the list is empty; give at least one table [[{key}]]")
    return [({"kind": default} | dict(one), f"{key}[{at}]") for at, one in enumerate(value)]


def presets() -> dict[str, dict[str, Any]]:
    """The presets that come with semloss, by name."""
    folder = resources.files("semloss.collect") / "presets"
    return {
        file.name.removesuffix(".toml"): tomllib.loads(file.read_text(encoding="utf-8"))
        for file in sorted(folder.iterdir(), key=lambda one: one.name)
        if file.name.endswith(".toml")
    }


def read_experiment(
    path: Path | None,
    preset: str | None,
    changes: Sequence[str],
    scale: float = 1.0,
    device: str = "cpu",
) -> Experiment:
    """Read an experiment file or a preset and apply `key=value` changes to it.

    A table ``[cuda]`` holds sections that stand above the others on a GPU, such as
    ``[cuda.train]``; the experiment is what came of them.

    Parameters
    ----------
    path
        A TOML file; with `preset` also given, its keys override the preset's.
    preset
        Name of a preset; "demo" where neither is given.
    changes
        Texts `dotted.key=value`; the value is read as TOML, or as plain text if it is none or the
        key takes text.
    scale
        See `Experiment.scaled`.
    device
        "cpu" or "cuda".

    Raises
    ------
    SemlossError
        When the file cannot be read, is no TOML, or does not describe an experiment.
    """
    tables: dict[str, Any] = {}
    if preset is None and path is None:
        preset = "demo"
    if preset is not None:
        known = presets()
        if preset not in known:
            raise SemlossError(f"--preset {preset}: no such preset; there are {', '.join(known)}")
        tables = _on(device, known[preset])
    if path is not None:
        tables = _merged(tables, _on(device, read_toml(path)))
    # a change of kind clears a table, so it goes before the options of the new kind
    for change in sorted(changes, key=lambda one: not one.partition("=")[0].endswith(".kind")):
        _set(tables, change)
    if not 0 < scale <= 1:
        raise SemlossError(f"--scale {scale:g}: give a number above 0, at most 1, e.g. 0.1")
    try:
        experiment = Experiment.from_tables(tables)
        _refuse_unread(experiment.codecs, changes)
        return experiment if scale == 1 else experiment.scaled(scale)
    except SemlossError as error:
        raise SemlossError(f"{path or f'preset {preset}'}: {error}") from None


def _refuse_unread(codecs: Sequence[Codec], changes: Sequence[str]) -> None:
    """Refuse a change to what none of the codecs is trained by."""
    asked = {change.partition("=")[0].strip() for change in changes}
    for key in sorted(asked & {"train.low_cr_share", "train.range_cr"}):
        if all(codec.training != "plane" for codec in codecs):
            told = ", ".join(codec.kind for codec in codecs)
            raise SemlossError(f"{key}: codec {told} has none to choose, adaptive has; drop it")


def _on(device: str, tables: dict[str, Any]) -> dict[str, Any]:
    """Tables as they are on a device."""
    above = _table(tables, "cuda")
    below = {key: value for key, value in tables.items() if key != "cuda"}
    return _merged(below, above) if device == "cuda" else below


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            # another kind of plug-in has other options: nothing of the old one carries over
            same = value.get("kind", old.get("kind")) == old.get("kind")
            value = _merged(old if same else {}, value)
        merged[key] = value
    return merged


def _takes_text(tables: Mapping[str, Any], parents: list[str], key: str) -> bool:
    """Whether a key is a text by its type."""
    if not parents:
        return key in _TEXTS
    registries: dict[str, Registry[Any]] = {
        "source": SOURCES, "codec": CODECS, "channel": CHANNELS, "task": TASKS,
        "objective": OBJECTIVES,
    }  # fmt: skip
    section, model = parents[0], None
    if section in registries and isinstance(table := tables.get(section), Mapping):
        model = registries[section].options_of(table.get("kind"))
    elif section == "metrics":
        model = Metrics
    field = model.model_fields.get(key) if model and len(parents) == 1 else None
    if field is None:
        return False
    union = get_origin(field.annotation) in (Union, UnionType)
    types = get_args(field.annotation) if union else (field.annotation,)
    return str in types or Path in types


def _set(tables: dict[str, Any], change: str) -> None:
    key, equals, text = change.partition("=")
    if not equals or not key.strip():
        raise SemlossError(f"--set {change}: write key=value, e.g. --set grid.snr_db=0,4,8")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    *parents, last = key.strip().split(".")
    table = tables
    for name in parents:
        inner = table.setdefault(name, {})
        if isinstance(inner, list) and len(inner) == 1:
            inner = inner[0]
        if not isinstance(inner, dict):
            raise SemlossError(f"--set {change}: {name} is not a single table")
        table = inner
    if _takes_text(tables, parents, last) and not isinstance(value, str):
        value = text.strip()  # a name that reads as a number, a date or a truth value
    if isinstance(value, float) and not math.isfinite(value):
        raise SemlossError(f"--set {change}: write a finite number")
    swappable = parents in (["source"], ["codec"], ["channel"], ["objective"])
    if last == "kind" and swappable and table.get("kind") != value:
        table.clear()  # another plug-in has other options
    table[last] = value
