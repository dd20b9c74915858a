"""Measure what arrives over a trained link: images, symbols, and answers to them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semloss.collect.stages.chain import Chain, images_at, pixels_of
from semloss.identity import seed_for
from semloss.interruption import look
from semloss.metrics import Asked, Delivery, ImageMetric, Measurement, mean_measurement
from semloss.outcomes import encoded
from semloss.sources import ImageSet
from semloss.tasks import Answers, Hearing, Said, Task

#: Images per batch of a measurement. The channel's draws follow it, so it is not an option.
BATCH = 64

#: Pixels per batch on a GPU, which that fills.
GPU_PIXELS = 1 << 22


@dataclass(frozen=True)
class TestSet:
    """What is sent: test images of a source, on a device."""

    images: ImageSet
    positions: NDArray[np.int64]
    device: torch.device

    def batches(self) -> list[Tensor]:
        """Images (B, C, H, W) in [0, 1], batch by batch."""
        size, pixels = BATCH, pixels_of(self.images, self.device)
        if self.device.type == "cuda":
            height, width = self.images.images.shape[1:3]
            size = max(BATCH, GPU_PIXELS // (height * width))
        starts = range(0, len(self.positions), size)
        parts = (self.positions[start : start + size] for start in starts)
        return [images_at(pixels, part, self.device) for part in parts]


@dataclass(frozen=True)
class Listeners:
    """Task models of one task at the receiver, and what they are judged by.

    Attributes
    ----------
    task
        The task.
    networks
        Its models by what they were trained on ("clean", "matched", "deployable").
    truth, clean
        What is right for each test image, and what the clean model says of it as it was sent.
    asked
        What they are judged by beside the task's own measures.
    """

    task: Task
    networks: Mapping[str, nn.Module]
    truth: Answers
    clean: Said
    asked: Asked

    def judge(self, said: Said) -> list[Measurement]:
        """Measures of what a model said of the images that were delivered."""
        n_classes = len(self.asked.classes)
        found = self.task.measure(self.truth, said.answers, self.clean.answers, n_classes)
        return found + self.task.risk(self.truth, said, self.clean, self.asked)


def readable(metrics: list[ImageMetric], images: ImageSet, delivers: Delivery) -> list[ImageMetric]:
    """The metrics that these images can have, as a codec delivers them."""
    height, width, bands = images.images.shape[1:]
    return [
        one
        for one in metrics
        if one.reads == delivers and one.unavailable(bands, height, width) is None
    ]


def measure(
    chain: Chain,
    sent: TestSet,
    snr_db: float,
    metrics: list[ImageMetric],
    listeners: Sequence[Listeners],
    key: str,
) -> list[dict[str, Any]]:
    """Measure one trained link at a test SNR.

    Parameters
    ----------
    chain
        The trained link.
    sent
        What is sent over it.
    snr_db
        Es/N0 in dB, with channel draws of its own, derived from `key`.
    metrics
        Image metrics that these images can have.
    listeners
        Task models at the receiver, by task.
    key
        Content key of the cell.

    Returns
    -------
    list of dict
        ``snr_db``, ``task``, ``receiver`` and the fields of a `Measurement`, one for each metric,
        its outcomes as text. Receptions are measured as float32, not rounded to 8 bits.
    """
    generator = torch.Generator(sent.device).manual_seed(seed_for(key, f"measure/{snr_db:g}"))
    networks = [(of, name, network) for of in listeners for name, network in of.networks.items()]
    values: dict[str, list[Tensor]] = {one.name: [] for one in metrics}
    heard = [Hearing(of.task, network) for of, _, network in networks]
    told: dict[str, list[Tensor]] = {}
    with torch.inference_mode():
        for images in sent.batches():
            look()
            arrived, symbols = chain.send(images, snr_db, generator)
            for metric in metrics:
                values[metric.name].append(metric.per_image(images, arrived).cpu())
            for name, of_symbols in chain.told(symbols).items():
                told.setdefault(name, []).append(of_symbols.cpu())
            for one in heard:
                one.take(arrived)
    found = [("none", "none", one.summarise(torch.cat(values[one.name]))) for one in metrics]
    found += [("none", "none", mean_measurement(n, torch.cat(parts))) for n, parts in told.items()]
    for one, (of, name, _) in zip(heard, networks, strict=True):
        found += [(of.task.label, name, measure) for measure in of.judge(one.said())]
    return [
        {"snr_db": snr_db, "task": label, "receiver": receiver, **_plain(one, len(sent.positions))}
        for label, receiver, one in found
    ]


def _plain(one: Measurement, n_images: int) -> dict[str, Any]:
    """A measurement as JSON can hold it: the spread of a single image is unknown, not nan.

    Outcomes are kept where they are those of the test images.
    """
    row = {field.name: getattr(one, field.name) for field in fields(one)}
    unknown = {key for key in ("sd", "se") if math.isnan(row[key])}
    outcomes = row.pop("outcomes")
    if outcomes is not None and len(outcomes) == n_images:
        row["outcomes"] = encoded(outcomes)
    return row | dict.fromkeys(unknown)
