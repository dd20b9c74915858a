"""Send images over a trained link and measure what arrives."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semloss.channels import Channel
from semloss.codecs import CodecNetwork
from semloss.identity import seed_for
from semloss.metrics import ImageMetric, mean_measurement, measure_classification, papr_db
from semloss.metrics.distortion import Psnr
from semloss.sources import ImageSet, Split
from semloss.training.loop import Diverged, autocast

#: Images per batch of a measurement. The channel's draws follow it, so it is not an option.
BATCH = 64

#: A codec whose validation PSNR is not this far above that of the mean image has collapsed.
COLLAPSE_MARGIN_DB = 1.0

#: Capacity in bits per image from which a link must do better than a mean image.
BITS_TO_TELL = 32.0

#: Images that the mean image of the training set is taken from.
MEAN_OF = 500


def images_at(
    images: NDArray[np.uint8], positions: NDArray[np.int64], device: torch.device
) -> Tensor:
    """Images at these positions: uint8 (N, H, W, C) to float32 (B, C, H, W) in [0, 1].

    Only the chosen images are read; the result is channels-last in memory.
    """
    chosen = torch.from_numpy(images[positions]).to(device, non_blocking=True)
    return chosen.permute(0, 3, 1, 2).float().div_(255.0)


def deliver(
    codec: CodecNetwork,
    channel: Channel,
    images: Tensor,
    snr_db: float | Tensor,
    generator: torch.Generator,
    bf16: bool = False,
) -> tuple[Tensor, Tensor]:
    """Send images through encoder, channel and decoder.

    Returns
    -------
    tuple of Tensor
        What arrives, (B, C, H, W) in [0, 1], and the symbols sent, complex64 (B, k).
    """
    with autocast(images.device, bf16):
        symbols = codec.encode(images)
    received = channel.transmit(symbols, snr_db, generator)
    with autocast(images.device, bf16):
        return codec.decode(received), symbols


def check_codec(
    codec: CodecNetwork,
    channel: Channel,
    images: ImageSet,
    split: Split,
    snr_db: float,
    key: str,
    device: torch.device,
) -> dict[str, Any]:
    """Validation PSNR of a trained codec, if it learnt more than a mean image.

    Parameters
    ----------
    codec, channel
        The link.
    images, split
        The source; only the validation part is sent, and the training part's mean compared.
    snr_db
        Es/N0 in dB.
    key
        Content key that the channel's draws are derived from.

    Returns
    -------
    dict
        ``validation_psnr_db``, mean over images.

    Raises
    ------
    Diverged
        When sending the training set's mean image, which needs no channel, is about as good. A
        link of less than `BITS_TO_TELL` bits an image may well do no better, and passes if it
        does not do much worse.
    """
    generator = torch.Generator(device).manual_seed(seed_for(key, "validate"))
    some = split.train[np.linspace(0, len(split.train) - 1, MEAN_OF, dtype=np.int64)]
    mean = images_at(images.images, some, device).mean(0, keepdim=True)
    psnr = Psnr()
    reached, nothing, k = [], [], 0
    codec.eval()
    with torch.inference_mode():
        for start in range(0, len(split.validation), BATCH):
            sent = images_at(images.images, split.validation[start : start + BATCH], device)
            received, symbols = deliver(codec, channel, sent, snr_db, generator)
            reached.append(psnr.per_image(sent, received))
            nothing.append(psnr.per_image(sent, mean.expand_as(sent)))
            k = symbols.shape[1]
    psnr_db = float(torch.cat(reached).double().mean())
    nothing_db = float(torch.cat(nothing).double().mean())
    bits = k * math.log2(1 + 10 ** (snr_db / 10))
    if not psnr_db > nothing_db + (COLLAPSE_MARGIN_DB if bits >= BITS_TO_TELL else -1.0):
        raise Diverged(
            f"validation PSNR {psnr_db:.1f} dB where the mean image has {nothing_db:.1f} dB"
        )
    return {"validation_psnr_db": psnr_db}


def measure_cell(
    codec: CodecNetwork,
    channel: Channel,
    tasks: dict[str, nn.Module],
    images: ImageSet,
    test: NDArray[np.int64],
    test_snrs_db: list[float],
    metrics: list[ImageMetric],
    clean_predictions: NDArray[np.int64],
    key: str,
    device: torch.device,
) -> list[dict[str, Any]]:
    """Measure one trained link at each test SNR.

    Parameters
    ----------
    codec, channel
        The trained link.
    tasks
        Task models by the name of the table's `task` column.
    images, test
        The source and the positions of its test part.
    test_snrs_db
        Es/N0 in dB; each has channel draws of its own, derived from `key`.
    metrics
        Image metrics; one that these images cannot have is left out.
    clean_predictions
        The clean task model's answers on the clean test images: the ceiling.
    key
        Content key of the cell.

    Returns
    -------
    list of dict
        ``snr_db``, ``task`` and the fields of a `Measurement`, one for each metric. Receptions
        are measured as float32, not rounded to 8 bits.
    """
    height, width, bands = images.images.shape[1:]
    usable = [one for one in metrics if one.unavailable(bands, height, width) is None]
    labels = images.labels[test]
    clean_accuracy = float(np.mean(clean_predictions == labels))
    n_classes = len(images.classes)
    clean = measure_classification(
        labels, clean_predictions, n_classes=n_classes, clean_accuracy=clean_accuracy
    )
    clean_f1 = next(one.value for one in clean if one.metric == "macro_f1")
    rows: list[dict[str, Any]] = []
    for snr_db in test_snrs_db:
        generator = torch.Generator(device).manual_seed(seed_for(key, f"measure/{snr_db:g}"))
        values: dict[str, list[Tensor]] = {one.name: [] for one in usable}
        peaks: list[Tensor] = []
        answers: dict[str, list[Tensor]] = {name: [] for name in tasks}
        with torch.inference_mode():
            for start in range(0, len(test), BATCH):
                sent = images_at(images.images, test[start : start + BATCH], device)
                received, symbols = deliver(codec, channel, sent, snr_db, generator)
                for metric in usable:
                    values[metric.name].append(metric.per_image(sent, received).cpu())
                peaks.append(papr_db(symbols).cpu())
                for name, task in tasks.items():
                    answers[name].append(task(received).argmax(1).cpu())
        found = [("none", one.summarise(torch.cat(values[one.name]))) for one in usable]
        found.append(("none", mean_measurement("papr_db", torch.cat(peaks))))
        for name in tasks:
            found += [
                (name, one)
                for one in measure_classification(
                    labels,
                    torch.cat(answers[name]).numpy(),
                    n_classes=n_classes,
                    clean_accuracy=clean_accuracy,
                    clean_macro_f1=clean_f1,
                )
            ]
        rows += [{"snr_db": snr_db, "task": task, **_finite(asdict(one))} for task, one in found]
    return rows


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON can hold it: the spread of a single image is unknown, not nan."""
    unknown = {key for key in ("sd", "se") if math.isnan(row[key])}
    return row | dict.fromkeys(unknown)
