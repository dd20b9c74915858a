"""Procedural Earth-observation tiles: the embedded default source."""

from pathlib import Path

import numpy as np
from pydantic import Field as Limits
from scipy.ndimage import gaussian_filter1d

from semloss.sources.base import (
    MOST_PER_CLASS,
    SOURCES,
    Images,
    ImageSet,
    Report,
    Source,
    allocate,
    silent,
)
from semloss.sources.landcover import RECIPES
from semloss.sources.landforms import Cover, Field, Tile, blend, fractal

GENERATOR = 1
"""Raised whenever the same options give other pixels."""
MAPS = 1
"""Raised whenever the same options give other maps of land cover."""


@SOURCES.register("scenes")
class Scenes(Source):
    """Procedural tiles of ten land covers, named and ordered as EuroSAT's classes.

    Tile i of a class depends on the seed, the class and i alone: asking for more tiles extends
    the set. At any size a pixel stands for about 10 m; a larger tile shows more land.

    Attributes
    ----------
    size
        Pixels a side, a multiple of 8 from 32 to 512.
    per_class
        Tiles of each class.
    seed
        Seed of all tiles.
    """

    size: int = Limits(64, ge=32, le=512, multiple_of=8)
    per_class: int = Limits(300, ge=1, le=MOST_PER_CLASS)
    seed: int = Limits(0, ge=0)

    def fingerprint(self) -> str:
        """Identity of the tiles: the options, and the versions of the generator and its maps."""
        return self.digest(GENERATOR, "maps", MAPS)

    def load(self, report: Report = silent, into: Path | None = None) -> ImageSet:
        """Draw all tiles, class by class."""
        classes = tuple(RECIPES)
        shape = (len(classes) * self.per_class, self.size, self.size)
        images, maps = allocate((*shape, 3), into), np.empty(shape, dtype=np.uint8)
        for label, land_cover in enumerate(classes):
            report(f"drawing {self.per_class} scenes of {land_cover} ({label + 1}/{len(classes)})")
            for index in range(self.per_class):
                at = label * self.per_class + index
                images[at], maps[at] = draw_tile(land_cover, self.seed, index, self.size)
        return ImageSet(
            images,
            np.repeat(np.arange(len(classes)), self.per_class).astype(np.int64),
            classes,
            ("red", "green", "blue"),
            "scenes",
            {"kind": "scenes", **self.model_dump(), "generator": GENERATOR},
            maps=maps,
            map_classes=tuple(one.name.lower() for one in Cover),
        )


def draw_tile(land_cover: str, seed: int, index: int, size: int = 64) -> tuple[Images, Images]:
    """Draw one tile (size, size, 3) uint8, and what each of its pixels is covered by.

    Parameters
    ----------
    land_cover
        A class name of `RECIPES`.
    seed, index
        Which of the endless tiles of this class.
    size
        Pixels a side.
    """
    rng = np.random.default_rng((seed, list(RECIPES).index(land_cover), index))
    azimuth = rng.uniform(-0.9, 0.9) - np.pi / 2  # northern mid-latitudes: shadows fall northward
    tile = Tile(rng, size, (float(np.cos(azimuth)), float(np.sin(azimuth))))
    return _sense(tile, _atmosphere(tile, RECIPES[land_cover](tile))), tile.cover


def _atmosphere(tile: Tile, ground: Field) -> Field:
    """Season, illumination and haze: a cast, a gain, and blue light from the path."""
    rng = tile.rng
    cast = rng.normal((0, -0.01, 0.05), (0.045, 0.02, 0.025))
    gain = np.exp(rng.normal(0, 0.1) + cast).astype(np.float32)
    lit = ground * gain
    grey = lit.mean((0, 1))
    lit = grey + (lit - grey) * np.float32(rng.uniform(0.75, 1.15))
    haze = 0.01 + rng.exponential(0.03) if rng.random() > 0.05 else rng.uniform(0.15, 0.4)
    veil = haze * (1 + 0.15 * fractal(tile, 3.2)[0])
    air = np.array((0.36, 0.45, 0.70), dtype=np.float32)
    return blend(lit, air, np.clip(veil, 0, 0.6))


def _sense(tile: Tile, scene: Field) -> Images:
    """Blur by the optics, add read and photon noise, and round to 8 bits."""
    rng = tile.rng
    sigma = rng.uniform(0.45, 0.65)
    seen = gaussian_filter1d(gaussian_filter1d(scene, sigma, 0), sigma, 1)
    noise_sd = rng.uniform(0.4, 1.3) / 255 * np.sqrt(0.3 + 1.4 * np.clip(seen, 0, 1))
    seen = seen + noise_sd * rng.standard_normal(seen.shape, dtype=np.float32)
    counts: Images = np.clip(np.rint(seen * 255), 0, 255).astype(np.uint8)
    return counts
