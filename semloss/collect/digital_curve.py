"""Measure what a source codec makes of imagery at each rate: the digital chain's rate curve.

Sizes are those of the actual files, headers included; on small tiles the headers are a good part
of them, which is the digital chain's true cost there. Imagery that was stored as JPEG before (as
EuroSAT's RGB tiles are) flatters JPEG at high rates. Only numpy, pandas and Pillow are needed.
"""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, features

from semloss.errors import SemlossError
from semloss.storage import write_atomically

Images = NDArray[np.uint8]
Score = Callable[[Images, Images], NDArray[np.float64]]

#: For each codec its name in Pillow, what a rate means and the usual settings.
CODECS: dict[str, tuple[str, str, tuple[float, ...]]] = {
    "jpeg2000": (
        "jpg_2000",
        "bits per pixel, all bands together",
        (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0),
    ),
    "webp": ("webp", "a quality", (0, 1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100)),
    "jpeg": ("jpg", "a quality", (1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95)),
}
_LIMITS = {"jpeg2000": (1e-3, 64.0), "webp": (0, 100), "jpeg": (1, 95)}
"""Lowest and highest setting; the lowest gives the smallest file that the codec makes."""
SMALLEST_MSE = 1e-10
"""Mean squared error at which PSNR stops, as in the metric `psnr_db`: at most 100 dB."""


def psnr_db(original: Images, received: Images) -> NDArray[np.float64]:
    """PSNR [dB] of each image, (N, H, W, C) uint8 twice to (N,), for a data range of one."""
    error = (received.astype(np.float64) - original.astype(np.float64)) / 255.0
    mse = np.mean(np.square(error), axis=(1, 2, 3))
    return np.asarray(-10.0 * np.log10(np.maximum(mse, SMALLEST_MSE)))


def measure_curve(
    images: Images,
    codec: str = "jpeg2000",
    rates: Sequence[float] | None = None,
    *,
    metric: str = "psnr_db",
    score: Score = psnr_db,
    task: str = "none",
    direction: str = "higher",
) -> pd.DataFrame:
    """Code, decode and score images at each rate.

    One row for each rate, by rising size; rates that gave files of the same mean size are one
    row. The rows are what `semloss.planning.digital.modcods.RateCurve.from_csv` reads. Sizes are
    means over the images, so a link that fits the mean rate needs a buffer; JPEG 2000 meets its
    rate image by image.

    Parameters
    ----------
    images
        (N, H, W, C) uint8. One or three bands are coded as a picture, any other number band by
        band.
    codec
        "jpeg2000" (bare codestream, irreversible wavelet), "webp" or "jpeg".
    rates
        Settings of the codec as `CODECS` says: bits per pixel for JPEG 2000, else quality.
    metric, task, direction
        What `score` measures, in the words of a fit: compare with a fit of the same.
    score
        Originals and received images, (N, H, W, C) uint8 each, to a value for each image (N,).

    Returns
    -------
    DataFrame
        codec, setting, bits_per_pixel, bits_per_image, metric, task, direction, value, sd, n,
        height_px, width_px, bands, codec_minimum (1 on the row of the codec's smallest file).

    Raises
    ------
    SemlossError
        When the codec is unknown or missing in Pillow, or the images are no uint8 (N, H, W, C).
    """
    settings = _checked(images, codec, rates)
    count, height, width, bands = images.shape
    smallest = 8 * np.mean([_code(image, codec, _LIMITS[codec][0])[0] for image in images])
    rows = []
    for setting in settings:
        coded = [_code(image, codec, setting) for image in images]
        bits = np.array([size for size, _ in coded], dtype=np.float64) * 8
        values = score(images, np.stack([received for _, received in coded]))
        rows.append(
            {
                "codec": codec,
                "setting": float(setting),
                "bits_per_pixel": float(bits.mean()) / (height * width),
                "bits_per_image": float(bits.mean()),
                "metric": metric,
                "task": task,
                "direction": direction,
                "value": float(values.mean()),
                "sd": float(values.std(ddof=1)) if count > 1 else float("nan"),
                "n": count,
                "height_px": height,
                "width_px": width,
                "bands": bands,
                "codec_minimum": int(bits.mean() <= 1.001 * smallest),
            }
        )
    table = pd.DataFrame(rows).sort_values(["bits_per_pixel", "setting"], ignore_index=True)
    return table.drop_duplicates("bits_per_pixel", ignore_index=True)


def write_curve(table: pd.DataFrame, path: Path) -> None:
    """Write a measured curve as CSV, atomically."""
    write_atomically(path, table.to_csv(index=False, lineterminator="\n"))


def _checked(images: Images, codec: str, rates: Sequence[float] | None) -> Sequence[float]:
    if codec not in CODECS:
        raise SemlossError(f"codec = {codec!r}: no such codec; there are {', '.join(CODECS)}")
    feature, meaning, usual = CODECS[codec]
    if not features.check(feature):
        raise SemlossError(f"this Pillow was built without {codec}; install Pillow from PyPI")
    if images.ndim != 4 or images.dtype != np.uint8 or images.size == 0:
        raise SemlossError(
            f"images = {images.dtype} {images.shape}: a curve is measured on uint8 (N, H, W, C)"
        )
    settings = usual if rates is None else rates
    least, most = _LIMITS[codec]
    if len(settings) == 0 or not all(least <= rate <= most for rate in settings):
        raise SemlossError(f"rates = {list(settings)}: give {meaning}, {least:g} … {most:g}")
    return settings


def _code(image: Images, codec: str, setting: float) -> tuple[int, Images]:
    """Bytes of an image (H, W, C) and what comes back from them."""
    bands = image.shape[2]
    if bands in (1, 3):
        size, received = _picture(image.squeeze(2) if bands == 1 else image, codec, setting)
        return size, received.reshape(image.shape)
    share = setting / bands if codec == "jpeg2000" else setting
    coded = [_picture(np.ascontiguousarray(image[:, :, b]), codec, share) for b in range(bands)]
    return sum(size for size, _ in coded), np.stack([plane for _, plane in coded], axis=2)


def _picture(pixels: Images, codec: str, setting: float) -> tuple[int, Images]:
    """Bytes of one grey or RGB picture and what comes back from them."""
    options: dict[str, Any] = {"quality": round(setting)}
    if codec == "jpeg":
        options["optimize"] = True  # tables made for the picture: a smaller file
    if codec == "jpeg2000":
        depth = 8 * (pixels.shape[2] if pixels.ndim == 3 else 1)
        options = {"quality_mode": "rates", "quality_layers": [depth / setting],
                   "irreversible": True, "no_jp2": True}  # fmt: skip
    file = io.BytesIO()
    picture = Image.fromarray(pixels)
    picture.save(file, codec.upper(), **options)
    size = file.tell()
    back = Image.open(file).convert(picture.mode)
    return size, np.asarray(back, dtype=np.uint8)
