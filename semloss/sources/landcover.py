"""Ten land covers, drawn as they look from above at 10 m a pixel.

The classes are EuroSAT's (Helber et al., IEEE JSTARS 12(7), 2019, table I). Colours are written as
a true-colour preview shows them, 0 to 255. Each recipe takes a `Tile` and returns an image
(H, W, 3) in [0, 1] before atmosphere and sensor. Recipes overlap on purpose: what tells pasture
from herbaceous vegetation, orchard from crop or road from river is often structure of a few pixels.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from semloss.sources.landforms import (
    Cover,
    Field,
    Tile,
    band,
    blend,
    curve,
    fractal,
    hillshade,
    lattice,
    patches,
)
from semloss.sources.palette import (
    DRY,
    HALL,
    LUSH,
    MEADOW,
    PAVED,
    ROOF,
    SCRUB,
    SOIL,
    STRAW,
    TREE,
    TURBID,
    WATER,
    around,
    flat,
    mix,
    mottle,
)
from semloss.sources.parcels import Parcels, parcels
from semloss.sources.parts import canopy, hamlet, trees, woods


def _fields(tile: Tile, side: float, *palettes: Field, rows: float) -> tuple[Field, Parcels]:
    """Ploughland: parcels, each with its crop, drilling rows and moist or bare spots."""
    rng = tile.rng
    tile.cover[:] = Cover.CROPLAND
    farm = parcels(tile, side, irregular=0.1, strips=rng.choice([0.1, 0.2, 0.6]))
    image = farm.paint(mix(tile, *palettes, count=farm.count))
    strength = (rows * rng.random(farm.count) * (rng.random(farm.count) < 0.6)).astype(np.float32)
    image = image * (1 + farm.rows(tile, (3.5, 9), strength))[..., None]
    track = np.concatenate([STRAW, TREE, LUSH])[rng.integers(0, 13)]
    share = float(rng.uniform(0.1, 0.7))
    image = blend(image, track, 0.7 * farm.borders(tile, float(rng.uniform(0.4, 1.2)), share))
    return mottle(tile, image, rng.uniform(0.02, 0.09), rng.uniform(0.005, 0.03)), farm


def _over(
    tile: Tile, image: Field, recipe: Callable[[Tile], Field], coverage: Callable[[], Field]
) -> Field:
    """Another land cover over some of the image; its coverage (H, W) is drawn after it."""
    below = tile.cover.copy()
    land = recipe(tile)
    above = tile.cover.copy()
    tile.cover[:] = below
    return blend(image, land, tile.lay(above, coverage()))


def annual_crop(tile: Tile) -> Field:
    """Large parcels of cereals, stubble and bare soil; faint drilling rows."""
    rng = tile.rng
    dry = rng.random()
    palettes = [LUSH, STRAW, SOIL] if dry < 0.6 else [SOIL, STRAW] if dry < 0.85 else [LUSH, MEADOW]
    image, _ = _fields(tile, rng.choice([13, 20, 30, 45]), *palettes, rows=0.08)
    if rng.random() < 0.25:
        image = woods(tile, image, 0.1)
    return hamlet(tile, image, 0.02) if rng.random() < 0.2 else image


def forest(tile: Tile) -> Field:
    """Closed canopy, dark and fine-grained, over more or less relief."""
    rng = tile.rng
    tile.cover[:] = Cover.TREES
    image = canopy(tile)
    if rng.random() < 0.25:
        image = blend(
            image, mix(tile, LUSH, spread=0.01)[0], 0.4 * patches(tile, 0.5, softness=1.5)
        )
    if rng.random() < 0.6:
        image = image * hillshade(tile, rng.uniform(0.01, 0.09))[..., None]
    if rng.random() < 0.3:
        clearing = mix(tile, MEADOW, SCRUB, DRY)[0]
        bare = rng.uniform(0.2, 0.7) * patches(tile, rng.uniform(0.02, 0.12))
        image = blend(image, clearing, tile.lay(Cover.OPEN, bare))
    if rng.random() < 0.25:
        track = band(curve(tile, rng.normal(0, 8), 3.0)[0], 0.7)
        image = blend(image, DRY[0], 0.45 * track)
    return image


def herbaceous_vegetation(tile: Tile) -> Field:
    """Natural grassland, heath and scrub: mottled, no parcels, often with relief."""
    rng = tile.rng
    tile.cover[:] = Cover.OPEN
    palettes = [DRY, DRY, SCRUB, SOIL] if rng.random() < 0.65 else [MEADOW, SCRUB]
    ground = mix(tile, *palettes)[0]
    image = flat(tile, ground)
    for _ in range(2):
        other = ground * 0.4 + 0.6 * mix(tile, *palettes, SCRUB)[0]
        image = blend(image, other, 0.8 * patches(tile, rng.uniform(0.2, 0.6), 2.6, 1.2))
    if rng.random() < 0.6:
        bare = 0.5 * ground + 0.5 * mix(tile, SOIL, STRAW, DRY)[0]
        image = blend(image, bare, 0.8 * patches(tile, rng.uniform(0.05, 0.3), 2.4, 0.9))
    image = mottle(tile, image, rng.uniform(0.03, 0.1), rng.uniform(0.02, 0.06))
    if rng.random() < 0.5:
        image = image * hillshade(tile, rng.uniform(0.04, 0.2))[..., None]
    if rng.random() < 0.4:
        image = trees(tile, image, patches(tile, rng.uniform(0.1, 0.4), softness=1.0), 2.6)
    return image


def _countryside(tile: Tile) -> Field:
    """What lies beside a road or a river: any open land, some woods, a few houses."""
    rng = tile.rng
    pick = rng.random()
    if pick < 0.4:
        image, _ = _fields(tile, rng.choice([12, 18, 28]), LUSH, MEADOW, STRAW, SOIL, rows=0.06)
    elif pick < 0.65:
        image = pasture(tile)
    elif pick < 0.85:
        image = herbaceous_vegetation(tile)
    else:
        tile.cover[:] = Cover.TREES
        image = canopy(tile)
    if rng.random() < 0.5:
        image = woods(tile, image, rng.uniform(0.1, 0.4))
    return hamlet(tile, image, rng.uniform(0.05, 0.3)) if rng.random() < 0.4 else image


def highway(tile: Tile) -> Field:
    """A main road, one or two carriageways wide, through open land or suburbs."""
    rng = tile.rng
    image = _countryside(tile)
    asphalt = mix(tile, PAVED, spread=0.03)[0]
    if rng.random() < 0.45:
        lane = band(curve(tile, rng.normal(0, 6), 1.0)[0], rng.uniform(0.5, 1.4))
        image = blend(image, asphalt, tile.lay(Cover.BUILT, 0.85 * lane))
    distance, _ = curve(tile, rng.normal(0, 4), rng.uniform(0, 1))
    width = rng.uniform(1.2, 3.8)
    verge = np.concatenate([TREE, MEADOW, DRY])[rng.integers(0, 14)]
    image = blend(image, verge, 0.6 * band(distance, width + rng.uniform(1, 4)))
    road = rng.uniform(0.7, 0.95) * band(distance, width)
    image = blend(image, asphalt, tile.lay(Cover.BUILT, road))
    if width > 2.6:
        image = blend(image, verge, 0.7 * band(distance, 0.7))
    if rng.random() < 0.15:  # a ramp that leaves the road along its tangent
        radius = rng.uniform(4, 12)
        centres = np.argwhere(np.abs(np.abs(distance) - radius) < 1)
        if len(centres):
            cy, cx = centres[rng.integers(len(centres))]
            y, x = np.mgrid[: tile.size, : tile.size].astype(np.float32)
            ramp = 0.85 * band(np.hypot(x - cx, y - cy) - radius, 1.1)
            image = blend(image, asphalt, tile.lay(Cover.BUILT, ramp))
    return image


def industrial(tile: Tile) -> Field:
    """Large bright halls with shadows, yards and streets between them."""
    rng = tile.rng
    town = parcels(tile, rng.uniform(14, 24), irregular=0.04)
    image = _industry(tile, town)
    if rng.random() < 0.2:
        image = _over(tile, image, residential, lambda: patches(tile, rng.uniform(0.1, 0.4)))
    return woods(tile, image, rng.uniform(0.05, 0.3)) if rng.random() < 0.3 else image


def _industry(tile: Tile, town: Parcels) -> Field:
    """Halls, sheds and yards on the plots of a town."""
    rng = tile.rng
    tile.cover[:] = Cover.BUILT
    yard = mix(tile, PAVED, spread=0.04)[0]
    plots = around(tile, yard, 0.14, town.count)
    green = rng.random(town.count) < rng.uniform(0.05, 0.35)
    plots[green] = mix(tile, MEADOW, DRY, TREE, SOIL, count=town.count)[green]
    image = mottle(tile, town.paint(plots), 0.05, rng.uniform(0.05, 0.12))
    for pitch, share, fill, palette in (
        ((4.0, 6.0), (0.25, 0.6), (0.3, 0.9), np.concatenate([HALL, PAVED, ROOF])),
        ((9.0, 20.0), (0.4, 0.8), (0.4, 0.9), np.concatenate([HALL, HALL[:3]])),
    ):
        halls = lattice(
            tile,
            (rng.uniform(*pitch), 0.8 * rng.uniform(*pitch)),
            fill,
            palette,
            angle=town.directions(),
            present=float(rng.uniform(*share)),
            jitter=0.6,
            shadow_px=float(rng.uniform(0.6, 1.6)),
        )
        image = image * (1 - 0.55 * halls.shadow)[..., None]
        roofs = halls.colour * (1 + 0.07 * fractal(tile, 1.0)[0])[..., None]
        image = blend(image, roofs, 0.95 * halls.coverage)
    street = mix(tile, PAVED)[0]
    image = blend(image, street, 0.8 * town.borders(tile, float(rng.uniform(0.8, 1.6)), 0.7))
    return trees(tile, image, 0.12, 3.0) if rng.random() < 0.6 else image


def pasture(tile: Tile) -> Field:
    """Grazed grass: fields alike in colour, hedges and single trees along wandering borders."""
    rng = tile.rng
    land = parcels(tile, rng.uniform(10, 24), irregular=0.25, warp=rng.uniform(0.3, 1.6))
    tile.cover[:] = Cover.OPEN
    base = mix(tile, MEADOW, MEADOW, LUSH[:4], DRY[:1])[0]
    colours = around(tile, base, rng.uniform(0.03, 0.15), land.count)
    odd = rng.random(land.count) < rng.choice([0, 0, 0.12])
    colours[odd] = mix(tile, DRY, STRAW, LUSH, count=land.count)[odd]
    image = mottle(tile, land.paint(colours), rng.uniform(0.03, 0.09), rng.uniform(0.015, 0.045))
    hedge = land.borders(tile, float(rng.uniform(0.6, 1.5)), float(rng.uniform(0.3, 0.9)))
    gaps = np.clip(0.75 + 0.5 * fractal(tile, 1.2)[0], 0, 1)
    tree = TREE[rng.integers(0, 4)]
    image = blend(image, tree, tile.lay(Cover.TREES, rng.uniform(0.4, 0.95) * hedge * gaps))
    image = trees(tile, image, float(rng.uniform(0.005, 0.08)), 2.4)
    if rng.random() < 0.3:
        image = woods(tile, image, rng.uniform(0.03, 0.15))
    if rng.random() < 0.3:
        image = image * hillshade(tile, rng.uniform(0.01, 0.05))[..., None]
    return hamlet(tile, image, 0.015) if rng.random() < 0.3 else image


def permanent_crop(tile: Tile) -> Field:
    """Orchards, vineyards and olive groves: small parcels, planted in rows or dots on bare soil."""
    rng = tile.rng
    farm = parcels(tile, rng.uniform(9, 24), irregular=0.14, warp=rng.choice([0, 0.8]))
    tile.cover[:] = Cover.CROPLAND
    soil = mix(tile, SOIL, STRAW, DRY)[0]
    colours = around(tile, soil, 0.1, farm.count)
    green = rng.random(farm.count) < rng.uniform(0, 0.6)
    colours[green] = mix(tile, LUSH, SCRUB, MEADOW, count=farm.count)[green]
    image = mottle(tile, farm.paint(colours), 0.06, rng.uniform(0.02, 0.05))
    planting = rng.random()
    if planting < 0.65:
        depth = rng.uniform(0.04, 0.2) * rng.uniform(0.4, 1, farm.count)
        stripes = farm.rows(tile, (2.3, 4.0), depth.astype(np.float32))
        image = image * np.clip(1 + stripes, 0.3, 2)[..., None]
    if planting > 0.35:
        grove = lattice(
            tile,
            (rng.uniform(1.6, 2.6), rng.uniform(1.8, 2.8)),
            (0.4, 0.85),
            np.concatenate([TREE, SCRUB, LUSH]),
            angle=farm.directions(),
            present=patches(tile, rng.uniform(0.5, 1.0)) * np.float32(rng.uniform(0.4, 0.9)),
            jitter=float(rng.uniform(0.2, 1.0)),
            round_shape=True,
        )
        image = blend(image, grove.colour, rng.uniform(0.3, 0.75) * grove.coverage)
    track = mix(tile, STRAW, SOIL[4:])[0]
    lines = farm.borders(tile, float(rng.uniform(0.4, 1.0)), float(rng.uniform(0.3, 0.9)))
    return blend(image, track, rng.uniform(0.3, 0.8) * lines)


def residential(tile: Tile) -> Field:
    """Houses in rows with gardens between streets."""
    rng = tile.rng
    town = parcels(tile, rng.uniform(8, 18), irregular=0.1, warp=rng.choice([0, 0, 0.8]))
    tile.cover[:] = Cover.BUILT
    garden = mix(tile, TREE, TREE, SCRUB, MEADOW, DRY, PAVED)[0]
    image = mottle(tile, town.paint(around(tile, garden, 0.12, town.count)), 0.06, 0.1)
    image = trees(tile, image, float(rng.uniform(0.1, 0.5)), 2.2)
    density = rng.uniform(0.4, 0.95) * np.clip(1 + 0.25 * fractal(tile, 3.0)[0], 0.2, 1.1)
    parks = (rng.random(town.count) < rng.uniform(0, 0.2)).astype(np.float32)
    density = density * (1 - town.paint(parks))
    roof = mix(tile, ROOF, PAVED, spread=0.04)[0]
    roofs = 0.4 * roof + 0.6 * mix(tile, ROOF, HALL, spread=0.09, count=24)
    contrast = np.float32(rng.uniform(0.7, 1.0))
    for turn, share in ((0.0, 1.0), (np.pi / 2, 0.4)):
        houses = lattice(
            tile,
            (rng.uniform(1.7, 2.8), rng.uniform(2.2, 3.8)),
            (0.45, 0.95),
            np.clip(roofs, 0, 1),
            angle=town.directions() + np.float32(turn),
            present=density * np.float32(share),
            jitter=0.5,
            shadow_px=0.6,
        )
        image = image * (1 - 0.45 * houses.shadow)[..., None]
        image = blend(image, houses.colour, tile.lay(Cover.BUILT, contrast * houses.coverage))
    street = mix(tile, PAVED)[0]
    streets = town.borders(tile, float(rng.uniform(0.5, 1.1)))
    image = blend(image, street, tile.lay(Cover.BUILT, rng.uniform(0.5, 0.9) * streets))
    if rng.random() < 0.15:
        works = partial(_industry, town=town)
        image = _over(tile, image, works, lambda: patches(tile, rng.uniform(0.1, 0.4)))
    return woods(tile, image, rng.uniform(0.05, 0.25)) if rng.random() < 0.3 else image


def river(tile: Tile) -> Field:
    """A river, narrow or wide, meandering through open land; trees or sand along its banks."""
    rng = tile.rng
    image = _countryside(tile)
    distance, _ = curve(tile, rng.normal(0, 8), rng.uniform(1, 7))
    width = rng.choice([rng.uniform(2.5, 8), rng.uniform(8, 26)])
    width = width * (1 + 0.12 * fractal(tile, 3.0)[0])
    bank = mix(tile, TREE, TREE, SOIL[4:], MEADOW)[0]
    ragged = 1 + 0.5 * fractal(tile, 2.0)[0]
    image = blend(image, bank, rng.uniform(0.3, 0.9) * band(distance, width + 4 * np.abs(ragged)))
    water = mix(tile, WATER, WATER, TURBID, spread=0.015)[0]
    surface = flat(tile, water) * (1 + 0.02 * fractal(tile, 2.5)[0])[..., None]
    image = blend(image, surface, tile.lay(Cover.WATER, band(distance, width)))
    if rng.random() < 0.15:
        bridge = 0.9 * band(curve(tile, 0.0, 0.0)[0], 1.2)
        image = blend(image, PAVED[1], tile.lay(Cover.BUILT, bridge))
    return image


def sea_lake(tile: Tile) -> Field:
    """Open water, smooth, at times with a shore, shallows or a plume."""
    rng = tile.rng
    tile.cover[:] = Cover.WATER
    deep = mix(tile, WATER, WATER, WATER, TURBID, spread=0.012)[0]
    image: Field = flat(tile, deep) * (1 + rng.uniform(0, 0.03) * fractal(tile, 3.0)[0])[..., None]
    image = image * (1 + rng.uniform(0, 0.01) * fractal(tile, 0.6)[0])[..., None]
    if rng.random() < 0.2:
        plume = 0.6 * deep + 0.4 * mix(tile, TURBID)[0]
        image = blend(image, plume, 0.7 * patches(tile, 0.4, 3.4, 2.0))
    if rng.random() < 0.22:
        distance, _ = curve(tile, rng.normal(0, 10), rng.uniform(0, 4))
        distance = distance + 2.5 * fractal(tile, 3.0)[0] + rng.uniform(0.1, 0.3) * tile.size
        shore = mix(tile, STRAW, SOIL, SCRUB, DRY)[0]
        image = blend(image, 0.5 * deep + 0.5 * shore, 0.6 * np.clip(1 - distance / 6, 0, 1))
        image = blend(image, shore, tile.lay(Cover.OPEN, np.clip(0.5 - distance, 0, 1)))
        inland = np.clip(-0.5 - distance / 2, 0, 1)
        image = _over(tile, image, herbaceous_vegetation, lambda: inland)
    return image


RECIPES: dict[str, Callable[[Tile], Field]] = {
    "AnnualCrop": annual_crop,
    "Forest": forest,
    "HerbaceousVegetation": herbaceous_vegetation,
    "Highway": highway,
    "Industrial": industrial,
    "Pasture": pasture,
    "PermanentCrop": permanent_crop,
    "Residential": residential,
    "River": river,
    "SeaLake": sea_lake,
}
