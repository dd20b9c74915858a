"""The experiment file: what is measured, read from TOML and checked before any work."""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from semloss.channels import CHANNELS, Channel
from semloss.codecs import CODECS, Codec
from semloss.errors import SemlossError
from semloss.metrics import IMAGE_METRICS, ImageMetric, image_metrics
from semloss.registry import Options, unknown_key, validate
from semloss.sources import SOURCES, Source
from semloss.tasks import TASKS, Task
from semloss.training import Recipe
from semloss.units import parse_cr


def _listed(value: object) -> object:
    """A scalar or a comma-separated text as a list, so that `--set grid.snr_db=0,4` works."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value if isinstance(value, Sequence) else [value]


def _ratio(value: object) -> float:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise ValueError('write a number or a fraction such as "1/12"')
    try:
        return parse_cr(value)
    except SemlossError as error:
        raise ValueError(str(error).split(": ", 1)[1]) from None


V = TypeVar("V")


def _distinct(values: tuple[V, ...]) -> tuple[V, ...]:
    if not values:
        raise ValueError("the list is empty; give at least one value")
    for value in values:
        if values.count(value) > 1:
            raise ValueError(f"{value} stands twice; drop one")
    return values


def _known_metrics(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in IMAGE_METRICS:
            raise ValueError(unknown_key(name, name, IMAGE_METRICS).replace("key", "metric"))
    return names


SnrDb = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]


#: Distance from the base's SNR at which a cell's learning rate is twice that at the base's own.
CELL_LR_DOUBLES_DB = 6.0


class Split(Options):
    """Shares of the images, class by class, and the seed that draws them."""

    train: float = Field(default=0.72, gt=0, lt=1)
    validation: float = Field(default=0.03, gt=0, lt=1)
    test: float = Field(default=0.25, gt=0, lt=1)
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _at_most_everything(self) -> "Split":
        if self.train + self.validation + self.test > 1 + 1e-9:
            raise ValueError("train + validation + test exceed 1; lower one")
        return self


class Grid(Options):
    """The axes of the grid. Every codec, channel, CR, training SNR and seed is one cell.

    Attributes
    ----------
    cr
        Nominal compression ratios k/n.
    snr_db
        Training SNRs, Es/N0 in dB. Each cell is tested at its own.
    seeds
        Replicates: each trains every cell once more, from its own random streams.
    mismatch
        Also test every cell at all other SNRs of the grid.
    """

    cr: Annotated[
        tuple[Annotated[float, BeforeValidator(_ratio)], ...],
        BeforeValidator(_listed),
        AfterValidator(_distinct),
    ]
    snr_db: Annotated[tuple[SnrDb, ...], BeforeValidator(_listed), AfterValidator(_distinct)]
    seeds: Annotated[
        tuple[Annotated[int, Field(ge=0)], ...],
        BeforeValidator(_listed),
        AfterValidator(_distinct),
    ] = (0,)
    mismatch: bool = False


class _WithRecipes(Options):
    """A section where a recipe that is given in part keeps the rest of its own default."""

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: dict[str, Any]) -> dict[str, Any]:
        complete = dict(values)
        for key, field in cls.model_fields.items():
            if isinstance(field.default, Recipe) and isinstance(values.get(key), Mapping):
                complete[key] = field.default.model_dump() | dict(values[key])
        return complete


class Train(_WithRecipes):
    """How codecs are trained.

    Attributes
    ----------
    strategy
        "warm": a trunk at one CR and a middle SNR, from it a base for each CR, from that each
        cell by a brief specialisation to its SNR.
        "independent": every cell from random weights at its own SNR, the textbook grid.
    trunk_cr
        Nominal CR of the trunk.
    base_snr_db
        Range of training SNR of trunk and bases, drawn uniformly in dB for each image; a point
        where both ends are equal. As `trunk_cr`, it does not follow the grid, so the grid can
        grow without a new trunk or base.
    trunk, base, cell, independent
        Recipes of the trunk, of a base started from it, of a cell specialised from its base at
        the base's own SNR, and of an independent cell.
    cell_steps_per_db
        Steps that a warm cell has on top for each dB between its SNR and the base's range. Its
        learning rate rises with the distance too, doubling in `CELL_LR_DOUBLES_DB`.
    precision
        "auto" is bf16 where the processor computes in it, else fp32.
    retries
        New attempts after a divergence, each with other initial weights and half the rate.
    """

    strategy: Literal["warm", "independent"] = "warm"
    trunk_cr: Annotated[float, BeforeValidator(_ratio)] = 1 / 6
    base_snr_db: tuple[SnrDb, SnrDb] = (6.0, 6.0)
    trunk: Recipe = Recipe(steps=5000)
    base: Recipe = Recipe(steps=2500)
    cell: Recipe = Recipe(steps=100, lr=0.003, warmup=0.0)
    cell_steps_per_db: float = Field(default=20.0, ge=0, allow_inf_nan=False)
    independent: Recipe = Recipe(steps=5000)
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    retries: int = Field(default=2, ge=0, le=10)

    def cell_recipe(self, snr_db: float) -> Recipe:
        """Recipe of the cell at one SNR: the further from the base, the more is to be relearnt."""
        if self.strategy == "independent":
            return self.independent
        low, high = self.base_snr_db
        distance_db = max(low - snr_db, snr_db - high, 0.0)
        return self.cell.model_copy(
            update={
                "steps": self.cell.steps + round(self.cell_steps_per_db * distance_db),
                "lr": self.cell.lr * (1 + distance_db / CELL_LR_DOUBLES_DB),
            }
        )


class TaskTraining(_WithRecipes):
    """How the receiver's task model is trained.

    Attributes
    ----------
    clean
        On the clean training images, once per run.
    adapted
        From there, on the receptions of one base over `adapted_snr_db`, once per base.
    matched
        From there, on the receptions of one cell at its own SNR.
    """

    clean: Recipe = Recipe(steps=600, batch_size=64, lr=0.03, warmup=0.1)
    adapted: Recipe = Recipe(steps=300, batch_size=64, lr=0.02, warmup=0.1)
    adapted_snr_db: tuple[SnrDb, SnrDb] = (-8.0, 20.0)
    matched: Recipe = Recipe(steps=40, batch_size=64, lr=0.005, warmup=0.0)


class Metrics(Options):
    """Image metrics to measure, and the weights file that adds LPIPS to them."""

    names: Annotated[tuple[str, ...], AfterValidator(_known_metrics)] = (
        "psnr_db",
        "psnr_mean_mse_db",
        "ssim",
        "ms_ssim",
        "ms_ssim_3",
    )
    lpips_weights: Path | None = None

    def make(self) -> list[ImageMetric]:
        """The metrics themselves.

        Raises
        ------
        SemlossError
            When the LPIPS weights cannot be used.
        """
        names = [*self.names, *(["lpips"] if self.lpips_weights else [])]
        return image_metrics(names, lpips_weights=self.lpips_weights, where="metrics.names")


class Compute(Options):
    """What the results depend on beyond the experiment: threads per worker.

    Sums are ordered by the number of threads, so it belongs to a cell's identity.
    """

    threads: int = Field(default=1, ge=1, le=256)


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
    grid: Grid
    train: Train
    task: Task
    task_training: TaskTraining
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
        known = [
            *("name", "description", "run_time", "expected", "source", "split", "codec"),
            *("channel", "grid", "train", "task", "metrics", "compute"),
        ]
        for key in tables:
            if key not in known:
                raise SemlossError(unknown_key(key, key, known))
        for key in ("source", "grid"):
            if key not in tables:
                raise SemlossError(f"[{key}]: this table is required")
        task = {"kind": "resnet8", **_table(tables, "task")}
        training = {key: task.pop(key) for key in TaskTraining.model_fields if key in task}
        experiment = cls(
            **{key: _text(tables, key) for key in ("name", "description", "run_time", "expected")},
            source=SOURCES.parse(_table(tables, "source"), "source"),
            split=validate(Split, _table(tables, "split"), "split"),
            codecs=tuple(CODECS.parse(*one) for one in _plugins(tables, "codec", "deepjscc")),
            channels=tuple(CHANNELS.parse(*one) for one in _plugins(tables, "channel", "awgn")),
            grid=validate(Grid, _table(tables, "grid"), "grid"),
            train=validate(Train, _table(tables, "train"), "train"),
            task=TASKS.parse(task, "task"),
            task_training=validate(TaskTraining, training, "task"),
            metrics=validate(Metrics, _table(tables, "metrics"), "metrics"),
            compute=validate(Compute, _table(tables, "compute"), "compute"),
        )
        _check_order("train.base_snr_db", experiment.train.base_snr_db)
        _check_order("task.adapted_snr_db", experiment.task_training.adapted_snr_db)
        return experiment

    def as_tables(self) -> dict[str, Any]:
        """The experiment as TOML-able data, every default written out."""
        return {
            "name": self.name,
            "description": self.description,
            "run_time": self.run_time,
            "expected": self.expected,
            "source": SOURCES.dump(self.source),
            "split": self.split.model_dump(mode="json"),
            "codec": [CODECS.dump(one) for one in self.codecs],
            "channel": [CHANNELS.dump(one) for one in self.channels],
            "grid": self.grid.model_dump(mode="json"),
            "train": self.train.model_dump(mode="json"),
            "task": TASKS.dump(self.task) | self.task_training.model_dump(mode="json"),
            "metrics": self.metrics.model_dump(mode="json", exclude_none=True),
            "compute": self.compute.model_dump(mode="json"),
        }


def _check_order(key: str, ends_db: tuple[float, float]) -> None:
    low, high = ends_db
    if low > high:
        raise SemlossError(f"{key} = [{low:g}, {high:g}]: write the lower end first")


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
        raise SemlossError(f"{key} = {value!r}: this is a table; write [{key}] and its keys below")
    return value


def _plugins(
    tables: Mapping[str, Any], key: str, default: str
) -> list[tuple[Mapping[str, Any], str]]:
    """One table or an array of tables, each with its name for errors."""
    value = tables.get(key, {"kind": default})
    if isinstance(value, Mapping):
        return [({"kind": default} | dict(value), key)]
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise SemlossError(f"{key} = {value!r}: write one table [{key}] or several [[{key}]]")
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


def read_experiment(path: Path | None, preset: str | None, changes: Sequence[str]) -> Experiment:
    """Read an experiment file or a preset and apply `key=value` changes to it.

    Parameters
    ----------
    path
        A TOML file; with `preset` also given, its keys override the preset's.
    preset
        Name of a preset; "demo" where neither is given.
    changes
        Texts `dotted.key=value`; the value is read as TOML, or as plain text if it is none.

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
        tables = known[preset]
    if path is not None:
        tables = _merged(tables, _read_toml(path))
    for change in changes:
        _set(tables, change)
    try:
        return Experiment.from_tables(tables)
    except SemlossError as error:
        raise SemlossError(f"{path or f'preset {preset}'}: {error}") from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SemlossError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SemlossError(f"{path} is not TOML: {error}") from None


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        # another kind of plug-in has other options: nothing of the old one carries over
        another = isinstance(value, Mapping) and "kind" in value
        if isinstance(old, Mapping) and isinstance(value, Mapping) and not another:
            value = _merged(old, value)
        merged[key] = value
    return merged


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
    if isinstance(value, float) and not math.isfinite(value):
        raise SemlossError(f"--set {change}: write a finite number")
    if last == "kind" and parents in (["source"], ["codec"], ["channel"]):
        table.clear()  # another plug-in has other options
    table[last] = value
