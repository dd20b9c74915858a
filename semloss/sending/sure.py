"""Layers sent until the receiver is sure: how many symbols an accuracy really takes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semloss.answers import Answer, laid_out
from semloss.errors import SemlossError
from semloss.layout import columns, number
from semloss.sending.cells import Cell, measured_cells
from semloss.sending.loaded import Heard, LoadedCodec, load_codec
from semloss.sending.measured_on import images_of

Numbers = NDArray[np.float64]


def stops_at(confidence: Numbers, threshold: float) -> NDArray[np.int64]:
    """Layer (N,) at which each image is sure enough, the last for those that never are.

    Parameters
    ----------
    confidence
        Of the answer after each layer, (layers, N).
    threshold
        Confidence at which no more is asked for.
    """
    sure = confidence >= threshold
    sure[-1] = True
    first: NDArray[np.int64] = sure.argmax(axis=0)
    return first


def least_threshold(confidence: Numbers, right: NDArray[np.bool_], target: float) -> float:
    """The least threshold at which these images reach an accuracy; infinite where none does.

    Parameters
    ----------
    confidence, right
        After each layer, and whether its answer is right, both (layers, N).
    target
        Accuracy.
    """
    images = np.arange(right.shape[1])
    for threshold in [0.0, *np.unique(confidence)]:
        if right[stops_at(confidence, float(threshold)), images].mean() >= target:
            return float(threshold)
    return math.inf


def fixed_symbols(symbols: Numbers, accuracy: Numbers, target: float) -> float:
    """Least symbols an image at which fixed rates, or two of them in turn, reach an accuracy.

    Infinite where none does.
    """
    best = float(symbols[accuracy >= target].min(initial=math.inf))
    for one, other in combinations(range(len(symbols)), 2):
        low, high = sorted((one, other), key=lambda at: accuracy[at])
        if accuracy[low] < target <= accuracy[high]:
            share = (target - accuracy[low]) / (accuracy[high] - accuracy[low])
            best = min(best, float(symbols[low] + share * (symbols[high] - symbols[low])))
    return best


@dataclass(frozen=True)
class SureAtSnr:
    """What sending until sure did at one SNR.

    Attributes
    ----------
    snr_db, target
        Es/N0, and the accuracy asked for.
    threshold
        Confidence at which the receiver is content.
    accuracy, accuracy_se
        Of the test images, each at the layer where it stopped.
    symbols, symbols_se
        Channel uses an image.
    cr
        The same as k/n.
    layers, most
        Layers that are sent of an image on average, and that there are.
    fixed
        Channel uses an image that the best fixed rate takes for this accuracy, two in turn
        included; infinite where none reaches it.
    """

    snr_db: float
    target: float
    threshold: float
    accuracy: float
    accuracy_se: float
    symbols: float
    symbols_se: float
    cr: float
    layers: float
    most: int
    fixed: float

    def row(self) -> dict[str, Any]:
        """The figures, and how many times fewer symbols it takes."""
        return {
            "snr_db": self.snr_db, "target": self.target, "threshold": self.threshold,
            "accuracy": self.accuracy, "accuracy_se": self.accuracy_se,
            "symbols_until_sure": self.symbols, "symbols_se": self.symbols_se, "cr": self.cr,
            "cr_se": self.cr * self.symbols_se / self.symbols, "layers": self.layers,
            "layers_most": self.most, "symbols_fixed": self.fixed,
            "times_fewer": self.fixed / self.symbols,
        }  # fmt: skip


@dataclass(frozen=True)
class UntilSure(Answer):
    """Layers until the receiver is sure, over the SNRs of a run."""

    points: Sequence[SureAtSnr]
    told: Mapping[str, str]

    def rows(self) -> list[dict[str, Any]]:
        """One row for each SNR and number of symbols: of targets that take as many, the first.

        They are one point of the plane, which no fit may count twice.
        """
        seen: dict[tuple[float, float], SureAtSnr] = {}
        for one in self.points:
            seen.setdefault((one.snr_db, one.symbols), one)
        return [one.row() for one in seen.values()]

    def to_dict(self) -> dict[str, Any]:
        """A row for each SNR and target."""
        return {"until_sure": [one.row() for one in self.points]}

    @property
    def met(self) -> bool:
        """Whether the test images reach the target at some SNR."""
        return any(one.accuracy >= one.target for one in self.points)

    @property
    def assumed(self) -> dict[str, str]:
        """Codec, channel, receiver, images."""
        return dict(self.told)

    def text(self) -> str:
        """A line for each SNR and target."""
        names = ["snr_db", "target", "threshold", "accuracy", "symbols_until_sure", "symbols_fixed",
                 "times_fewer"]  # fmt: skip
        rows = [[number(one.row()[name]) for name in names] for one in self.points]
        heads = ["SNR dB", "target", "sure at", "accuracy", "symbols", "fixed rate", "times fewer"]
        return laid_out("layers until the receiver is sure", self.told, columns(heads, rows))


def send_until_sure(
    run: Path | str,
    targets: Sequence[float],
    *,
    receiver: str | None = None,
    where: Mapping[str, str] | None = None,
    seed: int = 0,
    path: Path | None = None,
) -> UntilSure:
    """Send the test images of a run layer by layer, each until its receiver is sure.

    The threshold is the least one at which the validation images, which taught no network, reach
    the target at that SNR; the test images then judge it. A layer's answer is that of the task
    model of its cell. What a layer adds costs its channel uses alone: the way back is free here.

    Parameters
    ----------
    run
        Folder of a run with cells of ``codec.kind = "layered"`` at several CR.
    targets
        Accuracies.
    receiver
        Whose answers, "deployable" where there is one, else "matched".
    where
        Only cells with these values in the cells table.
    seed
        Of the channel's draws.
    path
        Where the run's images lie now, if they have moved.

    Raises
    ------
    SemlossError
        When the run has no layers, no such task model, or not the images that it was measured on.
    """
    run = Path(run)
    found = [one for one in measured_cells(run, where) if one.rebuild["codec"]["kind"] == "layered"]
    if len({one.cr for one in found}) < 2:
        raise SemlossError(
            f'{run} has no layers to send one after another: collect codec.kind = "layered" at '
            "several CR"
        )
    images, split = images_of(run, path)
    names = np.array(images.classes)

    def heard(part: str, cells: Sequence[Cell], seed: int) -> tuple[Numbers, NDArray[np.bool_]]:
        positions = np.array(split[part])
        truth = names[images.labels[positions]]
        return _layer_by_layer(
            _codecs(cells, receiver), images.images[positions], truth, receiver, seed
        )

    points = []
    for snr_db in sorted({one.snr_db for one in found}):
        cells = sorted((one for one in found if one.snr_db == snr_db), key=lambda one: one.cr)
        if len({one.cr for one in cells}) < len(cells):
            raise SemlossError(
                f"{run}: {len(cells)} cells at {snr_db:g} dB are of more than one kind; give "
                "--where COLUMN=VALUE, e.g. seed=0"
            )
        calibration = heard("validation", cells, 2 * seed)
        judged = heard("test", cells, 2 * seed + 1)
        uses = np.array([one.row["k"] for one in cells], dtype=float)
        n = math.prod(cells[0].rebuild["shape"])
        points += [
            _judged(snr_db, target, least_threshold(*calibration, target), judged, uses, n)
            for target in targets
        ]
    told = {
        "codec": str(found[0].row["codec_label"]),
        "channel": str(found[0].row["channel"]),
        "layers": f"{len({one.cr for one in found})}, the way back free and at once",
        "calibrated": f"on {len(split['validation'])} validation images, judged on "
        f"{len(split['test'])} test images",
    }
    return UntilSure(points, told)


def _judged(
    snr_db: float,
    target: float,
    threshold: float,
    heard: tuple[Numbers, NDArray[np.bool_]],
    uses: Numbers,
    n: int,
) -> SureAtSnr:
    """What a threshold does to images, of n samples each; layers end at so many channel uses."""
    confidence, right = heard
    at = stops_at(confidence, threshold)
    hits, spent = right[at, np.arange(len(at))], uses[at]
    accuracy, images = float(hits.mean()), len(at)
    return SureAtSnr(
        snr_db,
        target,
        threshold,
        accuracy,
        math.sqrt(accuracy * (1 - accuracy) / images),
        float(spent.mean()),
        float(spent.std(ddof=1) / math.sqrt(images)),
        float(spent.mean()) / n,
        1 + float(at.mean()),
        len(uses),
        fixed_symbols(uses, right.mean(1), accuracy),
    )


def _codecs(cells: Sequence[Cell], receiver: str | None) -> list[LoadedCodec]:
    codecs = [load_codec(one.run, one.name) for one in cells]
    for one in codecs:
        if _listens(one, receiver) not in one.receivers:
            there = ", ".join(one.receivers) or "none"
            raise SemlossError(
                f"{one.cell.name} has no task model {_listens(one, receiver)}; there are {there}"
            )
    return codecs


def _listens(codec: LoadedCodec, receiver: str | None) -> str:
    return receiver or ("deployable" if "deployable" in codec.receivers else "matched")


def _layer_by_layer(
    codecs: Sequence[LoadedCodec],
    images: NDArray[np.uint8],
    truth: NDArray[Any],
    receiver: str | None,
    seed: int,
) -> tuple[Numbers, NDArray[np.bool_]]:
    """Confidence after each layer and whether its answer is right, (layers, N); one transmission.

    Each codec decodes what the first of the symbols of the largest one became.
    """
    largest = codecs[-1]
    confidence = np.zeros((len(codecs), len(images)))
    right = np.zeros((len(codecs), len(images)), dtype=bool)
    for begin in range(0, len(images), 64):
        part = slice(begin, begin + 64)
        whole = largest.transmit(largest.encode(images[part]), seed=seed + 2 * begin)
        for at, codec in enumerate(codecs):
            symbols = whole.symbols[:, : codec.realisation.k]
            gain = whole.gain
            if gain is not None and gain.shape[1] > 1:
                gain = gain[:, : codec.realisation.k]
            received = codec.decode(Heard(symbols, whole.snr_db, gain))
            said, sure = codec.classify(received, _listens(codec, receiver))
            confidence[at, part] = sure
            right[at, part] = np.array(said) == truth[part]
    return confidence, right
