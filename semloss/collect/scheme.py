"""What a cell is beside its SNR: a codec at one CR, for one objective, over one channel."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from semloss.channels import CHANNELS, Channel
from semloss.codecs import CODECS, Codec, Realisation
from semloss.collect.experiment import Experiment, TaskEntry
from semloss.errors import SemlossError
from semloss.metrics import Delivery
from semloss.objectives import OBJECTIVES, Maps, Mse, Objective
from semloss.tasks import Classifier
from semloss.units import format_cr

#: What a codec is trained for where no objective of the experiment reads what it delivers.
USUAL: dict[Delivery, Objective] = {"image": Mse(), "maps": Maps()}


@dataclass(frozen=True)
class Scheme:
    """Codec, channel, objective, realised CR and seed: everything about a cell but its SNR."""

    codec: Codec
    channel: Channel
    objective: Objective
    realisation: Realisation
    seed: int

    @property
    def family(self) -> tuple[Any, ...]:
        """What it shares with the schemes that differ from it in CR alone."""
        return self.codec, self.channel, self.objective, self.seed

    @property
    def of_training(self) -> "Scheme":
        """What its codec is trained as: over another channel, where its own says so."""
        return replace(self, channel=self.channel.of_training)

    @property
    def k(self) -> int:
        """Channel uses per image: the codec's symbols and what the channel needs beside them."""
        return self.channel.on_air(self.realisation.k)

    @property
    def cr(self) -> float:
        """CR = k/n with all channel uses counted."""
        codecs = self.realisation
        return codecs.cr if self.k == codecs.k else codecs.cr * self.k / codecs.k

    @property
    def name(self) -> str:
        """Readable start of folder names."""
        # by the realised ratio: 1/50 asked beside 1/48 is the same codec
        return self.named("cr" + format_cr(self.cr).replace("/", "_"))

    def named(self, part: str) -> str:
        """Readable start of folder names for a part of its family."""
        codec = self.codec.label
        if self.objective != Mse():
            codec += f"-{self.objective.label}"
        return f"{codec}-{self.channel.full_label}-{part}-seed{self.seed}"

    def identity(self) -> dict[str, Any]:
        """What the codec's training depends on, as JSON; the usual objective goes without."""
        setting = dict(self.realisation.setting)
        identity = {
            "codec": CODECS.dump(self.codec),
            # before there were settings there were filters: the keys of their runs stay
            **(setting if set(setting) == {"filters"} else {"setting": setting}),
            "channel": CHANNELS.dump(self.channel),
            "seed": self.seed,
        }
        if self.objective != Mse():
            identity["objective"] = OBJECTIVES.dump(self.objective)
        return identity

    def columns(self) -> dict[str, Any]:
        """What the tables say of it."""
        realised = self.realisation
        return {
            "codec": self.codec.kind,
            "codec_label": self.codec.label,
            "objective": "none" if self.codec.training == "none" else self.objective.label,
            "channel": self.channel.full_label,
            "cr": self.cr,
            "cr_nominal": realised.cr_nominal,
            "setting": realised.label,
            "k": self.k,
            "seed": self.seed,
        }


def schemes(experiment: Experiment, shape: tuple[int, int, int]) -> Iterator[Scheme]:
    """Every codec, realised CR, channel, objective and seed of the grid.

    Raises
    ------
    SemlossError
        When a CR cannot be realised, two of them by the same setting, no codec delivers what an
        objective judges, or a sender is to run a task model that it cannot.
    """
    for codec in experiment.codecs:
        run_on_board(experiment, codec)
        objectives = objectives_of(experiment, codec)
        ratios = enumerate(experiment.grid.cr[: None if codec.takes_cr else 1])
        realised: dict[tuple[str, str], float] = {}
        for (at, cr), channel in product(ratios, experiment.channels):
            realisation = _realised(codec, channel, cr, shape, f"grid.cr[{at}]")
            other = realised.setdefault((channel.full_label, realisation.label), cr)
            if other != cr:
                raise SemlossError(
                    f"grid.cr: {format_cr(other)} and {format_cr(cr)} are both realised as "
                    f"{format_cr(realisation.cr)}; drop one"
                )
            for objective, seed in product(objectives, experiment.grid.seeds):
                yield Scheme(codec, channel, objective, realisation, seed)


def _realised(
    codec: Codec, channel: Channel, cr: float, shape: tuple[int, int, int], where: str
) -> Realisation:
    """The codec's symbols that make this CR together with what the channel needs beside them."""
    uses = max(1, round(cr * math.prod(shape)))
    own = codec.realise(cr * (uses / channel.on_air(uses)), shape, where)
    return replace(own, cr_nominal=cr)


def run_on_board(experiment: Experiment, codec: Codec) -> TaskEntry | None:
    """The task model that a codec's sender runs.

    Raises
    ------
    SemlossError
        When there is none of its name, or it cannot be run there.
    """
    label = codec.runs([entry.label for entry in experiment.tasks])
    if label is None:
        return None
    entry = next(one for one in experiment.tasks if one.label == label)
    if codec.delivers == "answer" and not isinstance(entry.task, Classifier):
        raise SemlossError(
            f"codec {codec.label} sends the class that the first task model gives, and task "
            f"{label} gives none; put a classifier first"
        )
    if codec.training != "none" and (entry.training.unseen or entry.task.reads != "image"):
        why = "is kept from all that is trained (unseen)" if entry.training.unseen else "reads none"
        raise SemlossError(
            f"codec {codec.label} is trained with task {label}, which {why}; name another by "
            "codec.task"
        )
    return entry


def heard(experiment: Experiment, codec: Codec) -> list[TaskEntry]:
    """The task models that can be fine-tuned on what a codec delivers, and judge it.

    Those that read it; where it is maps, the one that makes them on board.
    """
    run = run_on_board(experiment, codec) if codec.delivers == "maps" else None
    return [one for one in experiment.tasks if one is run or one.task.reads == codec.delivers]


def objectives_of(experiment: Experiment, codec: Codec) -> tuple[Objective, ...]:
    """The objectives that a codec is trained for; one that is not trained counts once.

    Those that read what it delivers, or else the usual one.
    """
    delivered = {one.delivers for one in experiment.codecs}
    for objective in experiment.objectives:
        if objective != Mse() and objective.reads not in delivered:
            raise SemlossError(
                f"objective {objective.label} reads what delivers {objective.reads}, and no codec "
                f"here does ({codec.label} delivers {codec.delivers}); choose another of either"
            )
    if codec.training == "none":
        return (Mse(),)
    own = tuple(one for one in experiment.objectives if one.reads == codec.delivers)
    if own:
        return own
    if codec.delivers not in USUAL:
        raise SemlossError(
            f"codec {codec.label} delivers {codec.delivers}, and no objective reads that"
        )
    return (USUAL[codec.delivers],)


@dataclass(frozen=True)
class Point:
    """A cell of the grid: a scheme at an SNR in dB."""

    scheme: Scheme
    snr_db: float

    @property
    def role(self) -> str:
        """What its codec is to a unit that needs those of many cells."""
        return f"codec {self.scheme.realisation.label} {self.snr_db:g}"


def points(experiment: Experiment, scheme: Scheme, shape: tuple[int, int, int]) -> list[Point]:
    """All cells of the grid that differ from a scheme in CR and SNR alone."""
    return [
        Point(one, snr_db)
        for one in schemes(experiment, shape)
        if one.family == scheme.family
        for snr_db in experiment.grid.snr_db
    ]
