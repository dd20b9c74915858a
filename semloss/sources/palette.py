"""Colours of the ground, as a true-colour preview shows them."""

import numpy as np

from semloss.sources.landforms import Field, Tile, fractal


def colours(*rows: tuple[int, int, int]) -> Field:
    """Palette (n, 3) in [0, 1] from 8-bit values."""
    return np.array(rows, dtype=np.float32) / 255


LUSH = colours((44, 84, 74), (54, 96, 74), (64, 98, 76), (48, 88, 86), (108, 128, 72))
MEADOW = colours((50, 88, 84), (60, 98, 84), (66, 100, 92), (56, 92, 70), (82, 104, 84))
DRY = colours((132, 114, 100), (112, 100, 90), (150, 122, 106), (106, 86, 82), (124, 112, 84))
SCRUB = colours((58, 74, 74), (66, 80, 70), (78, 82, 76), (52, 66, 62))
STRAW = colours((186, 154, 118), (206, 172, 132), (170, 140, 96), (160, 134, 118))
SOIL = colours((144, 114, 104), (120, 100, 96), (172, 134, 110), (96, 88, 88), (200, 178, 160))
TREE = colours((34, 58, 62), (30, 52, 58), (40, 64, 58), (36, 56, 68))
ROOF = colours((168, 112, 98), (186, 140, 122), (140, 100, 92), (150, 146, 148), (202, 192, 188))
HALL = colours((236, 234, 232), (206, 206, 210), (168, 170, 176), (120, 128, 142), (92, 98, 112))
PAVED = colours((118, 114, 118), (142, 136, 134), (100, 100, 108), (166, 154, 146))
WATER = colours((26, 44, 78), (32, 58, 84), (44, 76, 92), (66, 98, 104), (28, 50, 62))
TURBID = colours((104, 116, 116), (92, 128, 118), (108, 106, 104), (84, 100, 116))

ONE = np.float32(1)


def mix(tile: Tile, *palettes: Field, spread: float = 0.025, count: int = 1) -> Field:
    """Colours (count, 3): a random blend of two entries of the palettes, with some scatter."""
    palette = np.concatenate(palettes)
    first, second = tile.rng.integers(0, len(palette), (2, count))
    share = tile.rng.random((count, 1), dtype=np.float32)
    mixed = palette[first] * share + palette[second] * (ONE - share)
    tint = tile.rng.normal(0, spread, (count, 1)) + tile.rng.normal(0, spread / 3, (count, 3))
    colour: Field = np.clip(mixed + tint.astype(np.float32), 0.02, 1)
    return colour


def around(tile: Tile, colour: Field, spread: float, count: int) -> Field:
    """Colours (count, 3) that vary about one in brightness and a little in hue."""
    gain = 1 + tile.rng.normal(0, spread, (count, 1)) + tile.rng.normal(0, spread / 3, (count, 3))
    return (colour * np.clip(gain, 0.3, 2)).astype(np.float32)


def flat(tile: Tile, colour: Field) -> Field:
    """Image (H, W, 3) of one colour."""
    return np.broadcast_to(colour, (tile.size, tile.size, 3)).astype(np.float32)


def mottle(tile: Tile, image: Field, coarse: float, fine: float) -> Field:
    """Vary brightness by a smooth and a rough natural texture of the given relative strengths."""
    texture = coarse * fractal(tile, 3.0)[0] + fine * fractal(tile, 1.4)[0]
    varied: Field = image * np.clip(1 + texture, 0.3, 2)[..., None]
    return varied
