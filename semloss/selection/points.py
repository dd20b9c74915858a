"""The points of one surface."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from semloss.arrays import Array, Integers
from semloss.facts import Directed

Noise = Literal["binomial", "reported", "replicates", "none"]
"""What is known of the measurement noise.

``binomial``: hits among `n` images, so that its variance follows from the fitted value;
``reported``: standard errors that the table tells; ``replicates``: only the spread between
seeds; ``none``: nothing.
"""


@dataclass(frozen=True)
class Follows:
    """Values that are ``offset + slope * value`` of other points, cell by cell."""

    points: "Points"
    slope: float
    offset: float


@dataclass(frozen=True)
class Points(Directed):
    """Measurements of one metric over (CR, SNR), ready to be fitted.

    Attributes
    ----------
    metric, receiver, direction
        What was measured, at which receiver (``none`` for an image metric, ``clean``,
        ``matched``); `direction` is ``higher`` or ``lower`` is better.
    cr, snr_db, value
        k/n in (0, 1], Es/N0 per complex symbol in dB, and the metric; each (N,).
    se
        Standard errors (N,) of the values from their test images, 0 where nothing is told; where
        the noise is binomial, from the measured value by Laplace's rule.
    floor, ceiling
        Known levels without and with everything received, None where unknown.
    notes
        Messages for the user.
    provenance
        Source, codec and channel.
    n
        Images (N,) behind each value, NaN where unknown.
    noise
        Kind of `se`, see `Noise`.
    group
        What sets these points apart from others of the table: column -> value.
    seed
        Training seed (N,) of each point, 0 where the table names none. Points of one CR and SNR
        with other seeds are replicates.
    rows
        Row (N,) of the file that each point comes from, 0 where it comes from none.
    replicate_sd
        Spread between seeds beyond `se`, in units of the metric: what training again would
        change. 0 without replicates.
    replicate_dof
        Degrees of freedom behind `replicate_sd`: replicates less replicated cells.
    task
        Name of the task model that answered, ``none`` for an image metric.
    follows
        The share of hits that these values are an affine function of, as the semantic loss is of
        the accuracy; its noise is known better. None where there is none.
    image_correlation
        Correlation (N, N) between the points' measurement errors that come from their test
        images, 1 on the diagonal: cells measured on the same images share their luck. Positive
        definite as long as no point is repeated. None where no outcomes of single images tell it.
    """

    metric: str
    receiver: str
    direction: str
    cr: Array
    snr_db: Array
    value: Array
    se: Array
    floor: float | None = None
    ceiling: float | None = None
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, str] | None = None
    n: Array = None  # type: ignore[assignment]  # filled below
    noise: Noise = "none"
    group: Mapping[str, str] = field(default_factory=dict)
    seed: Integers = None  # type: ignore[assignment]
    rows: Integers = None  # type: ignore[assignment]
    replicate_sd: float = 0.0
    replicate_dof: int = 0
    task: str = "none"
    follows: Follows | None = None
    image_correlation: Array | None = None

    def __post_init__(self) -> None:
        unknown: dict[str, Any] = {}
        if self.n is None:
            unknown["n"] = np.full(len(self.value), np.nan)
        for name in ("seed", "rows"):
            if getattr(self, name) is None:
                unknown[name] = np.zeros(len(self.value), dtype=np.int64)
        if self.noise == "none" and np.any(np.asarray(self.se) > 0):
            unknown["noise"] = "reported"
        for name, known in unknown.items():
            object.__setattr__(self, name, known)

    def subset(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Points":
        """The points of a mask (N,) or of indices (a repeated index repeats its point)."""
        arrays = ("cr", "snr_db", "value", "se", "n", "seed", "rows")
        follows = self.follows
        if follows is not None:
            follows = replace(follows, points=follows.points.subset(which))
        shared = self.image_correlation
        if shared is not None:
            shared = shared[np.ix_(which, which)]
        return replace(
            self,
            follows=follows,
            image_correlation=shared,
            **{name: getattr(self, name)[which] for name in arrays},
        )
