"""Images, networks and losses of one job, on its device."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semloss.codecs import CodecNetwork
from semloss.collect.experiment import Experiment
from semloss.collect.grid import Link, Unit
from semloss.collect.measuring import deliver, images_at
from semloss.collect.run import UnitFolder
from semloss.sources import Split, open_entry
from semloss.tasks import predict
from semloss.training.loop import Draws, augment_dihedral, autocast

#: A range of SNR in dB, lower end first; one point where both are equal.
Range = tuple[float, float]

#: Share of a label's weight given to all classes alike when a task model is trained.
LABEL_SMOOTHING = 0.1


@dataclass(frozen=True)
class Job:
    """A unit with all that a worker process needs to do it.

    Attributes
    ----------
    unit
        What to do.
    units
        All units of the run by name, for those that `unit` needs.
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
    units: dict[str, Unit]
    run: Path
    cache: Path
    images: Path
    experiment: Experiment
    split: Split
    device: str
    bf16: bool
    code: str


def shared_task(job: Job, unit: Unit) -> UnitFolder:
    """Where the clean task model lies for all runs on the same images."""
    return UnitFolder(job.cache / "tasks" / unit.name, unit.key)


class Workshop:
    """What the units of a job work with: the source's images, networks and losses."""

    def __init__(self, job: Job) -> None:
        self.experiment = job.experiment
        self.split = job.split
        # mapped from the cache: one copy in memory for all workers of a machine
        self.images = open_entry(job.images)
        self.device = torch.device(job.device)
        self.bf16 = job.bf16

    @cached_property
    def labels(self) -> Tensor:
        """Class of every image, int64 (N,)."""
        return torch.from_numpy(np.array(self.images.labels))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Bands, height, width of an image."""
        height, width, bands = self.images.images.shape[1:]
        return bands, height, width

    def new_codec(self, link: Link, seed: int) -> CodecNetwork:
        """A codec with weights drawn from `seed`, channels-last on the device."""
        network = link.codec.build(self.shape, link.realisation.filters, seed)
        self._place(network)
        return network

    def new_task(self, seed: int) -> nn.Module:
        """A task model with weights drawn from `seed`, channels-last on the device."""
        network = self.experiment.task.build(self.shape[0], len(self.images.classes), seed)
        self._place(network)
        return network

    def _place(self, network: nn.Module) -> None:
        network.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def batch(self, positions: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Training images (B, C, H, W) in [0, 1], turned at random, and their classes (B,)."""
        chosen = self.split.train[positions.numpy()]
        images = images_at(self.images.images, chosen, self.device)
        return augment_dihedral(images, draws.augment), self.labels[chosen].to(self.device)

    def codec_loss(
        self, network: CodecNetwork, link: Link, snr_db: Range
    ) -> Callable[[Tensor, Draws], Tensor]:
        """Mean squared error after the channel, each image at an SNR uniform over a range."""

        def loss(positions: Tensor, draws: Draws) -> Tensor:
            images, _ = self.batch(positions, draws)
            snr = self._snr(len(images), snr_db, draws)
            received, _ = deliver(network, link.channel, images, snr, draws.channel, self.bf16)
            return nn.functional.mse_loss(received, images)

        return loss

    def task_loss(
        self, network: nn.Module, delivered: tuple[CodecNetwork, Link, Range] | None = None
    ) -> Callable[[Tensor, Draws], Tensor]:
        """Cross-entropy on clean images or, given a trained link, on what it delivers."""

        def loss(positions: Tensor, draws: Draws) -> Tensor:
            images, classes = self.batch(positions, draws)
            if delivered is not None:
                codec, link, snr_db = delivered
                snr = self._snr(len(images), snr_db, draws)
                with torch.no_grad():
                    images, _ = deliver(codec, link.channel, images, snr, draws.channel, self.bf16)
            with autocast(self.device, self.bf16):
                logits = network(images)
            return nn.functional.cross_entropy(
                logits.float(), classes, label_smoothing=LABEL_SMOOTHING
            )

        return loss

    def _snr(self, n: int, snr_db: Range, draws: Draws) -> Tensor:
        low, high = snr_db
        uniform = torch.rand(n, generator=draws.channel, device=self.device)
        return low + (high - low) * uniform

    def predict(self, network: nn.Module, which: NDArray[np.int64]) -> NDArray[np.int64]:
        """Classes that a task model gives to clean images."""
        parts = np.array_split(which, max(1, len(which) // 128))
        images = (images_at(self.images.images, part, self.device) for part in parts)
        return torch.cat([predict(network, some) for some in images]).cpu().numpy()
