"""A fitted surface as data: what was fitted, where, and how sure it is."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from semloss.arrays import Array
from semloss.facts import Directed
from semloss.surfaces.fitted.correction import Correction
from semloss.surfaces.fitted.domain import Domain
from semloss.surfaces.fitted.outcome import Outcome


@dataclass(frozen=True, eq=False, repr=False)
class FitData(Directed):
    """A form with fitted parameters and everything that makes its predictions honest.

    Attributes
    ----------
    form, metric, receiver, task
        Names of the form in `semloss.surfaces.forms.FORMS`, of the metric, of the receiver
        ("clean", "matched"; "none" for image metrics) and of its task model.
    direction
        "higher" or "lower": which way the metric improves.
    parameters, covariance
        Vector (P,) in the order of the form's names, and its covariance (P, P) with zeros for
        parameters that are known or rest on a bound.
    floor, ceiling
        Known values of the metric when nothing gets through and at best; None where unknown.
    model_error_sd
        What the form alone leaves unexplained beyond measurement noise, in units of the metric.
    dof
        Degrees of freedom of that estimate, for Student's t; None: the noise is known, normal.
    hull
        Vertices (V, 2), anticlockwise, of the hull of the fitted cells in (ln CR, SNR in dB).
    outcome, message
        How the fit ended, and what the user should know about it.
    draws
        Bootstrap draws (D, P) of the parameters, in fits of earlier releases; None without.
    intervals
        Profile-likelihood interval of each parameter that has one, by name, of `interval_level`.
    bounds
        Search range (P, 2) of the parameters, infinite where open; None where not recorded.
    noise, images, noise_sd, replicate_sd
        What a new measurement adds: its kind ("binomial", "reported", "replicates" or "none"),
        the median number of test images, the median reported standard error, and the spread
        between seeds beyond it.
    correction
        What the form misses, and the doubt about the sum; None in fits of earlier releases.
    band
        What the bands of answers are about where none is asked, see `bands.KINDS`.
    quality, data, provenance
        Figures of the fit, hash and size of the table, and where it came from.
    """

    form: str
    metric: str
    receiver: str
    direction: str
    parameters: Array
    covariance: Array
    floor: float | None
    ceiling: float | None
    model_error_sd: float
    dof: int | None
    hull: Array
    outcome: Outcome
    message: str = ""
    draws: Array | None = None
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    bounds: Array | None = None
    noise: str = "none"
    images: float | None = None
    noise_sd: float = 0.0
    replicate_sd: float = 0.0
    quality: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    task: str = "none"
    correction: Correction | None = None
    band: str = "new-images"

    @property
    def has_draws(self) -> bool:
        """Whether the fit holds draws of its surface."""
        return self.draws is not None if self.correction is None else len(self.correction.draws) > 0

    @property
    def cr_range(self) -> tuple[float, float]:
        """Smallest and largest fitted CR."""
        return float(np.exp(self.hull[:, 0].min())), float(np.exp(self.hull[:, 0].max()))

    @property
    def snr_db_range(self) -> tuple[float, float]:
        """Smallest and largest fitted SNR in dB."""
        return float(self.hull[:, 1].min()), float(self.hull[:, 1].max())

    def measured_levels(self, name: str) -> list[float]:
        """CRs ("cr") or SNRs ("snr_db") that were measured, rising; none where no file tells."""
        told = self.data.get(name)
        known = [x for x in told if isinstance(x, int | float)] if isinstance(told, list) else []
        return sorted(float(x) for x in known if x > 0 or name != "cr")

    def measured_cells(self) -> Array:
        """CR, SNR in dB and mean of the measured cells (N, 3); none where no file tells."""
        told = self.data.get("cells")
        rows = told if isinstance(told, list) else []
        whole = [row for row in rows if isinstance(row, list) and len(row) == 3]
        return np.array([row for row in whole if all(isinstance(x, int | float) for x in row)],
                        dtype=float).reshape(-1, 3)  # fmt: skip

    @property
    def interval_level(self) -> float:
        """Level of the parameters' intervals, as the fit was asked."""
        level = self.quality.get("confidence")
        return float(level) if isinstance(level, float) and 0 < level < 1 else 0.95

    @cached_property
    def domain(self) -> Domain:
        """The hull, ready to test points."""
        return Domain.of(self.hull)

    @cached_property
    def root(self) -> Array:
        """Factor (K, P) of the covariance, ``root.T @ root``."""
        return root_of(self.covariance)


def root_of(covariance: Array) -> Array:
    """Factor (K, P) whose square ``root.T @ root`` is a covariance (P, P) of any rank K.

    Parameters of very different size are brought to one scale first, so that none counts as
    rounding; what rounding made negative counts as zero.
    """
    sd = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    safe = np.where(sd > 0, sd, 1.0)
    spread, axes = np.linalg.eigh(covariance / np.outer(safe, safe))
    kept = spread > 1e-12 * max(float(spread.max(initial=0.0)), 1.0)
    return np.asarray((axes[:, kept] * np.sqrt(spread[kept])).T * sd)
