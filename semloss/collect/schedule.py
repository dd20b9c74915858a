"""The grid as units of work, each after those it needs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from semloss.channels import CHANNELS
from semloss.collect.experiment import Experiment, TaskEntry
from semloss.collect.scheme import Point, Scheme, heard, run_on_board, schemes
from semloss.collect.sections import Use
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
        precision, procedure; and the content of the maps, for tasks that read them.

    Raises
    ------
    SemlossError
        When a CR cannot be realised, or two of them by the same setting.
    """
    return _Scheduling(experiment, shape, identity).units()


@dataclass(frozen=True)
class _Cell:
    """One point of the grid on its way to its measurement.

    Attributes
    ----------
    scheme, snr_db
        Which it is.
    place
        Kind, key and name of its folder.
    units
        What is done for it alone before it is measured.
    needs
        What the measurement needs, by the part it plays.
    """

    scheme: Scheme
    snr_db: float
    place: tuple[str, str, str]
    units: list[Unit]
    needs: dict[str, Unit]


class _Scheduling:
    """Gives every unit its identity: all that its result depends on, and nothing else.

    The first task model is part of a cell's identity, as it was when there was but one; others
    stand beside it, so that another one costs its own training and a measurement.
    """

    def __init__(
        self, experiment: Experiment, shape: tuple[int, int, int], identity: dict[str, Any]
    ) -> None:
        self.experiment = experiment
        self.shape = shape
        self.maps = identity.get("maps")
        shared = {name: value for name, value in identity.items() if name != "maps"}
        self.common = shared | {"threads": experiment.compute.threads}
        self.first = experiment.tasks[0]

    def units(self) -> list[Unit]:
        """All units, by kind in the order of `KINDS`."""
        units: dict[str, Unit] = {}
        cells: list[_Cell] = []
        for scheme in schemes(self.experiment, self.shape):
            shared = self.shared(scheme)
            starts = self.starts(scheme, shared)
            cells += [self.cell(scheme, s, shared, starts) for s in self.experiment.grid.snr_db]
            found = [*self._judges(scheme).values(), *shared.values(), *starts.values()]
            if not self._wants(self.first, "matched"):
                found = [unit for unit in found if unit is not shared.get("receiver")]
            units |= {unit.id: unit for unit in found}
        families: dict[tuple[Any, ...], list[_Cell]] = {}
        for cell in cells:
            families.setdefault(cell.scheme.family, []).append(cell)
        flown = {family: self.deployable(of) for family, of in families.items()}
        for cell in cells:
            needs = cell.needs | flown[cell.scheme.family]
            measured = Unit("measured", *cell.place, _ids(needs), cell.scheme, cell.snr_db)
            units |= {unit.id: unit for unit in (*cell.units, *needs.values(), measured)}
        return sorted(self._taught(units).values(), key=lambda one: KINDS.index(one.kind))

    def shared(self, scheme: Scheme) -> dict[str, Unit]:
        """What the cells of one scheme start from, by the part it plays."""
        shared: dict[str, Unit] = {}
        mode, warm = scheme.codec.training, self.experiment.train.strategy == "warm"
        if self.first in self._heard(scheme):
            shared["task"] = self.clean(self.first)
        if mode == "cell" and warm:
            shared["trunk"] = self.trunk(scheme)
            shared["base"] = self.base(scheme, shared["trunk"])
        if mode in ("range", "plane"):
            shared["base"] = self.serving(scheme)
        if "task" in shared and (mode != "cell" or warm):
            shared["receiver"] = self.receiver(self.first, scheme, shared.get("base"))
        return shared

    def starts(self, scheme: Scheme, shared: dict[str, Unit]) -> dict[str, Unit]:
        """What the matched model of each task starts from, by the task's label."""
        starts = {}
        for entry in self._heard(scheme):
            if not self._wants(entry, "matched"):
                continue
            if entry is self.first:
                starts[entry.label] = shared.get("receiver", shared["task"])
            elif scheme.codec.training != "cell" or "base" in shared:
                starts[entry.label] = self.receiver(entry, scheme, shared.get("base"))
            else:
                starts[entry.label] = self.clean(entry)
        return starts

    def clean(self, entry: TaskEntry) -> Unit:
        """A task model on clean images."""
        task, recipe = entry.task, entry.training.clean
        identity = self.common | {"task": task.identity(), "recipe": _plain(recipe)}
        if task.reads_maps:
            identity["maps"] = self.maps
        teachers = {f"teacher {one.label}": self.clean(one) for one in self._teachers(entry)}
        identity |= {role: unit.key for role, unit in teachers.items()}
        key = key_of("task", identity)
        name = f"{TASKS.kind_of(task)}-{key[:8]}"
        needs = _ids(teachers)
        return Unit("task", "task", key, name, needs, lesson=Lesson(recipe), task=entry.label)

    def _teachers(self, entry: TaskEntry) -> list[TaskEntry]:
        heard = entry.task.listens_to()
        return [one for one in self.experiment.tasks if one.label in heard]

    def _taught(self, units: dict[str, Unit]) -> dict[str, Unit]:
        """The units with those that the task models among them are taught by, teachers first."""
        heard: dict[str, Unit] = {}
        for entry in reversed(self.experiment.tasks):  # a teacher stands before its students
            unit = self.clean(entry)
            if unit.id in units or unit.id in heard:
                teachers = [self.clean(one) for one in self._teachers(entry)]
                heard = {one.id: one for one in (*teachers, unit)} | heard
        return heard | units

    def trunk(self, scheme: Scheme) -> Unit:
        """The codec that the bases of all CRs start from: its CR does not depend on the grid."""
        training, scheme = self.experiment.train, scheme.of_training
        realisation = scheme.codec.realise(training.trunk_cr, self.shape, "train.trunk_cr")
        lesson = Lesson(training.trunk, training.base_snr_db)
        return self._codec_unit("trunk", replace(scheme, realisation=realisation), lesson)

    def base(self, scheme: Scheme, trunk: Unit) -> Unit:
        """The codec that all cells of one CR start from."""
        training = self.experiment.train
        lesson = Lesson(training.base_recipe(scheme.realisation.cr), training.base_snr_db)
        return self._codec_unit("base", scheme.of_training, lesson, trunk)

    def serving(self, scheme: Scheme) -> Unit:
        """The codec that serves all SNR at one CR, or at all: then it is made for the largest."""
        training, codec, scheme = self.experiment.train, scheme.codec, scheme.of_training
        if codec.training == "range":
            lesson = Lesson(training.independent, training.range_snr_db)
            return self._codec_unit("base", scheme, lesson)
        serves = training.range_cr, training.low_cr_share
        lesson = Lesson(training.independent, training.range_snr_db, *serves)
        realisation = codec.realise(training.range_cr[1], self.shape, "train.range_cr[1]")
        return self._codec_unit("trunk", replace(scheme, realisation=realisation), lesson)

    def receiver(self, entry: TaskEntry, scheme: Scheme, base: Unit | None) -> Unit:
        """The task model on what one base, or an untrained codec, delivers."""
        recipes, clean, sender = entry.training, self.clean(entry), {}
        if scheme.codec.training in ("none", "plane"):  # no base of the scheme's own tells of it
            sender = self._codec(scheme)
        if base is not None:
            sender["base"] = base.key
            if scheme.channel.trained_over is not None:  # the base does not tell of the channel
                sender["channel"] = CHANNELS.dump(scheme.channel)
        identity = sender | {
            "task": clean.key,
            "recipe": _plain(recipes.adapted),
            "snr_db": list(recipes.adapted_snr_db),
        }
        needs = {"codec": base, "start": clean}
        lesson = Lesson(recipes.adapted, recipes.adapted_snr_db)
        return self._receiver_unit(entry, scheme, scheme.name, identity, needs, lesson)

    def cell(
        self, scheme: Scheme, snr_db: float, shared: dict[str, Unit], starts: dict[str, Unit]
    ) -> _Cell:
        """One point of the grid: its codec and its receivers are trained."""
        at = scheme.codec.at(scheme.realisation, self.shape, snr_db)
        scheme = replace(scheme, realisation=at)
        training, own = self.experiment.train, (snr_db, snr_db)
        identity = self._codec(scheme) | {
            "needs": {role: unit.key for role, unit in shared.items()},
            "snr_db": snr_db,
        }
        taught = Lesson(training.cell_recipe(snr_db), own)
        if scheme.codec.training == "cell":
            identity["recipe"] = _plain(taught.recipe)
        if "task" in shared:
            matched = self.first.training.matched_recipe(training, snr_db)
            identity["matched"] = _plain(matched)
        key = key_of("cell", identity)
        place = ("cell", key, f"{scheme.name}-snr{snr_db:g}-{key[:8]}")
        needs: dict[str, Unit] = {}
        cell = _Cell(scheme, snr_db, place, [], needs)
        codec = shared.get("base")
        if scheme.codec.training == "cell":
            start = _ids({"start": codec, **self._judges(scheme)})
            codec = Unit("codec", *place, start, scheme, snr_db, taught)
            cell.units.append(codec)
        if codec is not None:
            needs["codec"] = codec
        if (run := run_on_board(self.experiment, scheme.codec)) is not None:
            needs[f"clean {run.label}"] = self.clean(run)
        for entry in self._heard(scheme):
            needs[f"clean {entry.label}"] = self.clean(entry)
            if self._wants(entry, "matched"):
                matched_unit = self.matched(entry, cell, starts[entry.label])
                needs[f"matched {entry.label}"] = matched_unit
        cell.units.extend(unit for unit in needs.values() if unit.name == place[2])
        return cell

    def matched(self, entry: TaskEntry, cell: _Cell, start: Unit) -> Unit:
        """The task model on what one cell delivers; that of the first task lies with the cell."""
        recipe = entry.training.matched_recipe(self.experiment.train, cell.snr_db)
        lesson = Lesson(recipe, (cell.snr_db, cell.snr_db))
        needs, scheme = {"codec": cell.needs.get("codec"), "start": start}, cell.scheme
        if entry is self.first:
            own = _ids(needs)
            return Unit("receiver", *cell.place, own, scheme, cell.snr_db, lesson, task=entry.label)
        identity = {"cell": cell.place[1], "start": start.key, "recipe": _plain(recipe)}
        name = f"{scheme.name}-snr{cell.snr_db:g}"
        return self._receiver_unit(entry, scheme, name, identity, needs, lesson)

    def deployable(self, cells: list[_Cell]) -> dict[str, Unit]:
        """The task models on what all cells of a grid deliver, by the part they play."""
        scheme, flown = cells[0].scheme, {}
        for entry in self._heard(scheme):
            if not self._wants(entry, "deployable"):
                continue
            recipe, start = entry.training.deployable, self.clean(entry)
            identity = {
                "cells": [cell.place[1] for cell in cells],
                "start": start.key,
                "recipe": _plain(recipe),
            }
            needs = {
                Point(cell.scheme, cell.snr_db).role: cell.needs.get("codec") for cell in cells
            }
            needs["start"] = start
            flown[f"deployable {entry.label}"] = self._receiver_unit(
                entry, scheme, scheme.named("grid"), identity, needs, Lesson(recipe)
            )
        return flown

    def _receiver_unit(
        self,
        entry: TaskEntry,
        scheme: Scheme,
        name: str,
        identity: dict[str, Any],
        needs: dict[str, Unit | None],
        lesson: Lesson,
    ) -> Unit:
        key = key_of("receiver", identity)
        if entry is not self.first:
            name += f"-{entry.label}"
        place = ("receiver", key, f"{name}-{key[:8]}")
        return Unit("receiver", *place, _ids(needs), scheme, lesson=lesson, task=entry.label)

    def _heard(self, scheme: Scheme) -> list[TaskEntry]:
        """The tasks that can read what the scheme's codec delivers."""
        return heard(self.experiment, scheme.codec)

    def _wants(self, entry: TaskEntry, use: Use) -> bool:
        return use in entry.training.uses

    def _judges(self, scheme: Scheme) -> dict[str, Unit]:
        """The task models that its objective reads, or its sender, by the part they play."""
        entries = [*self.experiment.tasks_of(scheme.objective)]
        if (run := run_on_board(self.experiment, scheme.codec)) is not None:
            entries.append(run)
        return {f"clean {entry.label}": self.clean(entry) for entry in entries}

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
            if lesson.low_cr_share != 0.5:  # before there was a choice
                identity["low_cr_share"] = lesson.low_cr_share
        if start is not None:
            identity[start.kind] = start.key
        key = key_of(kind, identity)
        needs = _ids({"start": start, **self._judges(scheme)})
        return Unit("codec", kind, key, f"{scheme.name}-{key[:8]}", needs, scheme, lesson=lesson)


def _plain(recipe: Recipe) -> dict[str, Any]:
    return recipe.model_dump(mode="json")


def _ids(units: Mapping[str, Unit | None]) -> dict[str, str]:
    """Identifiers of the units that there are, by the part they play."""
    return {role: unit.id for role, unit in units.items() if unit is not None}
