"""Where a fit may be trusted: the convex hull of its cells in the plane (ln CR, SNR)."""

from dataclasses import dataclass

import numpy as np

from semloss.arrays import Array, Mask

_ALLOWANCE = 1e-3
"""Part of its extent by which the domain is widened: a rounded 0.0833 is the measured 1/12."""


@dataclass(frozen=True)
class Domain:
    """A convex hull as its box and the edges that cut the box's corners off.

    `box` is (2, 2): least and largest (ln CR, SNR in dB). `cuts` is (E, 3): a point lies within
    an edge where ``a ln_cr + b snr_db + c >= 0``. A full grid has no cuts, so that testing
    millions of points takes four comparisons each.
    """

    box: Array
    cuts: Array

    @classmethod
    def of(cls, hull: Array) -> "Domain":
        """Domain of the hull with vertices (V, 2), anticlockwise."""
        size = np.maximum(np.ptp(hull, axis=0), 1e-9)
        box = np.stack([hull.min(axis=0), hull.max(axis=0)])
        box += np.array([[-_ALLOWANCE], [_ALLOWANCE]]) * size
        corners = hull / size
        edges = np.roll(corners, -1, axis=0) - corners
        lengths = np.maximum(np.linalg.norm(edges, axis=1), 1e-12)
        inward = np.stack([-edges[:, 1], edges[:, 0]], axis=1) / lengths[:, None]
        slanted = np.all(np.abs(inward) > 1e-9, axis=1)
        offset = _ALLOWANCE - np.sum(inward * corners, axis=1)
        return cls(box, np.column_stack([inward / size, offset])[slanted])

    def holds(self, ln_cr: Array, snr_db: Array) -> Mask:
        """Whether each point (N,) lies in the domain."""
        (x_low, snr_low), (x_high, snr_high) = self.box
        inside: Mask = (ln_cr >= x_low) & (ln_cr <= x_high)
        inside &= snr_db >= snr_low
        inside &= snr_db <= snr_high
        for a, b, c in self.cuts:
            inside &= a * ln_cr + b * snr_db >= -c
        return inside


def convex_hull(points: Array) -> Array:
    """Vertices (V, 2), anticlockwise, of the convex hull of points (N, 2); Andrew's chain.

    Points on a line have the line's two ends, and a single point itself.
    """
    distinct = np.unique(points, axis=0)
    if len(distinct) == 1:
        return distinct
    ordered = [tuple(point) for point in distinct]

    def chain(path: list[tuple[float, float]]) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for x, y in path:
            while len(kept) > 1 and (
                (kept[-1][0] - kept[-2][0]) * (y - kept[-2][1])
                <= (kept[-1][1] - kept[-2][1]) * (x - kept[-2][0])
            ):
                kept.pop()
            kept.append((x, y))
        return kept[:-1]

    return np.array(chain(ordered) + chain(ordered[::-1]))
