"""The grid as units of work, each with a content key and the units it needs first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from semloss.channels import CHANNELS, Channel
from semloss.codecs import CODECS, Codec, Realisation
from semloss.collect.experiment import Experiment
from semloss.errors import SemlossError
from semloss.identity import digest
from semloss.tasks import TASKS
from semloss.training.loop import Recipe
from semloss.units import format_cr

#: Raised whenever the code of training or measuring changes what it gives: no older result,
#: in a run or in the cache of task models, is then taken for one of today's.
PROCEDURE = 1

#: Order of the kinds of work: what many others wait for comes first.
KINDS = ("task", "trunk", "base", "receiver", "cell")


@dataclass(frozen=True)
class Link:
    """What a codec is trained for: everything about a cell but its SNR."""

    codec: Codec
    channel: Channel
    realisation: Realisation
    seed: int

    @property
    def name(self) -> str:
        """Readable start of folder names."""
        # by the realised ratio: 1/50 asked beside 1/48 is the same codec
        cr = format_cr(self.realisation.cr).replace("/", "_")
        return f"{self.codec.label}-{self.channel.label}-cr{cr}-seed{self.seed}"


@dataclass(frozen=True)
class Unit:
    """A piece of work from disk to disk.

    Attributes
    ----------
    kind
        "task" (clean task model), "trunk" (first codec, at one CR and SNR), "base" (one CR),
        "receiver" (task model adapted to one base) or "cell".
    key
        Digest of everything its result depends on.
    name
        Folder name, unique among the run's units of its kind.
    needs
        Names of the units that must be finished first, by kind.
    link
        Codec, channel, CR and seed; None for the task model.
    snr_db
        Training SNR of a cell, else None.
    """

    kind: str
    key: str
    name: str
    needs: Mapping[str, str] = field(default_factory=dict)
    link: Link | None = None
    snr_db: float | None = None


def links(experiment: Experiment, shape: tuple[int, int, int]) -> Iterator[Link]:
    """Every codec, channel, realised CR and seed of the grid.

    Raises
    ------
    SemlossError
        When a CR cannot be realised, or two of them by the same filter count.
    """
    for codec in experiment.codecs:
        realised: dict[int, float] = {}
        for at, cr in enumerate(experiment.grid.cr):
            realisation = codec.realise(cr, shape, where=f"grid.cr[{at}]")
            other = realised.setdefault(realisation.filters, cr)
            if other != cr:
                raise SemlossError(
                    f"grid.cr: {format_cr(other)} and {format_cr(cr)} are both realised as "
                    f"{format_cr(realisation.cr)}; drop one"
                )
            for channel, seed in product(experiment.channels, experiment.grid.seeds):
                yield Link(codec, channel, realisation, seed)


def plan(
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
        When a CR cannot be realised, or two of them by the same filter count.
    """
    return _Planner(experiment, shape, identity).units()


class _Planner:
    """Gives every unit its identity: all that its result depends on, and nothing else."""

    def __init__(
        self, experiment: Experiment, shape: tuple[int, int, int], identity: dict[str, Any]
    ) -> None:
        self.experiment = experiment
        self.shape = shape
        self.common = identity | {"threads": experiment.compute.threads}

    def units(self) -> list[Unit]:
        """All units, by kind in the order of `KINDS`."""
        task = self.task()
        units = {task.name: task}
        for link in links(self.experiment, self.shape):
            needs = {"task": task}
            if self.experiment.train.strategy == "warm":
                needs["trunk"] = self.trunk(link)
                needs["base"] = self.base(link, needs["trunk"])
                needs["receiver"] = self.receiver(link, task, needs["base"])
            units |= {unit.name: unit for unit in needs.values()}
            for snr_db in self.experiment.grid.snr_db:
                cell = self.cell(link, snr_db, needs)
                units[cell.name] = cell
        return sorted(units.values(), key=lambda one: KINDS.index(one.kind))

    def task(self) -> Unit:
        """The task model on clean images."""
        options = TASKS.dump(self.experiment.task)
        recipe = _plain(self.experiment.task_training.clean)
        identity = self.common | {"task": options, "recipe": recipe}
        return _unit("task", TASKS.kind_of(self.experiment.task), identity)

    def trunk(self, link: Link) -> Unit:
        """The codec that the bases of all CRs start from: its CR does not depend on the grid."""
        training = self.experiment.train
        realisation = link.codec.realise(training.trunk_cr, self.shape, "train.trunk_cr")
        trunk = Link(link.codec, link.channel, realisation, link.seed)
        identity = self._codec(trunk) | {
            "snr_db": list(training.base_snr_db),
            "recipe": _plain(training.trunk),
        }
        return _unit("trunk", trunk.name, identity, link=trunk)

    def base(self, link: Link, trunk: Unit) -> Unit:
        """The codec that all cells of one CR start from."""
        identity = self._codec(link) | {
            "trunk": trunk.key,
            "snr_db": list(self.experiment.train.base_snr_db),
            "recipe": _plain(self.experiment.train.base_recipe(link.realisation.cr)),
        }
        return _unit("base", link.name, identity, needs={"trunk": trunk}, link=link)

    def receiver(self, link: Link, task: Unit, base: Unit) -> Unit:
        """The task model on what one base delivers."""
        recipes = self.experiment.task_training
        identity = {
            "base": base.key,
            "task": task.key,
            "recipe": _plain(recipes.adapted),
            "snr_db": list(recipes.adapted_snr_db),
        }
        needs = {"task": task, "base": base}
        return _unit("receiver", link.name, identity, needs=needs, link=link)

    def cell(self, link: Link, snr_db: float, needs: dict[str, Unit]) -> Unit:
        """One trained and measured point of the grid."""
        training, recipes = self.experiment.train, self.experiment.task_training
        identity = self._codec(link) | {
            "needs": {role: unit.key for role, unit in needs.items()},
            "snr_db": snr_db,
            "recipe": _plain(training.cell_recipe(snr_db)),
            "matched": _plain(recipes.matched_recipe(training, snr_db)),
        }
        stem = f"{link.name}-snr{snr_db:g}"
        return _unit("cell", stem, identity, needs=needs, link=link, snr_db=snr_db)

    def _codec(self, link: Link) -> dict[str, Any]:
        """What every codec's training depends on."""
        return self.common | {
            "codec": CODECS.dump(link.codec),
            "filters": link.realisation.filters,
            "channel": CHANNELS.dump(link.channel),
            "seed": link.seed,
            "retries": self.experiment.train.retries,
        }


def _plain(recipe: Recipe) -> dict[str, Any]:
    return recipe.model_dump(mode="json")


def _unit(
    kind: str,
    stem: str,
    identity: dict[str, Any],
    needs: dict[str, Unit] | None = None,
    link: Link | None = None,
    snr_db: float | None = None,
) -> Unit:
    key = digest({"kind": kind, **identity})
    names = {role: unit.name for role, unit in (needs or {}).items()}
    return Unit(kind, key, f"{stem}-{key[:8]}", names, link, snr_db)
