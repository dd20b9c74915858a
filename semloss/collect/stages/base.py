"""What a stage of the work is: how a unit is done, when it is finished, what it costs."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from semloss.collect.experiment import Experiment
from semloss.collect.run import UnitFolder
from semloss.collect.stages.attempts import Doing, Record
from semloss.collect.stages.bench import Bench
from semloss.collect.units import Unit

__all__ = ["STAGES", "Rates", "Record", "Stage", "stage"]


@dataclass(frozen=True)
class Rates:
    """Seconds that this machine takes for an image.

    Attributes
    ----------
    codec
        In a training step of a codec, by the label of its objective.
    clean, adapted
        In one of a task model on clean images, and on receptions, by the model's label.
    measured
        In a measurement.
    train_images, test_images
        How many there are.
    """

    codec: Mapping[str, float]
    clean: Mapping[str, float]
    adapted: Mapping[str, float]
    measured: float
    train_images: int
    test_images: int

    def training(self, per_image_s: float, unit: Unit) -> float:
        """Seconds of a unit's training."""
        recipe = unit.own_lesson.recipe
        return per_image_s * recipe.steps * min(recipe.batch_size, self.train_images)


class Stage(ABC):
    """One kind of work. It finds what is finished on disk and does only the rest.

    A unit can so be killed at any moment and done again.
    """

    name: ClassVar[str]

    @abstractmethod
    def do(self, unit: Unit, bench: Bench) -> Doing[str]:
        """Do a unit, whose folder is locked; the result is a headline.

        What is to be trained is asked for, mostly by `Attempts.train`.

        Raises
        ------
        Damaged
            When what it needs must be made anew first.
        SemlossError
            When it cannot go on.
        """

    def finished(self, unit: Unit, folder: UnitFolder, experiment: Experiment) -> bool:
        """Whether nothing is left to be done."""
        return folder.read(self.name) is not None

    @abstractmethod
    def cost(self, unit: Unit, rates: Rates) -> float:
        """Seconds that a unit takes, about."""


STAGES: dict[str, Stage] = {}

S = TypeVar("S", bound=type[Stage])


def stage(kind: S) -> S:
    """Class decorator that files a stage under its name."""
    STAGES[kind.name] = kind()
    return kind
