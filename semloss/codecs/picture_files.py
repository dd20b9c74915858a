"""Pictures as files of ordinary codecs: what comes back of an image within a number of bits.

Sizes are those of the whole files, headers included; on small tiles the headers are a good part of
them, which is the digital chain's true cost there. JPEG 2000 is the bare codestream; AVIF has some
300 bytes of boxes. Images that were stored as JPEG before (as EuroSAT's RGB tiles are) flatter
JPEG at high rates.
"""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from semloss.errors import SemlossError

Pixels = NDArray[np.uint8]

#: For each codec its name in Pillow, and the lowest and highest quality; JPEG 2000 takes a rate.
CODECS: dict[str, tuple[str, int, int]] = {
    "jpeg2000": ("jpg_2000", 0, 0),
    "webp": ("webp", 0, 100),
    "avif": ("avif", 0, 100),
    "jpeg": ("jpg", 1, 95),
}
#: Rates of JPEG 2000 that are tried until a file fits, each as much lower as the last was too big.
_RATES_TRIED = 6


def check_codec(codec: str) -> None:
    """Refuse a codec that this Pillow lacks."""
    if not features.check(CODECS[codec][0]):
        raise SemlossError(f"this Pillow was built without {codec}; install Pillow from PyPI")


def within(image: Pixels, codec: str, bits: float) -> tuple[bytes, Pixels] | None:
    """Best file of an image (H, W, C) within a number of bits, and what comes back from it.

    One or three bands are coded as a picture, any other number band by band, each within its
    share. None where even the smallest file is larger. JPEG 2000 is irreversible, asked for the
    rate and for less as long as the file is larger; of the others, the quality is found by halving.
    """
    bands = image.shape[2]
    if bands in (1, 3):
        found = _within(image.squeeze(2) if bands == 1 else image, codec, bits / 8)
        return None if found is None else (found[0], found[1].reshape(image.shape))
    planes = [np.ascontiguousarray(image[:, :, band]) for band in range(bands)]
    coded = [_within(plane, codec, bits / 8 / bands) for plane in planes]
    whole = [one for one in coded if one is not None]
    if len(whole) < bands:
        return None
    return b"".join(file for file, _ in whole), np.stack([back for _, back in whole], axis=2)


def _within(pixels: Pixels, codec: str, most: float) -> tuple[bytes, Pixels] | None:
    """The same of one grey or RGB picture, within a number of bytes."""
    best: bytes | None = None
    if codec == "jpeg2000":
        rate = most
        for _ in range(_RATES_TRIED):
            if rate < 1:
                break
            file = coded(pixels, codec, pixels.size / rate)
            if len(file) <= most:
                best = file
                break
            rate *= min(most / len(file), 0.97)
    else:
        _, low, high = CODECS[codec]
        while low <= high:
            middle = (low + high) // 2
            file = coded(pixels, codec, middle)
            if len(file) <= most:
                best, low = file, middle + 1
            else:
                high = middle - 1
    if best is None:
        return None
    mode = "L" if pixels.ndim == 2 else "RGB"
    return best, np.asarray(Image.open(io.BytesIO(best)).convert(mode), dtype=np.uint8)


def coded(pixels: Pixels, codec: str, setting: float) -> bytes:
    """File of one grey or RGB picture at a quality; of JPEG 2000, that many times smaller."""
    options: dict[str, Any] = {"quality": round(setting)}
    if codec == "jpeg":
        options["optimize"] = True  # tables made for the picture: a smaller file
    elif codec == "avif":
        options["max_threads"] = 1
    elif codec == "jpeg2000":
        # colours decorrelated, which Pillow leaves out, and its own comment of 33 bytes left out
        options = {"quality_mode": "rates", "quality_layers": [setting], "irreversible": True,
                   "no_jp2": True, "mct": int(pixels.ndim == 3), "comment": " "}  # fmt: skip
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, codec.upper(), **options)
    return file.getvalue()
