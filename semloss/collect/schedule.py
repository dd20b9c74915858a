"""The grid as units of work, each after those it needs."""

from typing import Any

from semloss.collect.experiment import Experiment
from semloss.collect.scheme import Scheme, schemes
from semloss.collect.units import KINDS, Lesson, Unit, key_of
from semloss.tasks import TASKS
from semloss.training import Recipe

#: Raised whenever the code of training or measuring changes what it gives: no older result,
#: in a run or in the cache of task models, is then taken for one of today's.
PROCEDURE = 1


def schedule(
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
            found = list(shared.values())
            for snr_db in self.experiment.grid.snr_db:
                found += self.cell(scheme, snr_db, shared)
            units |= {unit.id: unit for unit in found}
        return sorted(units.values(), key=lambda one: KINDS.index(one.kind))

    def shared(self, scheme: Scheme) -> dict[str, Unit]:
        """What the cells of one scheme start from, by the part it plays."""
        shared: dict[str, Unit] = {}
        mode, strategy = scheme.codec.training, self.experiment.train.strategy
        task = self.task()
        if task is not None:
            shared["task"] = task
        if mode == "cell" and strategy == "warm":
            shared["trunk"] = self.trunk(scheme, task)
            shared["base"] = self.base(scheme, task, shared["trunk"])
        if mode == "range":
            shared["base"] = self.range(scheme, task)
        if task is not None and (mode != "cell" or strategy == "warm"):
            shared["receiver"] = self.receiver(scheme, task, shared.get("base"))
        return shared

    def task(self) -> Unit | None:
        """The task model on clean images."""
        if self.experiment.task is None:
            return None
        recipe = self.experiment.task_training.clean
        identity = self.common | {
            "task": TASKS.dump(self.experiment.task), "recipe": _plain(recipe)
        }  # fmt: skip
        key = key_of("task", identity)
        name = f"{TASKS.kind_of(self.experiment.task)}-{key[:8]}"
        return Unit("task", "task", key, name, lesson=Lesson(recipe))

    def trunk(self, scheme: Scheme, task: Unit | None) -> Unit:
        """The codec that the bases of all CRs start from: its CR does not depend on the grid."""
        training = self.experiment.train
        realisation = scheme.codec.realise(training.trunk_cr, self.shape, "train.trunk_cr")
        trunk = Scheme(scheme.codec, scheme.channel, scheme.objective, realisation, scheme.seed)
        identity = self._codec(trunk, task) | {
            "snr_db": list(training.base_snr_db),
            "recipe": _plain(training.trunk),
        }
        lesson = Lesson(training.trunk, training.base_snr_db)
        return self._codec_unit("trunk", trunk, identity, task, lesson)

    def base(self, scheme: Scheme, task: Unit | None, trunk: Unit) -> Unit:
        """The codec that all cells of one CR start from."""
        training = self.experiment.train
        lesson = Lesson(training.base_recipe(scheme.realisation.cr), training.base_snr_db)
        identity = self._codec(scheme, task) | {
            "trunk": trunk.key,
            "snr_db": list(training.base_snr_db),
            "recipe": _plain(lesson.recipe),
        }
        return self._codec_unit("base", scheme, identity, task, lesson, start=trunk)

    def range(self, scheme: Scheme, task: Unit | None) -> Unit:
        """The codec of one CR that serves all SNR."""
        training = self.experiment.train
        lesson = Lesson(training.independent, training.range_snr_db)
        identity = self._codec(scheme, task) | {
            "snr_db": list(training.range_snr_db),
            "recipe": _plain(lesson.recipe),
        }
        return self._codec_unit("base", scheme, identity, task, lesson)

    def receiver(self, scheme: Scheme, task: Unit, base: Unit | None) -> Unit:
        """The task model on what one base, or an untrained codec, delivers."""
        recipes = self.experiment.task_training
        sender = {"base": base.key} if base is not None else self._codec(scheme, None)
        identity = sender | {
            "task": task.key,
            "recipe": _plain(recipes.adapted),
            "snr_db": list(recipes.adapted_snr_db),
        }
        key = key_of("receiver", identity)
        needs = _ids({"codec": base, "start": task})
        lesson = Lesson(recipes.adapted, recipes.adapted_snr_db)
        name = f"{scheme.name}-{key[:8]}"
        return Unit("receiver", "receiver", key, name, needs, scheme, lesson=lesson)

    def cell(self, scheme: Scheme, snr_db: float, shared: dict[str, Unit]) -> list[Unit]:
        """One point of the grid: its codec and its receiver are trained, then it is measured."""
        training, recipes = self.experiment.train, self.experiment.task_training
        task, own = shared.get("task"), (snr_db, snr_db)
        identity = self._codec(scheme, None) | {
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
        units, codec = [], shared.get("base")
        if scheme.codec.training == "cell":
            reads = task if scheme.objective.reads_tasks else None
            needs = _ids({"start": codec, "task": reads})
            codec = Unit("codec", *place, needs, scheme, snr_db, taught)
            units.append(codec)
        receiver = None
        if task is not None:
            needs = _ids({"codec": codec, "start": shared.get("receiver", task)})
            receiver = Unit("receiver", *place, needs, scheme, snr_db, matched)
            units.append(receiver)
        needs = _ids({"codec": codec, "task": task, "receiver": receiver})
        return [*units, Unit("measured", *place, needs, scheme, snr_db)]

    def _codec(self, scheme: Scheme, task: Unit | None) -> dict[str, Any]:
        """What every codec's training depends on."""
        identity = self.common | scheme.identity() | {"retries": self.experiment.train.retries}
        if task is not None and scheme.objective.reads_tasks:
            identity["task"] = task.key
        return identity

    def _codec_unit(
        self,
        kind: str,
        scheme: Scheme,
        identity: dict[str, Any],
        task: Unit | None,
        lesson: Lesson,
        start: Unit | None = None,
    ) -> Unit:
        key = key_of(kind, identity)
        needs = _ids({"start": start, "task": task if scheme.objective.reads_tasks else None})
        name = f"{scheme.name}-{key[:8]}"
        return Unit("codec", kind, key, name, needs, scheme, lesson=lesson)


def _plain(recipe: Recipe) -> dict[str, Any]:
    return recipe.model_dump(mode="json")


def _ids(units: dict[str, Unit | None]) -> dict[str, str]:
    """Identifiers of the units that there are, by the part they play."""
    return {role: unit.id for role, unit in units.items() if unit is not None}
