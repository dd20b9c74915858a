"""Layers until the receiver is sure, over a pass: the request comes back by a return link.

What it takes is read from a curve of `semloss sure`: accuracy over the symbols really sent, at each
SNR. Images in flight are pipelined: while one waits for its request, layers of others are sent. So
the way there and back costs no throughput, but memory on board, and the end of the pass, when no
image is begun that might not be finished. A return link that is too slow does cost throughput.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from semloss.answers import records
from semloss.arrays import Array, Mask
from semloss.errors import SemlossError, TargetNotAttainable
from semloss.layout import amount, between, clock, domain_line
from semloss.planning.budget.budget import image_mb, images_per_s
from semloss.planning.budget.question import Answered, Question
from semloss.planning.link.link import LinkData
from semloss.planning.passes.delivery import Run, adaptive
from semloss.planning.passes.orbit import Pass
from semloss.planning.passes.simulation import accumulated
from semloss.storage import csv_rows
from semloss.units import format_cr

#: Speed of light in km/s.
LIGHT_KM_S = 299_792.458
_COLUMNS = ("snr_db", "accuracy", "accuracy_se", "cr", "cr_se", "layers", "layers_most")
_NORMAL = 1.959964
"""Standard errors of a 95 % interval, which is that of the curve's test images."""


@dataclass(frozen=True)
class SureCurve:
    """Ways to stop at each SNR, and the accuracy and symbols that each gives.

    `codec` is the label of what was measured, where the file tells it. `ways` has a table (W, 5)
    for each of the rising `snr_db`: `_COLUMNS` but the first and last.
    """

    name: str
    snr_db: Array
    ways: tuple[Array, ...]
    most: int
    codec: str = ""

    @classmethod
    def from_csv(cls, path: Path) -> "SureCurve":
        """Read what ``semloss sure --csv`` wrote.

        Raises
        ------
        SemlossError
            When the file is none of these.
        """
        rows = csv_rows(path, "curve until sure")
        if not rows or any(name not in rows[0] for name in _COLUMNS):
            raise SemlossError(
                f"{path} is no curve until sure: write one with semloss sure RUN --target "
                "0.7,0.8,0.85 --csv FILE"
            )
        try:
            told = np.array([[float(row[name]) for name in _COLUMNS] for row in rows])
        except ValueError as error:
            raise SemlossError(f"{path}: {error}; write it anew with semloss sure --csv") from None
        levels = np.unique(told[:, 0])
        ways = tuple(told[told[:, 0] == level, 1:-1] for level in levels)
        head = re.search(r"^# codec: (.*)$", path.read_text(encoding="utf-8-sig"), re.MULTILINE)
        return cls(path.name, levels, ways, round(told[:, -1].max()), head[1] if head else "")

    def least(self, target: float, errors: float = 0.0) -> tuple[Array, Array]:
        """Least CR, and mean layers with it, that reach an accuracy at each SNR, both (S,).

        Two ways to stop may take turns. NaN where none reaches it. Accuracies are taken so many
        standard `errors` higher, and symbols as many lower.
        """
        found = [_least(ways, target, errors) for ways in self.ways]
        cr, layers = zip(*found, strict=True)
        return np.array(cr), np.array(layers)

    def along(self, target: float, snr_db: Array, errors: float = 0.0) -> tuple[Array, Array]:
        """The same at any SNR (T,): ln CR is straight between two that reach it.

        NaN below the lowest that does; above the highest measured, as there.
        """
        cr, layers = self.least(target, errors)
        at = np.clip(snr_db, None, self.snr_db[-1])
        below = np.searchsorted(self.snr_db, at, "right") - 1
        above = np.minimum(below + 1, len(self.snr_db) - 1)
        first = np.maximum(below, 0)
        gap = np.maximum(self.snr_db[above] - self.snr_db[first], 1e-12)
        share = np.where(above > first, (at - self.snr_db[first]) / gap, 0.0)

        def mixed(values: Array) -> Array:
            straight = (1 - share) * values[first] + share * values[above]
            return np.where(share > 0, straight, values[first])

        known = below >= 0
        return (np.where(known, np.exp(mixed(np.log(cr))), np.nan),
                np.where(known, mixed(layers), np.nan))  # fmt: skip


def _least(ways: Array, target: float, errors: float) -> tuple[float, float]:
    accuracy, layers = ways[:, 0] + errors * ways[:, 1], ways[:, 4]
    # a layer is sent at least
    cr = np.maximum(ways[:, 2] - errors * ways[:, 3], ways[:, 2] / layers)
    best = min(((c, n) for a, c, n in zip(accuracy, cr, layers, strict=True) if a >= target),
               default=(math.nan, math.nan))  # fmt: skip
    for one, other in combinations(range(len(ways)), 2):
        low, high = sorted((one, other), key=lambda at: accuracy[at])
        if accuracy[low] < target <= accuracy[high]:
            share = (target - accuracy[low]) / (accuracy[high] - accuracy[low])
            mixed = cr[low] + share * (cr[high] - cr[low])
            if mixed < best[0]:
                best = mixed, layers[low] + share * (layers[high] - layers[low])
    return float(best[0]), float(best[1])


@dataclass(frozen=True)
class ReturnLink:
    """The way back: rate in kb/s (None: enough), time to decide in s, bits of one request."""

    kbps: float | None = None
    processing_s: float = 0.01
    request_bits: float = 1.0


@dataclass(frozen=True)
class FeedbackAnswer(Answered):
    """A pass with feedback, beside the adaptive and the best fixed CR; arrays (T,) go with time.

    Attributes
    ----------
    run
        The pass at the best fixed CR, and the adaptive CR along it.
    cr_sent, layers
        k/n of an image on average, and the layers that are sent of it; NaN where it is off.
    images
        Delivered since the rise.
    images_between
        Of the whole pass, at both ends of what the curve's test images leave open.
    round_trip_s
        There and back, and the time to decide.
    return_kbps
        What the requests take.
    waiting
        Images on board that are not finished yet.
    tail_s
        Before the set, in which none is begun.
    """

    curve: SureCurve
    back: ReturnLink
    run: Run
    cr_sent: Array
    layers: Array
    images: Array
    images_between: tuple[float, float]
    round_trip_s: Array
    return_kbps: Array
    waiting: Array
    tail_s: float

    @property
    def images_delivered(self) -> float:
        """Images of the whole pass."""
        return float(self.images[-1])

    @property
    def met(self) -> bool:
        """Whether any image is delivered."""
        return self.images_delivered > 0

    @property
    def in_domain(self) -> bool:
        """Whether the curve was measured up to the highest SNR that is used."""
        return bool(self._inside.all()) and bool(np.all(self.run[1].in_domain))

    @property
    def _inside(self) -> Mask:
        snr_db = self.run[1].snr_db - self.question.link.margin_db
        return np.asarray(np.isnan(self.cr_sent) | (snr_db <= self.curve.snr_db[-1]))

    @property
    def assumed(self) -> dict[str, str]:
        """What it rests on, the way back among it."""
        back = self.back
        rate = "as fast as asked for" if back.kbps is None else f"{back.kbps:g} kb/s"
        return super().assumed | {
            "until sure": f"{self.curve.name}, {self.curve.most} layers at most, two ways to stop "
            "in turn",
            "return link": f"{rate}, {back.request_bits:g} bit for each layer of each tile, "
            f"{1e3 * back.processing_s:g} ms to decide; images are pipelined, so its delay costs "
            "memory on board and the end of the pass",
        }

    @property
    def warnings(self) -> Sequence[str]:
        """Of the pass, and of a return link that is too slow."""
        notes = [*self.run[0].notes]
        other = self.question.fit.provenance.get("codec_label", self.curve.codec)
        if self.curve.codec and other != self.curve.codec:
            notes.append(
                f"the curve is of codec {self.curve.codec}, the fit of {other}: what feedback "
                "gains and what the codec does are told as one; give the fit of the curve's run"
            )
        if self.back.kbps is not None and self.return_kbps.max() >= self.back.kbps * (1 - 1e-9):
            notes.append(
                f"the return link of {self.back.kbps:g} kb/s keeps images back; raise --return-kbps"
            )
        return notes

    def rows(self) -> list[dict[str, Any]]:
        """A row for each moment."""
        flown, ours = self.run[0].pass_, self.run[1]
        return records(
            {"time_s": flown.time_s, "elevation_deg": flown.elevation_deg,
             "range_km": flown.range_km, "snr_db": ours.snr_db, "cr_until_sure": self.cr_sent,
             "layers": self.layers, "images_until_sure": self.images,
             "round_trip_ms": 1e3 * self.round_trip_s, "return_kbps": self.return_kbps,
             "images_waiting": self.waiting, "cr_adaptive": ours.cr,
             "images_adaptive": ours.images}
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Totals of the pass."""
        asked, ours = self.question, self.run[1]
        gains = {"gain_over_adaptive": ours.images_delivered, "gain_over_fixed":
                 ours.best_fixed_images}  # fmt: skip
        return {
            "link": asked.link.name, **asked.about, **asked.options,
            "pass": self.run[0].pass_.about, "contact_s": self.run[0].contact_s,
            "images_until_sure": self.images_delivered,
            "images_low": self.images_between[0], "images_high": self.images_between[1],
            "images_adaptive": ours.images_delivered, "best_fixed_cr": ours.best_fixed_cr,
            "best_fixed_images": ours.best_fixed_images,
            **{name: self.images_delivered / n if n > 0 else None for name, n in gains.items()},
            "round_trip_ms": [1e3 * float(end(self.round_trip_s)) for end in (np.min, np.max)],
            "return_kbps": float(self.return_kbps.max()),
            "images_waiting": float(self.waiting.max()), "mb_waiting": self._waiting_mb,
            "tail_s": self.tail_s,
        }  # fmt: skip

    @property
    def _waiting_mb(self) -> float:
        return float(self.waiting.max()) * image_mb(self.question.link)

    @property
    def head(self) -> str:
        """Images of all three ways, and what the way back costs."""
        asked, ours = self.question, self.run[1]
        least, most = 1e3 * self.round_trip_s.min(), 1e3 * self.round_trip_s.max()
        lines = [
            f"{asked.demand}{asked.kept}, over the pass",
            f"until sure {amount(self.images_delivered)} images"
            f"{between(*self.images_between, '95 %, of test images such as those of the curve')}",
            f"adaptive   {amount(ours.images_delivered)} images{self._each(ours.images_delivered)}",
            f"fixed      {amount(ours.best_fixed_images)} images at CR "
            f"{format_cr(ours.best_fixed_cr)}{self._each(ours.best_fixed_images)}",
            f"way back   {self.return_kbps.max():.4g} kb/s of requests at most; round trip "
            f"{least:.3g} … {most:.3g} ms: up to {self.waiting.max():.3g} images wait on board "
            f"({amount(self._waiting_mb)} MB), and the last {self.tail_s:.2g} s begin none",
        ]
        return "\n".join([*lines, domain_line(float(np.mean(self._inside)))])

    def _each(self, theirs: float) -> str:
        return f": {self.images_delivered / theirs:.3g} until sure for each" if theirs > 0 else ""

    @property
    def body(self) -> str:
        """The pass, and what an image takes along it."""
        result, ours = self.run
        on = np.flatnonzero(np.isfinite(self.cr_sent))
        lines = [
            f"{self.question.link.name}: {result.pass_.about}, contact {clock(result.contact_s)} "
            f"min, in steps of {result.pass_.step_s:g} s",
            f"SNR        {ours.snr_db.min():.2f} … {ours.snr_db.max():.2f} dB",
        ]
        if len(on):
            crs, layers = self.cr_sent[on], self.layers[on]
            lines.append(
                f"an image   CR {crs.min():.4f} … {crs.max():.4f} on average, {layers.min():.3g} … "
                f"{layers.max():.3g} of {self.curve.most} layers; from {clock(ours.time_s[on[0]])} "
                f"to {clock(ours.time_s[on[-1]])}"
            )
        return "\n".join(lines)


def until_sure(
    question: Question,
    curve: SureCurve,
    pass_: Pass,
    back: ReturnLink | None = None,
    **options: Any,  # noqa: ANN401 - as `adaptive` takes them
) -> FeedbackAnswer:
    """Send layers until the receiver is sure along a pass, beside what needs no feedback.

    Parameters
    ----------
    question
        With a target, an accuracy; the link's margin is kept.
    curve
        What reaches it at which SNR.
    pass_, back
        The pass, and the way back.
    options
        The adaptive plan's: ``crs``, ``hysteresis_db``.

    Raises
    ------
    TargetNotAttainable
        When no way to stop reaches the target at any SNR, or no fixed CR does.
    SemlossError
        When the fit is not of accuracy.
    """
    target, fit, link = question.target, question.fit, question.link
    back = ReturnLink() if back is None else back
    assert target is not None
    if fit.metric != "accuracy":
        raise SemlossError(
            f"--until-sure is a curve of accuracy, and the fit is of {fit.metric}; give a fit of "
            "accuracy"
        )
    if np.isnan(curve.least(target)[0]).all():
        most = max(float(ways[:, 0].max()) for ways in curve.ways)
        raise TargetNotAttainable(
            f"no way to stop of {curve.name} reaches an accuracy of {target:g}: the most is "
            f"{most:.4g}; ask semloss sure for higher targets, or relax this one"
        )
    run = adaptive(question, (pass_,), single=True, **options).runs[0]
    snr_db = run[1].snr_db - link.margin_db
    round_trip_s = 2 * pass_.range_km / LIGHT_KM_S + back.processing_s
    tail_s = (curve.most - 1) * float(round_trip_s[-1])
    cr, layers = curve.along(target, snr_db)
    rate, bits = _rates(link, cr, layers, back)
    last = max(float(pass_.time_s[-1]) - tail_s, float(pass_.time_s[0]))
    images = accumulated(pass_.time_s, rate)
    images = np.minimum(images, np.interp(last, pass_.time_s, images))
    ends = [
        accumulated(pass_.time_s, _rates(link, *curve.along(target, snr_db, e), back)[0])
        for e in (-_NORMAL, _NORMAL)
    ]
    low, high = (float(np.interp(last, pass_.time_s, end)) for end in ends)
    return FeedbackAnswer(
        question, curve, back, run, cr, layers, images, (low, high), round_trip_s,
        rate * bits / 1e3, rate * np.nan_to_num(layers) * round_trip_s, tail_s,
    )  # fmt: skip


def _rates(link: LinkData, cr: Array, layers: Array, back: ReturnLink) -> tuple[Array, Array]:
    """Images a second (T,), as far as the way back allows, and bits of request for an image."""
    sent = np.where(np.isfinite(cr), images_per_s(link, np.where(np.isfinite(cr), cr, 1.0)), 0.0)
    bits = tiles_per_image(link) * back.request_bits * np.nan_to_num(layers, nan=1.0)
    if back.kbps is not None:
        sent = np.minimum(sent, 1e3 * back.kbps / bits)
    return sent, bits


def tiles_per_image(link: LinkData) -> int:
    """Tiles that an image is cut into, each of which stops by itself."""
    if link.tile_px is None:
        return 1
    return math.ceil(link.height_px / link.tile_px) * math.ceil(link.width_px / link.tile_px)
