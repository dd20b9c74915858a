"""The grid as units of work, each after those it needs."""

from dataclasses import replace
from functools import cached_property
from typing import Any

from semloss.collect.experiment import Experiment
from semloss.collect.scheme import Scheme, schemes
from semloss.collect.units import KINDS, Lesson, Unit, key_of
from semloss.tasks import TASKS
from semloss.training import Recipe

#: Raised whenever the code of training or measuring changes what it gives: no older result,
#: in a run or in the cache of task models, is then taken for one of today's.
PROCEDURE = 1


def units_of(
    experiment: Experiment, shape: tuple[int, int, int], identity: dict[str, Any]
) -> list[Unit]:
    """All units of an experiment, each after those it needs.

    Parameters
    ----------
    experiment
        The checked experiment.
    shape
        Bands, height and width of an image.
    identity
        What all units share beside the experiment: content of images and split, device type,
        precision, procedure.

    Raises
    ------
    SemlossError
        When a CR cannot be realised, or two of them by the same setting.
    """
    return _Scheduling(experiment, shape, identity).units()


class _Scheduling:
    """Gives every unit its identity: all that its result depends on, and nothing else."""

    def __init__(
        self, experiment: Experiment, shape: tuple[int, int, int], identity: dict[str, Any]
    ) -> None:
        self.experiment = experiment
        self.shape = shape
        self.common = identity | {"threads": experiment.compute.threads}

    def units(self) -> list[Unit]:
        """All units, by kind in the order of `KINDS`."""
        units: dict[str, Unit] = {}
        for scheme in schemes(self.experiment, self.shape):
            shared = self.shared(scheme)
            found = [*self._judges(scheme).values(), *shared.values()]
            for snr_db in self.experiment.grid.snr_db:
                found += self.cell(scheme, snr_db, shared)
            units |= {unit.id: unit for unit in found}
        return sorted(units.values(), key=lambda one: KINDS.index(one.kind))

    def shared(self, scheme: Scheme) -> dict[str, Unit]:
        """What the cells of one scheme start from, by the part it plays."""
        shared: dict[str, Unit] = {}
        mode, strategy = scheme.codec.training, self.experiment.train.strategy
        if self.experiment.task.reads == scheme.codec.delivers:
            shared["task"] = self.clean
        if mode == "cell" and strategy == "warm":
            shared["trunk"] = self.trunk(scheme)
            shared["base"] = self.base(scheme, shared["trunk"])
        if mode in ("range", "plane"):
            shared["base"] = self.serving(scheme)
        if "task" in shared and (mode != "cell" or strategy == "warm"):
            shared["receiver"] = self.receiver(scheme, shared.get("base"))
        return shared

    @cached_property
    def clean(self) -> Unit:
        """The task model on clean images."""
        task, recipe = self.experiment.task, self.experiment.task_training.clean
        identity = self.common | {"task": TASKS.dump(task), "recipe": _plain(recipe)}
        key = key_of("task", identity)
        return Unit("task", "task", key, f"{TASKS.kind_of(task)}-{key[:8]}", lesson=Lesson(recipe))

    def trunk(self, scheme: Scheme) -> Unit:
        """The codec that the bases of all CRs start from: its CR does not depend on the grid."""
        training = self.experiment.train
        realisation = scheme.codec.realise(training.trunk_cr, self.shape, "train.trunk_cr")
        lesson = Lesson(training.trunk, training.base_snr_db)
        return self._codec_unit("trunk", replace(scheme, realisation=realisation), lesson)

    def base(self, scheme: Scheme, trunk: Unit) -> Unit:
        """The codec that all cells of one CR start from."""
        training = self.experiment.train
        lesson = Lesson(training.base_recipe(scheme.realisation.cr), training.base_snr_db)
        return self._codec_unit("base", scheme, lesson, trunk)

    def serving(self, scheme: Scheme) -> Unit:
        """The codec that serves all SNR at one CR, or at all: then it is made for the largest."""
        training, codec = self.experiment.train, scheme.codec
        if codec.training == "range":
            lesson = Lesson(training.independent, training.range_snr_db)
            return self._codec_unit("base", scheme, lesson)
        lesson = Lesson(training.independent, training.range_snr_db, training.range_cr)
        realisation = codec.realise(training.range_cr[1], self.shape, "train.range_cr[1]")
        return self._codec_unit("trunk", replace(scheme, realisation=realisation), lesson)

    def receiver(self, scheme: Scheme, base: Unit | None) -> Unit:
        """The task model on what one base, or an untrained codec, delivers."""
        recipes, sender = self.experiment.task_training, {}
        if scheme.codec.training in ("none", "plane"):  # no base of the scheme's own tells of it
            sender = self._codec(scheme)
        if base is not None:
            sender["base"] = base.key
        identity = sender | {
            "task": self.clean.key,
            "recipe": _plain(recipes.adapted),
            "snr_db": list(recipes.adapted_snr_db),
        }
        key = key_of("receiver", identity)
        needs = _ids({"codec": base, "start": self.clean})
        lesson = Lesson(recipes.adapted, recipes.adapted_snr_db)
        name = f"{scheme.name}-{key[:8]}"
        return Unit("receiver", "receiver", key, name, needs, scheme, lesson=lesson)

    def cell(self, scheme: Scheme, snr_db: float, shared: dict[str, Unit]) -> list[Unit]:
        """One point of the grid: its codec and its receiver are trained, then it is measured."""
        training, recipes = self.experiment.train, self.experiment.task_training
        task, own = shared.get("task"), (snr_db, snr_db)
        identity = self._codec(scheme) | {
            "needs": {role: unit.key for role, unit in shared.items()},
            "snr_db": snr_db,
        }
        taught = Lesson(training.cell_recipe(snr_db), own)
        matched = Lesson(recipes.matched_recipe(training, snr_db), own)
        if scheme.codec.training == "cell":
            identity["recipe"] = _plain(taught.recipe)
        if task is not None:
            identity["matched"] = _plain(matched.recipe)
        key = key_of("cell", identity)
        place = ("cell", key, f"{scheme.name}-snr{snr_db:g}-{key[:8]}")
        units, codec, receiver = [], shared.get("base"), None
        if scheme.codec.training == "cell":
            needs = _ids({"start": codec, **self._judges(scheme)})
            codec = Unit("codec", *place, needs, scheme, snr_db, taught)
            units.append(codec)
        if task is not None:
            needs = _ids({"codec": codec, "start": shared.get("receiver", task)})
            receiver = Unit("receiver", *place, needs, scheme, snr_db, matched)
            units.append(receiver)
        needs = _ids({"codec": codec, "task": task, "receiver": receiver})
        return [*units, Unit("measured", *place, needs, scheme, snr_db)]

    def _judges(self, scheme: Scheme) -> dict[str, Unit]:
        """The task models that the scheme's objective reads."""
        return {"task": self.clean} if scheme.objective.reads_tasks else {}

    def _codec(self, scheme: Scheme) -> dict[str, Any]:
        """What every codec's training depends on."""
        judges = {role: unit.key for role, unit in self._judges(scheme).items()}
        retries = {"retries": self.experiment.train.retries}
        return self.common | scheme.identity() | retries | judges

    def _codec_unit(
        self, kind: str, scheme: Scheme, lesson: Lesson, start: Unit | None = None
    ) -> Unit:
        identity = self._codec(scheme) | {"snr_db": lesson.snr_db, "recipe": _plain(lesson.recipe)}
        if lesson.cr is not None:
            identity["cr"] = lesson.cr
        if start is not None:
            identity[start.kind] = start.key
        key = key_of(kind, identity)
        needs = _ids({"start": start, **self._judges(scheme)})
        return Unit("codec", kind, key, f"{scheme.name}-{key[:8]}", needs, scheme, lesson=lesson)


def _plain(recipe: Recipe) -> dict[str, Any]:
    return recipe.model_dump(mode="json")


def _ids(units: dict[str, Unit | None]) -> dict[str, str]:
    """Identifiers of the units that there are, by the part they play."""
    return {role: unit.id for role, unit in units.items() if unit is not None}
