"""The sections of an experiment file, each checked as it is read."""

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from semloss.errors import SemlossError
from semloss.metrics import IMAGE_METRICS, Asked, ImageMetric, image_metrics
from semloss.registry import Options, listed, unknown_key
from semloss.training import Recipe
from semloss.units import parse_cr


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
    return _once(values)


def _once(values: tuple[V, ...]) -> tuple[V, ...]:
    for value in values:
        if values.count(value) > 1:
            raise ValueError(f"{value} stands twice; drop one")
    return values


def _known_metrics(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in IMAGE_METRICS:
            raise ValueError(unknown_key(name, name, IMAGE_METRICS).replace("key", "metric"))
    return names


def _ordered(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] > ends[1]:
        raise ValueError("write the lower end first")
    return ends


SnrDb = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]
SnrRange = Annotated[tuple[SnrDb, SnrDb], AfterValidator(_ordered)]
Ratio = Annotated[float, BeforeValidator(_ratio)]

#: Steps that a codec from random weights keeps, however small the scale.
LEAST_STEPS = 100

#: Distance from the base's SNR at which a cell's learning rate is twice that at the base's own.
LR_DOUBLES_DB = 6.0


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

    cr: Annotated[tuple[Ratio, ...], BeforeValidator(listed), AfterValidator(_distinct)]
    snr_db: Annotated[tuple[SnrDb, ...], BeforeValidator(listed), AfterValidator(_distinct)]
    seeds: Annotated[
        tuple[Annotated[int, Field(ge=0)], ...],
        BeforeValidator(listed),
        AfterValidator(_distinct),
    ] = (0,)
    mismatch: bool = False


W = TypeVar("W", bound="_WithRecipes")


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

    def scaled(self: W, scale: float) -> W:
        """The section with all its training steps times `scale`, rounded up.

        What starts from random weights keeps `LEAST_STEPS` of its own: with fewer a codec is no
        better than a mean image, which counts as diverged.
        """
        changed: dict[str, Any] = {}
        for key, value in self:
            if isinstance(value, Recipe):
                steps = math.ceil(value.steps * scale)
                if key in ("trunk", "independent"):
                    steps = max(steps, min(value.steps, LEAST_STEPS))
                changed[key] = value.model_copy(update={"steps": steps})
            elif "_steps_per_" in key:
                changed[key] = value * scale
        return self.model_copy(update=changed)


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
    range_snr_db, range_cr
        Ranges of training SNR and nominal CR of codecs that are trained once for all SNR, or for
        all SNR and CR: drawn for each image, uniformly in dB, and on a log scale.
    low_cr_share
        Share of images that get a CR of the lower half of the log scale of `range_cr`, where a
        codec has most to learn; 0.5 is uniform, and otherwise it falls off towards the high end.
    trunk, base, cell, independent
        Recipes of the trunk, of a base started from it, of a cell specialised from its base at
        the base's own SNR, and of what starts from random weights at its own SNR or range.
    base_steps_per_octave
        Steps that a base has on top for each halving or doubling between its CR and the trunk's.
    cell_steps_per_db
        Steps that a warm cell has on top for each dB between its SNR and the base's range. Its
        learning rate rises with the distance too, doubling in `LR_DOUBLES_DB`.
    precision
        "auto" is bf16 where the processor computes in it, else fp32.
    retries
        New attempts after a divergence, of a codec or a task model, each with half the learning
        rate and other random streams.
    """

    strategy: Literal["warm", "independent"] = "warm"
    trunk_cr: Ratio = 1 / 6
    base_snr_db: SnrRange = (6.0, 6.0)
    range_snr_db: SnrRange = (-8.0, 20.0)
    range_cr: Annotated[tuple[Ratio, Ratio], AfterValidator(_ordered)] = (1 / 48, 1 / 6)
    low_cr_share: float = Field(default=0.5, gt=0, lt=1)
    trunk: Recipe = Recipe(steps=5000)
    base: Recipe = Recipe(steps=2500)
    base_steps_per_octave: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    cell: Recipe = Recipe(steps=100, lr=0.003, warmup=0.0)
    cell_steps_per_db: float = Field(default=20.0, ge=0, allow_inf_nan=False)
    independent: Recipe = Recipe(steps=5000)
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    retries: int = Field(default=2, ge=0, le=10)

    def base_recipe(self, cr: float) -> Recipe:
        """Recipe of the base at one realised CR; far from the trunk's, more is to be relearnt."""
        octaves = abs(math.log2(cr / self.trunk_cr))
        steps = self.base.steps + round(self.base_steps_per_octave * octaves)
        return self.base.model_copy(update={"steps": steps})

    def distance_db(self, snr_db: float) -> float:
        """How far an SNR lies outside the range that the bases are trained at."""
        low, high = self.base_snr_db
        return max(low - snr_db, snr_db - high, 0.0)

    def cell_recipe(self, snr_db: float) -> Recipe:
        """Recipe of the codec of the cell at one SNR."""
        if self.strategy == "independent":
            return self.independent
        return _stretched(self.cell, self.distance_db(snr_db), self.cell_steps_per_db)


def _stretched(recipe: Recipe, distance_db: float, steps_per_db: float) -> Recipe:
    """The further a cell is from what it starts from, the more it has to relearn."""
    return recipe.model_copy(
        update={
            "steps": recipe.steps + round(steps_per_db * distance_db),
            "lr": recipe.lr * (1 + distance_db / LR_DOUBLES_DB),
        }
    )


#: What a receiver's task model was trained on: clean images, what arrives in its own cell, or
#: what arrives in all cells of the grid.
Use = Literal["clean", "matched", "deployable"]


class TaskTraining(_WithRecipes):
    """How a receiver's task model is trained, and what for.

    Attributes
    ----------
    uses
        The states of the model that judge each cell; none of a model that only teaches.
    unseen
        No objective reads it: it only judges, as a model that was not there when codecs were
        trained.
    clean
        On the clean training images, once for all runs on them.
    adapted
        From there, on the receptions of one base over `adapted_snr_db`, once per base.
    matched
        From there, on the receptions of one cell at its own SNR, with `matched_steps_per_db`
        steps on top for each dB between that and the base's range, as for `Train.cell`.
    deployable
        From the clean one, on the receptions of all cells of the grid, once for each codec,
        channel, objective and seed: the one model that can be flown.
    """

    uses: Annotated[tuple[Use, ...], BeforeValidator(listed), AfterValidator(_once)] = (
        "clean", "matched",
    )  # fmt: skip
    unseen: bool = False
    clean: Recipe = Recipe(steps=600, batch_size=64, lr=0.03, warmup=0.1)
    adapted: Recipe = Recipe(steps=300, batch_size=64, lr=0.02, warmup=0.1)
    adapted_snr_db: SnrRange = (-8.0, 20.0)
    matched_steps_per_db: float = Field(default=5.0, ge=0, allow_inf_nan=False)

    def matched_recipe(self, train: Train, snr_db: float) -> Recipe:
        """Recipe of the task model of the cell at one SNR."""
        if train.strategy == "independent":
            return self.adapted
        return _stretched(self.matched, train.distance_db(snr_db), self.matched_steps_per_db)

    matched: Recipe = Recipe(steps=40, batch_size=64, lr=0.005, warmup=0.0)
    deployable: Recipe = Recipe(steps=800, batch_size=64, lr=0.02, warmup=0.1)


class Metrics(Options):
    """Image metrics to measure, and what tasks are judged by beside their own measures.

    Attributes
    ----------
    names
        Image metrics.
    lpips_weights
        Weights file that adds LPIPS to them.
    coverage
        Shares of the images that a classifier answers when it may decline those it is least sure
        of: each gives a metric ``accuracy_at_coverage_…``.
    per_class
        Give the accuracy of each class as a metric of its own, ``accuracy_of_NAME``.
    """

    names: Annotated[tuple[str, ...], AfterValidator(_known_metrics)] = (
        "psnr_db",
        "psnr_mean_mse_db",
        "ssim",
        "ms_ssim",
        "ms_ssim_3",
    )
    lpips_weights: Path | None = None
    coverage: Annotated[
        tuple[Annotated[float, Field(gt=0, le=1)], ...], BeforeValidator(listed)
    ] = (0.8, 0.9)
    per_class: bool = False

    def wanted(self) -> set[str]:
        """What a measurement must hold: metric names, LPIPS with the content of its weights."""
        wanted = {*self.names, "risk", *(f"coverage {share:g}" for share in self.coverage)}
        if self.per_class:
            wanted.add("per class")
        if self.lpips_weights is not None:
            content = hashlib.sha256(self.lpips_weights.read_bytes()).hexdigest()
            wanted.add(f"lpips@{content[:16]}")
        return wanted

    def asked(self, classes: tuple[str, ...]) -> Asked:
        """What tasks over these classes are judged by beside their own measures."""
        return Asked(classes, self.coverage, self.per_class)

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
