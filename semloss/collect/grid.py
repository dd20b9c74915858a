"""The grid as units of work, each with a content key and the units it needs first."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from semloss.channels import CHANNELS, Channel
from semloss.codecs import CODECS, Codec, Realisation
from semloss.collect.experiment import Experiment
from semloss.errors import SemlossError
from semloss.identity import digest
from semloss.tasks import TASKS
from semloss.units import format_cr

#: Raised whenever the code of training or measuring changes what it gives: no older result,
#: in a run or in the cache of task models, is then taken for one of today's.
PROCEDURE = 1

#: Order of the kinds of work: what many others wait for comes first.
KINDS = ("task", "base", "receiver", "cell")


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
        cr = format_cr(self.realisation.cr_nominal).replace("/", "_")
        return f"{self.codec.label}-{self.channel.label}-cr{cr}-seed{self.seed}"


@dataclass(frozen=True)
class Unit:
    """A piece of work from disk to disk.

    Attributes
    ----------
    kind
        "task" (clean task model), "base" (codec at a middle SNR), "receiver" (task model
        adapted to one base) or "cell".
    key
        Digest of everything its result depends on.
    name
        Folder name, unique in the run.
    needs
        Names of the units that must be finished first.
    link
        Codec, channel, CR and seed; None for the task model.
    snr_db
        Training SNR of a cell, else None.
    """

    kind: str
    key: str
    name: str
    needs: tuple[str, ...] = ()
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
    experiment: Experiment, shape: tuple[int, int, int], data: dict[str, str], bf16: bool
) -> list[Unit]:
    """All units of an experiment, each after those it needs.

    Parameters
    ----------
    experiment
        The checked experiment.
    shape
        Bands, height and width of an image.
    data
        Content hashes of the images and of the split.
    bf16
        Whether networks are trained in bfloat16.
    """
    training = experiment.train
    recipes = experiment.task_training
    common: dict[str, Any] = {
        **data,
        "procedure": PROCEDURE,
        "bf16": bf16,
        "threads": experiment.compute.threads,
    }

    def unit(kind: str, stem: str, identity: dict[str, Any], **rest: Any) -> Unit:  # noqa: ANN401
        key = digest({"kind": kind, **identity})
        return Unit(kind, key, f"{stem}-{key[:8]}", **rest)

    task = unit(
        "task",
        TASKS.kind_of(experiment.task),
        common
        | {"task": TASKS.dump(experiment.task), "recipe": recipes.clean.model_dump(mode="json")},
    )
    units = [task]
    for link in links(experiment, shape):
        trained = common | {
            "codec": CODECS.dump(link.codec),
            "filters": link.realisation.filters,
            "channel": CHANNELS.dump(link.channel),
            "seed": link.seed,
            "retries": training.retries,
        }
        needs: tuple[str, ...] = (task.name,)
        if training.strategy == "warm":
            base = unit(
                "base",
                link.name,
                trained
                | {
                    "snr_db": list(training.base_snr_db),
                    "recipe": training.base.model_dump(mode="json"),
                },
                link=link,
            )
            receiver = unit(
                "receiver",
                link.name,
                {
                    "base": base.key,
                    "task": task.key,
                    "recipe": recipes.adapted.model_dump(mode="json"),
                    "snr_db": list(recipes.adapted_snr_db),
                },
                needs=(task.name, base.name),
                link=link,
            )
            units += [base, receiver]
            needs = (task.name, base.name, receiver.name)
            origin = {"base": base.key, "receiver": receiver.key}
            matched = recipes.matched
        else:
            origin = {"task": task.key}
            matched = recipes.adapted
        for snr_db in experiment.grid.snr_db:
            units.append(
                unit(
                    "cell",
                    f"{link.name}-snr{snr_db:g}",
                    trained
                    | origin
                    | {
                        "snr_db": snr_db,
                        "recipe": training.cell_recipe(snr_db).model_dump(mode="json"),
                        "matched": matched.model_dump(mode="json"),
                    },
                    needs=needs,
                    link=link,
                    snr_db=snr_db,
                )
            )
    return sorted(units, key=lambda one: KINDS.index(one.kind))
