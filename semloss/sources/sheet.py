"""Contact sheets: a few tiles of each class side by side."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from semloss.sources.base import ImageSet
from semloss.storage import write_atomically


def contact_sheet(images: ImageSet, path: Path, per_class: int = 8, scale: int = 2) -> None:
    """Draw the first tiles of each class, a row a class, to a PNG file that says what they are.

    Parameters
    ----------
    images
        The tiles; the first three channels are shown, or the first one in grey.
    path
        The file.
    per_class
        Tiles in a row.
    scale
        Enlargement of a pixel.

    Raises
    ------
    SemlossError
        When the file cannot be written.
    """
    height, width = (scale * side for side in images.images.shape[1:3])
    title, font, gap, head = _title(images, scale), ImageFont.load_default(13), 4, 28
    margin = 16 + round(max(map(font.getlength, images.classes)))
    size = (
        max(margin + per_class * (width + gap), 16 + round(font.getlength(title))),
        head + len(images.classes) * (height + gap) + gap,
    )
    sheet = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(sheet)
    pen.text((8, head // 2), title, fill="black", font=font, anchor="lm")
    for label, name in enumerate(images.classes):
        top = head + gap + label * (height + gap)
        pen.text((8, top + height // 2), name, fill="black", font=font, anchor="lm")
        for column, index in enumerate(np.flatnonzero(images.labels == label)[:per_class]):
            tile = images.images[index]
            shown = tile[..., :3] if tile.shape[2] >= 3 else np.repeat(tile[..., :1], 3, axis=2)
            picture = Image.fromarray(np.ascontiguousarray(shown))
            left = margin + column * (width + gap)
            sheet.paste(picture.resize((width, height), Image.Resampling.BICUBIC), (left, top))
    octree = Image.Quantize.FASTOCTREE  # nearer and quicker than the default
    palette, file = sheet.quantize(256, octree), io.BytesIO()  # half the bytes of true colour
    sheet.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(file, "png")
    write_atomically(path, file.getvalue())


def _title(images: ImageSet, scale: int) -> str:
    """How many tiles of which size there are, what is shown of them, and how large."""
    count, height, width, bands = images.images.shape
    shown = ", ".join(images.bands[:3] if bands >= 3 else images.bands[:1])
    rest = f" of {bands}" if bands > 3 or bands == 2 else ""
    larger = f"; enlarged {scale} times" if scale > 1 else ""
    return (  # the font has no sign of multiplication
        f"{images.name}: the first tiles of each class; {count:,} tiles of {width} x {height} px, "
        f"bands {shown}{rest}{larger}"
    )
