"""What a formula misses, with its doubt: fields on a lattice over (ln CR, SNR), numpy only.

The surface is the formula plus `Correction.mean`; how far the truth may lie from it is held as
draws, of which the two fields of standard deviations are the summary.
"""

from dataclasses import dataclass, replace

import numpy as np

from semloss.arrays import Array

FINER = 4
"""Parts of a step of the lattice between the knots of the mean."""
GROWTH = 1.5
"""Power of the distance beyond the table with which doubt grows: that of a surface whose slope
wanders (an integrated Brownian motion). Hidden edges of measured tables miss by between its first
power and its square."""


@dataclass(frozen=True, eq=False)
class Correction:
    """A smooth surface added to a formula, and the doubt about the sum, in the metric's unit.

    Between knots the fields are interpolated linearly along both axes; beyond the lattice they
    keep the value of its edge, and the doubt grows by `beyond` times the distance to the `power`.

    Attributes
    ----------
    start, step
        First knot and spacing (2,) of ln CR and of SNR in dB.
    mean
        What is added to the formula, on `FINER` times finer knots: the sum never falls with CR or
        SNR at these.
    these_images, new_images
        Standard deviations (X, S) of the true mean of the metric about the sum: on the images
        that were measured, and on all images of their kind.
    beyond
        Doubt (2,) at one unit of ln CR and at one dB outside of the fitted range, from errors at
        edges of the table that were held out.
    basis, draws
        Surfaces (R, X, S) and weights (D, R): draw number d of the surface on new images is the
        sum plus ``draws[d] @ basis``. No draws (0, R) where none were asked.
    power
        Of the distance outside: `GROWTH`, or what an older fit file grew with.
    """

    start: Array
    step: Array
    mean: Array
    these_images: Array
    new_images: Array
    beyond: Array
    basis: Array
    draws: Array
    power: float = GROWTH

    def at(self, fields: Array, ln_cr: Array, snr_db: Array) -> Array:
        """Fields (..., X, S), or on knots that part each step evenly, at points (N,): (..., N)."""
        whole = self.step * (np.array(self.these_images.shape) - 1)
        (i, u), (j, v) = (
            _place(points, start, extent / (count - 1), count)
            for points, start, extent, count in zip(
                (ln_cr, snr_db), self.start, whole, fields.shape[-2:], strict=True
            )
        )
        flat = fields.reshape(*fields.shape[:-2], -1)
        row = fields.shape[-1]
        at = i * row + j
        found = flat[..., at] * ((1 - u) * (1 - v))
        found += flat[..., at + 1] * ((1 - u) * v)
        found += flat[..., at + row] * (u * (1 - v))
        found += flat[..., at + row + 1] * (u * v)
        return np.asarray(found)

    def outer(self, ln_cr: Array, snr_db: Array, hull: Array) -> Array:
        """Doubt (N,) that points outside the range of the hull (V, 2) add, 0 within it."""
        total = np.zeros(len(ln_cr))
        for points, ends, growth in zip((ln_cr, snr_db), hull.T, self.beyond, strict=True):
            low, high = ends.min(), ends.max()
            total += growth * np.maximum(np.maximum(low - points, points - high), 0.0) ** self.power
        return total

    @property
    def basis_size(self) -> float:
        """Largest number of the basis, by which it is divided before it is rounded."""
        return float(np.max(np.abs(self.basis), initial=0.0)) or 1.0

    def rounded(self) -> "Correction":
        """The correction as a fit file keeps it: fields in single, draws in half precision."""
        size = self.basis_size
        mean, these, new = (
            field.astype(np.float32).astype(np.float64)
            for field in (self.mean, self.these_images, self.new_images)
        )
        return replace(
            self, mean=mean, these_images=these, new_images=new,
            basis=size * (self.basis / size).astype(np.float16).astype(np.float64),
            draws=self.draws.astype(np.float16).astype(np.float64),
        )  # fmt: skip

    def scaled(self, slope: float) -> "Correction":
        """The correction of a metric that is an affine function, of this slope, of the fitted."""
        size = abs(slope)
        return replace(
            self, mean=slope * self.mean, these_images=size * self.these_images,
            new_images=size * self.new_images, beyond=size * self.beyond, basis=slope * self.basis,
        )  # fmt: skip


def _place(points: Array, start: float, step: float, count: int) -> tuple[Array, Array]:
    """Lower knot (N,) of each point's interval, and its place within it, 0 to 1."""
    place = np.clip((points - start) / step, 0.0, count - 1)
    knot = np.minimum(place.astype(np.int64), count - 2)
    return knot, place - knot
