"""Images of any size over a codec that was trained on tiles.

A scene is cut into tiles of the training size, evenly spread so that the last ones end at its
edges. Each tile is sent by itself, with channel draws of its own. Where tiles overlap, what arrives
is their mean, weighted by a ramp that falls to nothing at a tile's own edge: no seam is left, and
what two tiles tell of the same pixels is averaged. An overlap of o pixels between tiles of t costs
about (t / (t - o))² times the symbols: 1.31 times at the default, o = t/8.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from semloss.arrays import Array
from semloss.collect.stages.reception import BATCH
from semloss.errors import SemlossError
from semloss.metrics.distortion import Psnr
from semloss.sending.loaded import Heard, Images, LoadedCodec
from semloss.sending.sent import SentImage


def send_scene(
    codec: LoadedCodec,
    image: Images,
    snr_db: float | None = None,
    *,
    overlap: int | None = None,
    seed: int = 0,
    name: str = "image",
) -> SentImage:
    """Send an image of the training size or larger, and see what arrives.

    Parameters
    ----------
    codec
        As `load_codec` gives it.
    image
        (H, W, C), uint8 or floating point in [0, 1].
    snr_db
        Es/N0 in dB of the channel; by default that of the cell.
    overlap
        Pixels that neighbouring tiles share at least, up to half a tile; by default an eighth.
    seed
        Of the channel's draws.
    name
        The image's, in errors and tables.

    Raises
    ------
    SemlossError
        When the codec sends no image, or this one is smaller than a tile or has other bands.
    """
    bands, height, width = codec.shape
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != bands:
        raise SemlossError(
            f"{name} is {image.dtype} {image.shape}: this codec sends (H, W, {bands})"
        )
    if image.shape[0] < height or image.shape[1] < width:
        raise SemlossError(
            f"{name} is {image.shape[1]}x{image.shape[0]} pixels, smaller than a tile of this "
            f"codec, {width}x{height}; send a larger image, or the cell of a codec for smaller ones"
        )
    overlap = usual_overlap(codec) if overlap is None else overlap
    if not 0 <= overlap <= min(height, width) // 2:
        raise SemlossError(
            f"overlap = {overlap}: give 0 … {min(height, width) // 2} pixels, half a tile at most"
        )
    rows = tile_starts(image.shape[0], height, overlap)
    columns = tile_starts(image.shape[1], width, overlap)
    places = [(top, left) for top in rows for left in columns]
    sent = np.stack([image[top : top + height, left : left + width] for top, left in places])
    arrived = _over_the_link(codec, sent, snr_db, seed)
    received = blended(arrived, places, image.shape, overlap)
    original = image.astype(np.float32) / (255.0 if image.dtype == np.uint8 else 1.0)
    both = (torch.from_numpy(one).permute(2, 0, 1)[None] for one in (original, received))
    answers = {}
    for name_of, one in codec.receivers.items():
        if one.use == "clean":
            answers["sent", one.task] = codec.classify(sent, name_of)[0]
        answers[one.use, one.task] = codec.classify(arrived, name_of)[0]
    return SentImage(
        name,
        image,
        received,
        codec.cell.snr_db if snr_db is None else snr_db,
        len(places),
        len(places) * codec.channel.on_air(codec.realisation.k),
        float(Psnr().per_image(*both)),
        answers,
    )


def usual_overlap(codec: LoadedCodec) -> int:
    """Pixels that neighbouring tiles share where nothing else is asked: an eighth of a tile."""
    return min(codec.shape[1:]) // 8


def tile_starts(length: int, tile: int, overlap: int) -> list[int]:
    """First pixels of tiles that cover a length, evenly spread, sharing `overlap` or more."""
    count = 1 + math.ceil((length - tile) / (tile - overlap))
    return [round(at) for at in np.linspace(0, length - tile, count)]


def blended(
    tiles: NDArray[np.float32],
    places: list[tuple[int, int]],
    shape: tuple[int, ...],
    overlap: int,
) -> NDArray[np.float32]:
    """Tiles (N, h, w, C) at their places (top, left), as one image of a shape (H, W, C)."""
    height, width = tiles.shape[1:3]
    weight = np.outer(_ramp(height, overlap), _ramp(width, overlap))[:, :, None]
    total, weights = np.zeros(shape), np.zeros((*shape[:2], 1))
    for tile, (top, left) in zip(tiles, places, strict=True):
        total[top : top + height, left : left + width] += weight * tile
        weights[top : top + height, left : left + width] += weight
    return np.asarray(total / weights, dtype=np.float32)


def _ramp(length: int, overlap: int) -> Array:
    """Weights (length,) that rise to 1 over the overlap and fall likewise."""
    at = np.arange(length)
    return np.minimum(np.minimum(at + 1, length - at), overlap + 1) / (overlap + 1)


def _over_the_link(
    codec: LoadedCodec, tiles: Images, snr_db: float | None, seed: int
) -> NDArray[np.float32]:
    """What arrives of tiles (N, h, w, C), in batches, each with draws of its own."""
    arrived = []
    for at in range(0, len(tiles), BATCH):
        own = seed + (at << 32)  # one stream for each batch
        symbols = codec.encode(tiles[at : at + BATCH], snr_db)
        heard: Heard = codec.transmit(symbols, snr_db, own)
        arrived.append(codec.decode(heard, own))
    return np.concatenate(arrived)
