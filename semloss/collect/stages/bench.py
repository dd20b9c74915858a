"""Images, networks and losses of one job, on its device."""

from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semloss.codecs import CodecNetwork
from semloss.collect.run import Run, UnitFolder
from semloss.collect.scheme import Scheme, run_on_board
from semloss.collect.stages.attempts import Attempts, Record
from semloss.collect.stages.chain import Chain, images_at, pixels_of
from semloss.collect.stages.subject import Subject
from semloss.collect.units import Job, Range, Unit
from semloss.objectives import Batch
from semloss.sources import open_entry
from semloss.tasks import Said, Task, say
from semloss.training import Draws, Reading, Streamed, draw_symmetry


class Damaged(Exception):  # noqa: N818 - an outcome that the scheduler mends
    """The weights of a unit that another one needs are not whole; it names the former."""


class Bench:
    """What the stages of a job work with: its folders, the source's images, and networks."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.experiment = job.experiment
        self.split = job.split
        self.run = Run(job.run)
        # mapped from the cache: one copy in memory for all workers of a machine
        self.images = open_entry(job.images)
        self.device = torch.device(job.device)
        self.pixels = pixels_of(self.images, self.device)

    @cached_property
    def subjects(self) -> dict[str, Subject]:
        """The experiment's tasks by their label."""
        tasks = self.experiment.tasks
        return {one.label: Subject(one, self.images, self.device) for one in tasks}

    @property
    def shape(self) -> tuple[int, int, int]:
        """Bands, height, width of an image."""
        height, width, bands = self.images.images.shape[1:]
        return bands, height, width

    # -- what other units left ----------------------------------------------------------------

    def folder(self, unit: Unit) -> UnitFolder:
        """Folder of a unit."""
        return self.run.folder(unit)

    def load(self, role: str, network: nn.Module) -> Record:
        """Put the weights of a unit that this one needs into `network`; return its record.

        Raises
        ------
        Damaged
            When they are not whole: the unit then counts as not done.
        """
        unit = self.job.needs[role]
        folder = self.folder(unit)
        record = folder.load(unit.stage, network)
        if record is None:
            folder.forget(unit.stage)
            raise Damaged(unit.id)
        return record

    def attempts(self, unit: Unit, folder: UnitFolder | None = None) -> Attempts:
        """The training of a unit, in its own folder or in another."""
        return Attempts(
            self.run,
            folder or self.folder(unit),
            unit.stage,
            unit.own_lesson.recipe,
            self.experiment.train.retries,
            len(self.split.train),
            self.reading,
        )

    # -- networks -----------------------------------------------------------------------------

    def new_codec(self, scheme: Scheme, seed: int) -> CodecNetwork:
        """A codec with weights drawn from `seed`, channels-last on the device.

        The task model that its sender runs is that which was trained, as far as it is by now.
        """
        network = scheme.codec.build(self.shape, scheme.realisation, seed)
        run = run_on_board(self.experiment, scheme.codec)
        if run is not None:
            model, role = self.subjects[run.label].network(), f"clean {run.label}"
            need = self.job.needs.get(role)
            if need is not None and self.folder(need).read(need.stage) is not None:
                self.load(role, model)
            network.attend(model.eval())
        network.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network

    def chain(self, scheme: Scheme, codec: CodecNetwork) -> Chain:
        """A codec over the scheme's channel, in the precision of training."""
        return Chain(codec, scheme.channel, self.job.bf16)

    # -- data ---------------------------------------------------------------------------------

    def batch(self, positions: Tensor, draws: Draws, *subjects: Subject) -> Batch:
        """Training images, turned at random, and their truths; a map turns with its image."""
        chosen = self._training.index_select(0, positions)
        turn = draw_symmetry(draws.augment)
        truths = {one.label: one.truth_here.index_select(0, chosen) for one in subjects}
        images = images_at(self.pixels, chosen, self.device)
        turned = {name: turn(one) if one.ndim > 2 else one for name, one in truths.items()}
        return Batch(turn(images), turned, draws.progress)

    @cached_property
    def reading(self) -> Reading | None:
        """Where training images come from that the device does not hold all at once."""
        if not isinstance(self.pixels, Streamed):
            return None
        return Reading(self.pixels, torch.from_numpy(self.split.train))

    @cached_property
    def _training(self) -> Tensor:
        """Positions of the training images in the source, on the device."""
        return torch.from_numpy(self.split.train).to(self.device)

    def uniform(self, n: int, ends: Range, draws: Draws) -> Tensor:
        """A number for each of n images, uniform over a range."""
        low, high = ends
        uniform = torch.rand(n, generator=draws.channel, device=self.device)
        return low + (high - low) * uniform

    def say(self, task: Task, network: nn.Module, which: NDArray[np.int64]) -> Said:
        """What a task model says of clean images."""
        parts = np.array_split(which, max(1, len(which) // 128))
        images = (images_at(self.pixels, part, self.device) for part in parts)
        return say(task, network, images)
