"""Pieces of work: one stage of one folder, with a content key and what must be there first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semloss.collect.experiment import Experiment
from semloss.collect.scheme import Scheme
from semloss.identity import digest
from semloss.sources import Split
from semloss.training import Recipe

#: A range of SNR in dB or of CR, lower end first; one point where both are equal.
Range = tuple[float, float]

#: Folders of a run, in the order of their work: what many others wait for comes first.
KINDS = ("task", "trunk", "base", "receiver", "cell")


@dataclass(frozen=True)
class Lesson:
    """How a network is trained: its recipe, the SNR that it hears, and the CR that it serves.

    `low_cr_share`: see `Train`.
    """

    recipe: Recipe
    snr_db: Range | None = None
    cr: Range | None = None
    low_cr_share: float = 0.5


@dataclass(frozen=True)
class Unit:
    """A piece of work from disk to disk.

    Attributes
    ----------
    stage
        Name of the stage, a key of `semloss.collect.stages.STAGES`; the file of its record.
    kind
        "task" (clean task model), "trunk" (first codec, or one for all CR), "base" (one CR),
        "receiver" (task model adapted to one base, to the whole grid, or beside the first one to
        a cell) or "cell".
    key
        Digest of everything its result depends on. The stages of a folder share it.
    name
        Folder name, unique among the run's folders of its kind.
    needs
        Identifiers of the units that must be finished first, by the part they play.
    scheme
        Codec, channel, objective, CR and seed; None for the task model.
    snr_db
        SNR of a cell, else None.
    lesson
        How its network is trained; None where nothing is.
    task
        Label of the task model that is trained, or taken as the start; "" for codecs and cells.
    """

    stage: str
    kind: str
    key: str
    name: str
    needs: Mapping[str, str] = field(default_factory=dict)
    scheme: Scheme | None = None
    snr_db: float | None = None
    lesson: Lesson | None = None
    task: str = ""

    @property
    def folder(self) -> str:
        """Folder within the run."""
        return f"{self.kind}s/{self.name}"

    @property
    def id(self) -> str:
        """What sets it apart from all others of the run."""
        return f"{self.folder}/{self.stage}"

    @property
    def own_scheme(self) -> Scheme:
        """The scheme of what has one: all but a clean task model."""
        assert self.scheme is not None
        return self.scheme

    @property
    def own_snr_db(self) -> float:
        """The SNR of a cell."""
        assert self.snr_db is not None
        return self.snr_db

    @property
    def own_lesson(self) -> Lesson:
        """The lesson of a unit that trains."""
        assert self.lesson is not None
        return self.lesson

    @property
    def title(self) -> str:
        """What it is to a reader of the progress."""
        part = f", {self.stage}" if self.kind == "cell" and self.stage != "measured" else ""
        return f"{self.kind} {self.name}{part}"


def key_of(kind: str, identity: Mapping[str, Any]) -> str:
    """Content key of a folder from all that its results depend on."""
    return digest({"kind": kind, **identity})


@dataclass(frozen=True)
class Job:
    """A unit with all that a worker process needs to do it.

    Attributes
    ----------
    unit, needs
        What to do, and the units that it needs, by the part they play.
    run
        Folder of the run.
    cache
        Folder of the task models that runs share.
    images
        Cache entry of the decoded images.
    experiment, split
        What is measured, and on which images.
    device
        "cpu" or "cuda".
    bf16
        Whether networks are trained in bfloat16.
    code
        Digest of semloss' own code.
    """

    unit: Unit
    needs: Mapping[str, Unit]
    run: Path
    cache: Path
    images: Path
    experiment: Experiment
    split: Split
    device: str
    bf16: bool
    code: str
