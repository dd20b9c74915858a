"""Parts that several land covers share: trees, woods, closed canopy, groups of houses."""

import numpy as np

from semloss.sources.landforms import Cover, Field, Tile, blend, fractal, lattice, patches
from semloss.sources.palette import HALL, PAVED, ROOF, SCRUB, TREE, flat, mix


def trees(tile: Tile, image: Field, present: float | Field, pitch: float) -> Field:
    """Single crowns or groves with their shadows."""
    crowns = lattice(
        tile,
        (pitch, pitch),
        (0.35, 0.85),
        TREE,
        angle=float(tile.rng.uniform(0, np.pi)),
        present=present,
        jitter=0.9,
        round_shape=True,
    )
    image = image * (1 - 0.3 * crowns.shadow)[..., None]
    return blend(image, crowns.colour, tile.lay(Cover.TREES, 0.8 * crowns.coverage))


def woods(tile: Tile, image: Field, share: float) -> Field:
    """Patches of forest over the image."""
    edge = patches(tile, share, 2.8, tile.rng.uniform(0.3, 1.0))
    return blend(image, canopy(tile), tile.lay(Cover.TREES, tile.rng.uniform(0.6, 0.95) * edge))


def canopy(tile: Tile) -> Field:
    """Closed forest: crowns lit from one side over a dark ground."""
    colour = mix(tile, TREE, TREE, SCRUB[:1], spread=0.018)[0]
    height = fractal(tile, 1.7)[0]
    lit = np.gradient(height, axis=1) * tile.sun[0] + np.gradient(height, axis=0) * tile.sun[1]
    texture = tile.rng.uniform(0.03, 0.08) * (0.8 * height - 0.6 * lit)
    image: Field = flat(tile, colour) * np.clip(1 + texture, 0.5, 1.8)[..., None]
    return image


def hamlet(tile: Tile, image: Field, share: float) -> Field:
    """A group of houses somewhere in the tile."""
    houses = lattice(
        tile,
        (2.6, 3.2),
        (0.4, 0.8),
        np.concatenate([ROOF, ROOF, PAVED, HALL[1:4]]),
        angle=float(tile.rng.uniform(0, np.pi)),
        present=patches(tile, share, softness=0.8) * np.float32(tile.rng.uniform(0.4, 0.8)),
        jitter=0.6,
    )
    image = image * (1 - 0.4 * houses.shadow)[..., None]
    return blend(image, houses.colour, tile.lay(Cover.BUILT, houses.coverage))
