"""Where a fit may be trusted: the convex hull of its cells in the plane (ln CR, SNR)."""

import numpy as np
from numpy.typing import NDArray

from semloss.surfaces.forms import Array


def convex_hull(points: Array) -> Array:
    """Vertices (V, 2), anticlockwise, of the convex hull of points (N, 2); Andrew's chain."""
    ordered = [tuple(point) for point in np.unique(points, axis=0)]

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


def in_hull(hull: Array, ln_cr: Array, snr_db: Array) -> NDArray[np.bool_]:
    """Whether points (N,) lie in the hull (V, 2), within 0.1 % of its extent.

    The allowance lets a rounded "0.0833" count as the measured 1/12.
    """
    size = np.maximum(np.ptp(hull, axis=0), 1e-9)
    points = np.stack([ln_cr, snr_db], axis=-1) / size
    corners = hull / size
    edges = np.roll(corners, -1, axis=0) - corners
    away = points[:, None, :] - corners
    lengths = np.maximum(np.linalg.norm(edges, axis=1), 1e-12)
    distance = (edges[:, 0] * away[..., 1] - edges[:, 1] * away[..., 0]) / lengths
    box = (points >= corners.min(axis=0) - 1e-3) & (points <= corners.max(axis=0) + 1e-3)
    return np.asarray((distance >= -1e-3).all(axis=1) & box.all(axis=1))
