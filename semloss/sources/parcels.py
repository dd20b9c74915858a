"""Land divided among owners: parcels, plots and blocks, with their borders and rows."""

import math
from dataclasses import dataclass
from random import Random

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from semloss.sources.landforms import FINE, Field, Tile, average, fractal, refine

Polygon = list[tuple[float, float]]


@dataclass(frozen=True)
class Parcels:
    """A tile divided into convex pieces by successive cuts, like inherited farmland.

    Attributes
    ----------
    labels
        Piece of each point on the fine grid, (2H, 2W).
    count
        Number of pieces.
    angles
        Direction of each piece's long side, in radians, (count,).
    cuts
        End points of the borders in pixels, (borders, 4).
    """

    labels: npt.NDArray[np.int32]
    count: int
    angles: Field
    cuts: npt.NDArray[np.float64]

    def paint(self, colours: Field) -> Field:
        """Give each piece its colour or value (count, ...): image (H, W, ...)."""
        return average(np.take(colours, self.labels, axis=0))

    def directions(self) -> Field:
        """Direction of the piece at each point of the fine grid, in radians (2H, 2W)."""
        return self.angles[self.labels]

    def borders(self, tile: Tile, width: float, share: float = 1.0) -> Field:
        """Coverage (H, W) of lines along a random `share` of the borders, `width` pixels wide."""
        scale = 3
        image = Image.new("L", (tile.size * scale,) * 2)
        pen = ImageDraw.Draw(image)
        kept = self.cuts[tile.rng.random(len(self.cuts)) < share]
        for cut in (kept * scale).tolist():
            pen.line(cut, fill=255, width=max(1, round(width * scale)))
        return np.asarray(image.reduce(scale), dtype=np.float32) / 255

    def rows(self, tile: Tile, period: tuple[float, float], strength: Field) -> Field:
        """Stripes (H, W) of mean 0 along each piece, `strength` (count,) their amplitude."""
        wave = 2 * np.pi / tile.rng.uniform(*period, self.count)
        across = self.angles + np.pi / 2
        kx = (wave * np.cos(across)).astype(np.float32)[self.labels]
        ky = (wave * np.sin(across)).astype(np.float32)[self.labels]
        axis = (np.arange(tile.size * FINE, dtype=np.float32) + 0.5) / FINE
        return average(np.cos(kx * axis + ky * axis[:, None]) * strength[self.labels])


def parcels(
    tile: Tile, side: float, irregular: float = 0.06, warp: float = 0.0, strips: float = 0.12
) -> Parcels:
    """Divide the tile into pieces of about `side` x `side` pixels.

    Parameters
    ----------
    tile
        The tile.
    side
        Typical side of a piece in pixels; pieces vary about sixfold in area.
    irregular
        Standard deviation of the cuts' direction in radians: 0 gives a street grid.
    warp
        Amplitude in pixels by which borders wander, as hedges do.
    strips
        Probability that a piece is cut along its length, which leaves long narrow strips.
    """
    rng, size = tile.rng, tile.size
    main, reach = rng.uniform(0, np.pi), 0.87 * size
    c, s = reach * math.cos(main), reach * math.sin(main)
    dice = Random(int(rng.integers(2**62))).random  # far quicker than numpy for single numbers
    x, y = (0.4 + 0.2 * dice()) * size, (0.4 + 0.2 * dice()) * size
    queue: list[Polygon] = [
        [
            (x - c + s, y - s - c),
            (x + c + s, y + s - c),
            (x + c - s, y + s + c),
            (x - c - s, y - s + c),
        ]
    ]
    pieces: list[tuple[Polygon, float]] = []
    cuts: list[list[float]] = []
    while queue:
        piece = queue.pop()
        if _outside(piece, size):
            continue
        area, long_side = _measure(piece)
        limit, tilt, part, across = dice(), dice(), dice(), dice()
        if area < side * side * (0.5 + 2.1 * limit):
            pieces.append((piece, long_side))
            continue
        normal = (
            long_side + irregular * 3.46 * (tilt - 0.5) + (math.pi / 2 if across < strips else 0)
        )
        halves, border = _cut(piece, normal, 0.3 + 0.4 * part)
        queue += halves
        cuts.append(border)
    image = Image.new("I", (size * FINE,) * 2)
    pen = ImageDraw.Draw(image)
    for label, (piece, _) in enumerate(pieces):
        pen.polygon([(FINE * x, FINE * y) for x, y in piece], fill=label)
    labels = np.asarray(image)
    if warp:
        dx, dy = (refine(f) for f in fractal(tile, 3.0, 2))
        index = np.arange(size * FINE)
        columns = np.clip(index + (dx * warp * FINE), 0, size * FINE - 1).astype(np.intp)
        rows = np.clip(index[:, None] + dy * warp * FINE, 0, size * FINE - 1).astype(np.intp)
        labels = labels[rows, columns]
    angles = np.array([angle for _, angle in pieces], dtype=np.float32)
    return Parcels(labels, len(pieces), angles, np.array(cuts).reshape(-1, 4))


def _measure(piece: Polygon) -> tuple[float, float]:
    """Area of a polygon and the direction of its longest side."""
    area, longest, long_x, long_y = 0.0, -1.0, 0.0, 0.0
    x0, y0 = piece[-1]
    for x, y in piece:
        dx, dy = x - x0, y - y0
        area += x0 * dy - y0 * dx
        length = dx * dx + dy * dy
        if length > longest:
            longest, long_x, long_y = length, dx, dy
        x0, y0 = x, y
    return abs(area) / 2, math.atan2(long_y, long_x)


def _outside(piece: Polygon, size: int) -> bool:
    xs, ys = [x for x, _ in piece], [y for _, y in piece]
    return max(xs) < 0 or max(ys) < 0 or min(xs) > size or min(ys) > size


def _cut(piece: Polygon, normal: float, part: float) -> tuple[list[Polygon], list[float]]:
    """Cut a convex polygon across the direction `normal` at `part` of its extent."""
    c, s = math.cos(normal), math.sin(normal)
    height = [x * c + y * s for x, y in piece]
    level = min(height) + part * (max(height) - min(height))
    low: Polygon = []
    high: Polygon = []
    border: list[float] = []
    for i, (x, y) in enumerate(piece):
        here, before = height[i] - level, height[i - 1] - level
        if (here < 0) != (before < 0):
            share = here / (here - before)
            crossing = (x + (piece[i - 1][0] - x) * share, y + (piece[i - 1][1] - y) * share)
            low.append(crossing)
            high.append(crossing)
            border += crossing
        (low if here < 0 else high).append((x, y))
    return [low, high], border
