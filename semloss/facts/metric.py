"""The facts of a metric, their registry, and what a name alone tells of an unknown one."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from semloss.arrays import Mask
from semloss.errors import SemlossError

Direction = Literal["higher", "lower"]
OPEN = (-math.inf, math.inf)
SHARE = (0.0, 1.0)
SHARED = {"binomial": 0.65, "reported": 0.95}
"""Correlation that the errors of two measurements are taken to have where they were made on the
same test images and no outcomes of each image tell it, by the kind of noise: an allowance, stated
where a fit is described. As measured between cells of a DeepJSCC on EuroSAT tiles: accuracy .65 to
.67, PSNR and SSIM .95 to .96.
"""


@dataclass(frozen=True)
class Metric:
    """What is true of a metric wherever it was measured.

    Attributes
    ----------
    name
        As tables have it, with the unit where there is one ("psnr_db").
    label, unit
        As an axis carries them; by default the name in words, and no unit.
    direction
        Which way is better; None where only a table can tell.
    values
        Least and greatest value that it can take.
    levels
        Range in which a surface's floor and ceiling are searched, narrower than `values` where a
        mean over images stays well within; by default `values` of a share, else open.
    floor, ceiling
        Its value when nothing gets through and on clean images, where that is the same for every
        table. Chance is no fact of the metric but of the task: tables tell it.
    floor_is_reached
        Whether a floor that a table tells is where a surface ends. A decoder that hears nothing
        still paints the mean image, so that of an image metric is a limit only.
    of_sent
        Whether it tells of the symbols that are sent: the SNR does not make it better.
    noise
        What test images do to it: "binomial" where it is a share of hits, else "reported".
    spellings
        Other names of it, in lower case with everything but letters and digits as ``_``.
    """

    name: str
    label: str = ""
    unit: str = ""
    direction: Direction | None = None
    values: tuple[float, float] = OPEN
    levels: tuple[float, float] | None = None
    floor: float | None = None
    ceiling: float | None = None
    floor_is_reached: bool = True
    of_sent: bool = False
    noise: Literal["binomial", "reported"] = "reported"
    spellings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", self.label or self.name.replace("_", " "))

    @property
    def title(self) -> str:
        """Label and unit, as an axis carries them."""
        return f"{self.label} [{self.unit}]" if self.unit else self.label

    @property
    def level_range(self) -> tuple[float, float]:
        """Range in which the floor and the ceiling of a surface are searched."""
        return self.levels or (self.values if self.values == SHARE else OPEN)


METRICS: dict[str, Metric] = {}
"""Every registered metric by name."""
_SPELLED: dict[str, str] = {}


def register(metric: Metric) -> Metric:
    """Add a metric to those that are known.

    Raises
    ------
    SemlossError
        When its name, or a spelling of it, is taken.
    """
    for name in (metric.name, *metric.spellings):
        if name in _SPELLED:
            raise SemlossError(f"metric {name!r} is registered already, as {_SPELLED[name]}")
    METRICS[metric.name] = metric
    _SPELLED.update(dict.fromkeys((metric.name, *metric.spellings), metric.name))
    return metric


def spelled(name: str) -> str | None:
    """Name of the registered metric that a name in lower case spells; None where it is none."""
    return _SPELLED.get(name)


def sign_of(direction: str) -> float:
    """1 where higher is better, -1 where lower is."""
    return 1.0 if direction == "higher" else -1.0


class Directed:
    """What has a `direction` can tell better from worse."""

    direction: str

    @property
    def sign(self) -> float:
        """1 where a higher metric is better, -1 where a lower one is."""
        return sign_of(self.direction)

    def meets(self, value: ArrayLike, target: ArrayLike) -> Mask:
        """Whether each value of the metric is as good as its target."""
        return np.asarray(self.sign * (np.asarray(value) - np.asarray(target)) >= 0)


_SHARES = {"accuracy", "f1", "precision", "recall", "iou", "miou", "dice", "auc"}
_DISTANCES = {"lpips", "mse", "rmse", "mae", "nmse"}


def metric_facts(name: str) -> Metric:
    """Facts of a metric: as registered, else as far as the words of its name tell."""
    if name in METRICS:
        return METRICS[name]
    if name.startswith("accuracy_of_"):  # of one class: a share of hits among its images
        label = f"accuracy of {name.removeprefix('accuracy_of_')}"
        return replace(METRICS["accuracy"], name=name, label=label, spellings=())
    words = set(name.split("_"))
    direction: Direction | None = "higher" if name.startswith("psnr") else None
    values = OPEN
    if not words & {"db", "loss", "error"}:
        if "ssim" in words:
            values = (-1.0, 1.0)
        elif words & _SHARES:
            values = SHARE
        elif words & _DISTANCES:
            values = (0.0, math.inf)
    return Metric(name, direction="higher" if values[1] == 1.0 else direction, values=values)
