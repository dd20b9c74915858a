"""Shapes and textures that land cover is drawn from, seen from above at 10 m a pixel.

Every function draws with the tile's own random generator and returns arrays at the tile's
resolution. Geometry finer than a pixel is evaluated on a grid twice as fine and averaged, as a
sensor's pixel does, so edges are antialiased and thin structures fade rather than alias.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft

Field = npt.NDArray[np.floating[Any]]
"""One plane (H, W) or a colour image (H, W, 3), values in [0, 1] for colours."""

FINE = 2


class Cover(IntEnum):
    """What the ground is covered by; `OPEN` is grass, scrub and shore."""

    WATER = 0
    TREES = 1
    CROPLAND = 2
    OPEN = 3
    BUILT = 4


@dataclass(frozen=True)
class Tile:
    """What all parts of one tile share.

    Attributes
    ----------
    rng
        The tile's own generator.
    size
        Pixels a side.
    sun
        Unit vector (x right, y down) towards which shadows fall.
    cover
        What each pixel (H, W) is covered by, a `Cover`, kept as the tile is drawn.
    """

    rng: np.random.Generator
    size: int
    sun: tuple[float, float]
    cover: npt.NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "cover", np.full((self.size, self.size), Cover.OPEN, np.uint8))

    def lay(self, cover: int | npt.NDArray[np.uint8], coverage: Field) -> Field:
        """Note what gives a pixel more than half its light; the coverage (H, W), as it came."""
        self.cover[...] = np.where(coverage > 0.5, cover, self.cover)
        return coverage


def fractal(tile: Tile, beta: float, count: int = 1) -> Field:
    """Random textures (count, H, W) of power f**-beta, mean 0 and sd 1 over the ensemble.

    Natural scenes follow beta of about 2 (Field, JOSA A 4(12), 1987). The fields are cut from
    periodic ones an eighth larger, so that a tile's borders do not match up.
    """
    amplitude = _amplitude(tile.size * 9 // 8, beta)
    shape = (count, *amplitude.shape, 2)
    # Uniform coefficients are quicker than normal ones, and their sum is as good as normal.
    noise = (tile.rng.random(shape, dtype=np.float32) - 0.5).view(np.complex64)[..., 0]
    field: Field = fft.irfft2(noise * amplitude, s=(tile.size * 9 // 8,) * 2)
    return field[:, : tile.size, : tile.size]


@lru_cache(maxsize=64)
def _amplitude(side: int, beta: float) -> Field:
    """Spectrum amplitude for `scipy.fft.irfft2` that gives a field of sd 1."""
    radius = np.hypot(fft.fftfreq(side)[:, None], fft.rfftfreq(side)[None])
    radius[0, 0] = np.inf
    amplitude = radius ** (-beta / 2)
    # Columns strictly inside the half plane stand for two conjugate coefficients.
    twice = np.ones(amplitude.shape[1])
    twice[1 : (side + 1) // 2] = 2
    power = (2 * amplitude**2 * twice).sum() / side**4 / 12  # 1/12: variance of the noise
    scaled: Field = (amplitude / np.sqrt(power)).astype(np.float32)
    return scaled


def patches(tile: Tile, share: float, beta: float = 3.0, softness: float = 0.15) -> Field:
    """Coverage (H, W) in [0, 1] of irregular patches that cover about `share` of the tile."""
    field = fractal(tile, beta)[0] + 0.08 * fractal(tile, 1.0)[0]
    sample = np.sort(field[::4, ::4], axis=None)
    level = sample[int((1 - share) * (len(sample) - 1))]
    covered: Field = np.clip((field - level) / softness + 0.5, 0, 1)
    return covered


def hillshade(tile: Tile, ruggedness: float, beta: float = 4.5) -> Field:
    """Brightness factor (H, W) of relief lit from the sun: 1 on flat ground."""
    height = fractal(tile, beta)[0]
    if tile.rng.random() < 0.5:
        height = -np.abs(height)  # ridges and ravines instead of rolling hills
    slope = np.gradient(height)
    lit = slope[1] * tile.sun[0] + slope[0] * tile.sun[1]
    lit *= np.clip(0.8 + 0.5 * fractal(tile, 3.0)[0], 0, 2) / (lit.std() + 1e-6)
    shade: Field = np.clip(1 - ruggedness * lit, 0.45, 1.7)
    return shade


def grid(tile: Tile, angle: float | Field, fine: int = 1) -> tuple[Field, Field]:
    """Coordinates (u, v) in pixels, turned by `angle`, with the origin at a random point."""
    axis = (np.arange(tile.size * fine, dtype=np.float32) + 0.5) / fine
    x = axis[None, :] - np.float32(tile.rng.uniform(0, tile.size))
    y = axis[:, None] - np.float32(tile.rng.uniform(0, tile.size))
    c, s = np.cos(angle, dtype=np.float32), np.sin(angle, dtype=np.float32)
    return x * c + y * s, y * c - x * s


def average(fine: Field) -> Field:
    """Mean of each FINE x FINE block: (2H, 2W, ...) -> (H, W, ...)."""
    mean: Field = fine[::2, ::2] + fine[1::2, ::2]
    mean += fine[::2, 1::2]
    mean += fine[1::2, 1::2]
    mean *= np.float32(0.25)
    return mean


def blend(under: Field, over: Field | Sequence[float], coverage: Field) -> Field:
    """Lay a colour (3,) or image (H, W, 3) over another with coverage (H, W)."""
    top = np.asarray(over, dtype=np.float32)
    return under + (top - under) * coverage[..., None]


def curve(tile: Tile, bend: float, wiggle: float) -> tuple[Field, float]:
    """Signed distance (H, W) in pixels from a line that crosses the tile, and its angle.

    Parameters
    ----------
    tile
        The tile.
    bend
        Sagitta in pixels over the tile of one steady arc.
    wiggle
        Amplitude in pixels of meanders.
    """
    rng, size = tile.rng, tile.size
    angle = float(rng.uniform(0, np.pi))
    axis = np.arange(size, dtype=np.float32) + 0.5 - size / 2
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    u, v = axis[None, :] * c + axis[:, None] * s, axis[:, None] * c - axis[None, :] * s
    t = u / size
    scale = size / 64
    waves, phases = rng.uniform(0.5, 1.6, 2) * scale, rng.uniform(0, 2 * np.pi, 2)
    turn = 2 * np.pi * t
    path = rng.uniform(-0.28, 0.28) * size + 4 * bend * t * t
    path = path + wiggle * np.sin(turn * waves[0] + phases[0])
    path += 0.35 * wiggle * np.sin(2.3 * turn * waves[1] + phases[1])
    slope = np.gradient(path, axis=1) * c + np.gradient(path, axis=0) * s
    return ((v - path) / np.sqrt(1 + slope**2)).astype(np.float32), angle


def band(distance: Field, width: float | Field) -> Field:
    """Coverage (H, W) of a band of `width` pixels around distance zero, antialiased."""
    half = np.asarray(width, dtype=np.float32) / 2
    return np.clip(half - np.abs(distance) + 0.5, 0, 1) * np.minimum(1, 2 * half)


@dataclass(frozen=True)
class Lattice:
    """Boxes or crowns on a jittered grid: coverage, shadow, and a colour for each point."""

    coverage: Field
    shadow: Field
    colour: Field


def lattice(
    tile: Tile,
    pitch: tuple[float, float],
    fill: tuple[float, float],
    colours: Field,
    *,
    angle: float | Field,
    present: float | Field,
    jitter: float = 0.2,
    round_shape: bool = False,
    shadow_px: float = 0.8,
) -> Lattice:
    """Rows of similar things: houses, halls, trees.

    Parameters
    ----------
    tile
        The tile.
    pitch
        Spacing along and across the rows in pixels.
    fill
        Least and greatest share of a cell's sides that a thing takes.
    colours
        Palette (n, 3) drawn from for each thing.
    angle
        Direction of the rows in radians, for the tile or for each point (2H, 2W).
    present
        Probability, or coverage (H, W), that a cell is occupied.
    jitter
        Displacement of the things, as a share of the free space of a cell.
    round_shape
        Crowns instead of boxes.
    shadow_px
        Length of the shadows in pixels.
    """
    rng = tile.rng
    u, v = grid(tile, angle, FINE)
    cells = 1 << max(3, math.ceil(math.log2(tile.size / 2)))
    draw, *dice = rng.random((5, cells * cells), dtype=np.float32)
    half = [(fill[0] + (fill[1] - fill[0]) * side) / 2 for side in dice[:2]]
    centre = [
        0.5 + jitter * (2 * place - 1) * (1 - 2 * side)
        for place, side in zip(dice[2:], half, strict=True)
    ]
    kind = rng.integers(0, len(colours), cells * cells)

    a, b = u / np.float32(pitch[0]), v / np.float32(pitch[1])
    ia, ib = np.floor(a), np.floor(b)
    cell = (ia.astype(np.intp) & (cells - 1)) * cells + (ib.astype(np.intp) & (cells - 1))
    a = np.abs(a - ia - centre[0][cell]) / half[0][cell]
    b = np.abs(b - ib - centre[1][cell]) / half[1][cell]
    inside = (a * a + b * b if round_shape else np.maximum(a, b)) < 1
    inside &= draw[cell] < (present if isinstance(present, float) else refine(present))
    shift = (round(FINE * tile.sun[1] * shadow_px), round(FINE * tile.sun[0] * shadow_px))
    shaded = np.roll(inside, shift, (0, 1)) & ~inside
    coverage = average(inside.astype(np.float32))
    colour = np.take(colours, kind[cell[::FINE, ::FINE]], axis=0)
    return Lattice(coverage, average(shaded.astype(np.float32)), colour)


def refine(field: Field) -> Field:
    """Repeat each pixel on the fine grid: (H, W) -> (2H, 2W)."""
    return np.repeat(np.repeat(field, FINE, 0), FINE, 1)
