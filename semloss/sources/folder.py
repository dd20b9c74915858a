"""Any class-per-folder tree of ordinary images."""

import io
import warnings
from pathlib import Path
from typing import Literal, Self

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from pydantic import Field, model_validator

from semloss.errors import SemlossError
from semloss.sources.base import MOST_PER_CLASS, SOURCES, Images, ImageSet, Report, Source, silent
from semloss.sources.tree import Cut, Item, Tree, decode, list_folder, read_bytes

EXTENSIONS = (".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")

_ORIENTATION = 0x0112
"""EXIF tag; from 5 on, rows and columns change places."""
_BITS_PER_SAMPLE, _SUBFILE_TYPE = 258, 254
"""TIFF tags."""


@SOURCES.register("folder")
class Folder(Source):
    """Images in ``path/<class>/<image>``: PNG, JPEG, TIFF, WebP, JPEG 2000, BMP, GIF.

    Rules:

    - ``fit = "exact"`` (default): every image is one tile; all must have the same size, and that
      of `size` where it is given.
    - ``fit = "tile"``: each image is cut into size x size tiles from its top left corner; what is
      left over at the right and bottom is dropped. Tiles of one image may end up on both sides
      of a split.
    - ``fit = "resize"``: the largest centred square is resized to size x size (Lanczos).

    Alpha is dropped, grayscale becomes three equal channels and palettes are resolved; with
    ``colour = "gray"`` images become one channel instead (ITU-R BT.601 luma). A photograph that
    is marked as turned (EXIF) is turned upright. Of an animation the first frame counts; a TIFF
    of several pages is refused. Images of more than 8 bits a channel are refused, judged by the
    file itself: the source "geotiff" scales those.

    Attributes
    ----------
    path
        The folder.
    size
        Pixels a side of a tile.
    fit
        Rule that makes tiles from images.
    colour
        Three channels or one.
    per_class
        Take a seeded choice of at most this many files of each class.
    seed
        Seed of that choice.
    maps
        Folder of what each pixel shows: for each image a single-channel one (PNG) of the same
        class folder, name but for its ending, and size, of indices into `map_classes`; cut or
        resized (to the nearest pixel) like its image.
    map_classes
        Names of what a pixel can show.
    """

    path: Path
    size: int | None = Field(None, ge=8)
    fit: Literal["exact", "tile", "resize"] = "exact"
    colour: Literal["rgb", "gray"] = "rgb"
    per_class: int | None = Field(None, ge=1, le=MOST_PER_CLASS)
    seed: int = Field(0, ge=0)
    maps: Path | None = None
    map_classes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if self.fit != "exact" and self.size is None:
            raise ValueError(f'fit = "{self.fit}" needs size, the pixels a side of a tile')
        if (self.maps is None) != (len(self.map_classes) < 2):
            raise ValueError("maps and map_classes, the names of at least two, go together")
        return self

    def fingerprint(self) -> str:
        """Identity of the tiles: options and the name, size and time of each file."""
        tree = self._tree()
        return self.digest(tree.listing(), self._map_tree(tree).listing() if self.maps else ())

    def load(self, report: Report = silent, into: Path | None = None) -> ImageSet:
        """Decode all images."""
        tree = self._tree()

        def read(item: Item) -> Images:
            return fitted(item, read_image(item, self.colour), self.size, self.fit)

        cut = Cut(self.size, self.fit == "tile")
        images, labels = decode(tree, read, measure_image, cut, report, into)
        maps = None if self.maps is None else self._read_maps(tree, images, cut, report)
        return ImageSet(
            images,
            labels,
            tree.classes,
            ("red", "green", "blue") if self.colour == "rgb" else ("gray",),
            self.path.expanduser().resolve().name,
            {"kind": "folder", **self.model_dump(mode="json"), "files": len(tree.items)},
            maps=maps,
            map_classes=self.map_classes,
        )

    def _read_maps(self, tree: Tree, images: Images, cut: Cut, report: Report) -> Images:
        """The map of each tile, (N, H, W)."""

        def read(item: Item) -> Images:
            return fitted(item, read_map(item), self.size, self.fit, Image.Resampling.NEAREST)

        maps = decode(self._map_tree(tree), read, measure_image, cut, report, None)[0][..., 0]
        if maps.shape != images.shape[:3]:
            raise SemlossError(
                f"source.maps: the maps in {self.maps} give {_shape(maps)} tiles and the images "
                f"{_shape(images)}; a map has the size of its image"
            )
        if maps.max() >= len(self.map_classes):
            raise SemlossError(
                f"source.maps: a map holds {maps.max()}, and source.map_classes names "
                f"{len(self.map_classes)}, counted from 0"
            )
        return maps

    def _map_tree(self, tree: Tree) -> Tree:
        """The map of each image of a tree, in its order."""
        assert self.maps is not None
        there = {_place(item): item for item in list_folder(self.maps, EXTENSIONS).items}
        for item in tree.items:
            if _place(item) not in there:
                raise SemlossError(
                    f"{item.name} has no map {'/'.join(_place(item))}.png in {self.maps}; add it, "
                    "or leave the image out"
                )
        return Tree(tree.classes, tuple(there[_place(item)] for item in tree.items))

    def _tree(self) -> Tree:
        return list_folder(self.path, EXTENSIONS).limited(self.per_class, self.seed)


def _place(item: Item) -> tuple[str, str]:
    """Class folder and name of a file, without its ending."""
    path = Path(item.name)
    return path.parent.name, path.stem


def _shape(tiles: Images) -> str:
    return "×".join(map(str, tiles.shape[:3]))


def read_map(item: Item) -> Images:
    """Decode a map to (H, W, 1) uint8: what is stored, gray levels or palette entries.

    Raises
    ------
    SemlossError
        When the file is no image of one channel.
    """
    with _open(item, read_bytes(item)) as image:
        if image.mode not in ("L", "P", "1"):
            raise SemlossError(
                f"{item.name} is no map: it has channels {image.mode}; write the index of what "
                "each pixel shows into one channel of 8 bits"
            )
        try:
            return np.asarray(image).astype(np.uint8)[..., None]
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            raise SemlossError(
                f"{item.name} is cut short or damaged ({error}): replace or remove it"
            ) from None


def fitted(
    item: Item,
    image: Images,
    size: int | None,
    fit: str,
    resampling: Image.Resampling = Image.Resampling.LANCZOS,
) -> Images:
    """Apply the rules "exact" and "resize" to one image (H, W, C)."""
    height, width = image.shape[:2]
    if size is None or fit == "tile" or (height, width) == (size, size):
        return image
    if fit == "exact":
        raise SemlossError(
            f"{item.name} is {width}x{height} pixels, not {size}x{size}: "
            'change size or set fit = "tile" or "resize"'
        )
    picture = Image.fromarray(image.squeeze(2) if image.shape[2] == 1 else image)
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    square = picture.crop((left, top, left + side, top + side))
    small = np.asarray(square.resize((size, size), resampling))
    return small.reshape(size, size, -1)


def read_image(item: Item, colour: Literal["rgb", "gray"] = "rgb") -> Images:
    """Decode one file to (H, W, 3) or (H, W, 1) uint8.

    Raises
    ------
    SemlossError
        When the file is no image, is cut short, or has more than 8 bits a channel.
    """
    content = read_bytes(item)
    with _open(item, content) as image:
        bits = _bits_per_channel(image, content)
        if bits > 8:
            raise SemlossError(
                f"{item.name} has {bits} bits a channel: convert it to 8, or use "
                'source.kind = "geotiff", which scales by a stated rule'
            )
        _refuse_pages(item, image)
        try:
            upright = ImageOps.exif_transpose(image)
            pixels = np.asarray(upright.convert("RGB" if colour == "rgb" else "L"))
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            raise SemlossError(
                f"{item.name} is cut short or damaged ({error}): replace or remove it"
            ) from None
    return pixels.reshape(*pixels.shape[:2], -1)


def measure_image(item: Item) -> tuple[int, int]:
    """Height and width from the header of a file, as it is shown upright."""
    with _open(item, read_bytes(item)) as image:
        if image.getexif().get(_ORIENTATION, 1) >= 5:
            return image.width, image.height
        return image.height, image.width


def _bits_per_channel(image: Image.Image, content: bytes) -> int:
    """Bits a channel of a file, whatever Pillow makes of them: it cuts deep colours to 8."""
    if image.mode == "F" or image.mode.startswith("I"):
        return 32 if image.mode in ("F", "I") and image.format != "PNG" else 16
    if image.format == "PNG":
        return content[24]  # of the IHDR chunk, which comes first
    if image.format == "TIFF":
        bits = image.tag_v2.get(_BITS_PER_SAMPLE, (1,))  # type: ignore[attr-defined]
        return max(bits) if isinstance(bits, tuple) else int(bits)
    at = content.find(b"\xff\x4f\xff\x51")  # SOC and SIZ, where a JPEG 2000 codestream begins
    if image.format == "JPEG2000" and at >= 0:
        # 42 bytes on is the depth of the first component, less one; its highest bit is a sign
        return (content[at + 42] & 0x7F) + 1
    return 8


def _refuse_pages(item: Item, image: Image.Image) -> None:
    """Refuse a TIFF of several pages; reduced copies of the first one are none."""
    if image.format != "TIFF":
        return
    pages = 0
    for at in range(getattr(image, "n_frames", 1)):
        image.seek(at)
        pages += not int(image.tag_v2.get(_SUBFILE_TYPE, 0)) & 1  # type: ignore[attr-defined]
    image.seek(0)
    if pages > 1:
        raise SemlossError(
            f"{item.name} holds {pages} pages: save each as a file of its own, or bands as one "
            'image for source.kind = "geotiff"'
        )


def _open(item: Item, content: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(content))
    except UnidentifiedImageError:
        if content[:2] in (b"II", b"MM"):
            raise SemlossError(
                f"{item.name} is a TIFF, but no ordinary picture (multispectral?): read it by "
                'source.kind = "geotiff"'
            ) from None
        raise SemlossError(
            f"{item.name} is not an image, whatever its name says: replace or remove it"
        ) from None
    except Image.DecompressionBombError as error:
        raise SemlossError(f"{item.name} is too large ({error}): cut it up first") from None
