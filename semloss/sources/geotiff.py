"""Multispectral class-per-folder tiles, such as the 13 bands of EuroSAT."""

import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from semloss.errors import SemlossError
from semloss.extras import optional
from semloss.sources.base import MOST_PER_CLASS, SOURCES, Images, ImageSet, Report, Source, silent
from semloss.sources.tree import Cut, Item, Tree, decode, list_folder, read_bytes

SENTINEL_2 = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B09", "B10", "B11", "B12")
EUROSAT_BANDS = (*SENTINEL_2, "B8A")
"""Order of the bands in EuroSAT's files: B8A comes last, not after B08."""

UINT16_SCALE = (0.0, 5000.0)

Place = tuple[int | None, list[float] | None, list[float] | None]
"""EPSG code, upper left corner (x, y), pixel size (x, y)."""


@SOURCES.register("geotiff")
class GeoTiff(Source):
    """Tiles in ``path/<class>/*.tif`` with any number of bands, scaled to 8 bits by a stated rule.

    The scale [lo, hi] maps DN lo to 0 and hi to 255, clipped and rounded to the nearest integer,
    alike for all bands. Its default for uint16 is [0, 5000]: Sentinel-2 stores reflectance x
    10,000 and vegetation in the near infrared reaches about 0.5, so nothing but cloud, snow and
    metal roofs is clipped and a step is 20 DN. uint8 is kept as it is; other types need a scale.
    All files must be of one type. Pixels that are NaN, or hold the nodata value that a file
    declares, are refused, and so are files that hold several images.

    Georeferencing (EPSG code, upper left corner and pixel size of each tile) is kept in the
    provenance.

    Attributes
    ----------
    path
        The folder.
    bands
        Bands to take, in this order, by name or 1-based number; all by default.
    band_names
        Names of the bands of the files; by default those of EuroSAT for 13 bands, else "1", "2" ….
    scale
        Digital numbers that become 0 and 255.
    size, fit
        As for the source "folder"; "resize" is not offered, for it would mix measured values.
    per_class
        Take a seeded choice of at most this many files of each class.
    seed
        Seed of that choice.
    """

    path: Path
    bands: tuple[str | int, ...] | None = Field(None, min_length=1)
    band_names: tuple[str, ...] | None = Field(None, min_length=1)
    scale: tuple[float, float] | None = None
    size: int | None = Field(None, ge=8)
    fit: Literal["exact", "tile"] = "exact"
    per_class: int | None = Field(None, ge=1, le=MOST_PER_CLASS)
    seed: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _options_agree(self) -> Self:
        if self.scale is not None and not self.scale[0] < self.scale[1]:
            raise ValueError("scale must be [lo, hi] with lo < hi, in digital numbers")
        if self.fit == "tile" and self.size is None:
            raise ValueError('fit = "tile" needs size, the pixels a side of a tile')
        return self

    def fingerprint(self) -> str:
        """Identity of the tiles: options and the name, size and time of each file."""
        return self.digest(self._tree().listing())

    def load(self, report: Report = silent, into: Path | None = None) -> ImageSet:
        """Decode, choose and scale the bands of all files."""
        tree = self._tree()
        cut = Cut(self.size, self.fit == "tile")
        first = _read(tree.items[0]).pixels
        names = self._names(tree.items[0], first.shape[2])
        chosen = self._chosen(names)
        lo, hi = self._scale(tree.items[0], first.dtype)
        places: dict[str, Place] = {}

        def read(item: Item) -> Images:
            raster = _read(item)
            pixels = raster.pixels
            places[item.name] = raster.place
            if pixels.dtype != first.dtype:
                raise SemlossError(
                    f"{item.name} holds {pixels.dtype} values, but {tree.items[0].name} "
                    f"{first.dtype}: one source takes files of one kind"
                )
            if pixels.shape[2] != len(names):
                raise SemlossError(
                    f"{item.name} has {pixels.shape[2]} bands, not {len(names)}: "
                    "one source takes files of one kind"
                )
            if self.fit == "exact" and self.size and pixels.shape[:2] != (self.size, self.size):
                raise SemlossError(
                    f"{item.name} is {pixels.shape[1]}x{pixels.shape[0]} pixels, not "
                    f'{self.size}x{self.size}: change size or set fit = "tile"'
                )
            taken = pixels[:, :, chosen]
            _refuse_gaps(item, taken, [names[i] for i in chosen], raster.nodata)
            if pixels.dtype == np.uint8 and self.scale is None:
                return taken.astype(np.uint8)
            return np.rint(np.clip((taken - lo) * (255 / (hi - lo)), 0, 255)).astype(np.uint8)

        images, labels = decode(tree, read, _measure, cut, report, into)
        provenance = {
            "kind": "geotiff",
            **self.model_dump(mode="json"),
            "scale": [lo, hi],
            "files": len(tree.items),
        }
        if any(place != (None, None, None) for place in places.values()):
            provenance["georeference"] = _georeference(tree, places, cut)
        return ImageSet(
            images,
            labels,
            tree.classes,
            tuple(names[i] for i in chosen),
            self.path.expanduser().resolve().name,
            provenance,
        )

    def _tree(self) -> Tree:
        return list_folder(self.path, (".tif", ".tiff")).limited(self.per_class, self.seed)

    def _names(self, item: Item, count: int) -> tuple[str, ...]:
        names = self.band_names
        if names is None:
            numbers = tuple(str(i + 1) for i in range(count))
            return EUROSAT_BANDS if count == len(EUROSAT_BANDS) else numbers
        if len(names) != count:
            raise SemlossError(
                f"source.band_names has {len(names)} names, but {item.name} has {count} bands"
            )
        return names

    def _chosen(self, names: tuple[str, ...]) -> list[int]:
        """Indices of the bands asked for."""
        chosen = []
        for band in range(1, len(names) + 1) if self.bands is None else self.bands:
            if isinstance(band, int) and 1 <= band <= len(names):
                chosen.append(band - 1)
            elif isinstance(band, str) and band in names:
                chosen.append(names.index(band))
            else:
                raise SemlossError(
                    f"source.bands: there is no band {band!r}; the files have "
                    f"{', '.join(names)} (or 1 to {len(names)})"
                )
        return chosen

    def _scale(self, item: Item, dtype: np.dtype[Any]) -> tuple[float, float]:
        if self.scale is not None:
            return self.scale
        if dtype == np.uint8:
            return 0.0, 255.0
        if dtype == np.uint16:
            return UINT16_SCALE
        raise SemlossError(
            f"{item.name} holds {dtype} values: set source.scale = [lo, hi], the values that "
            "become 0 and 255"
        )


def _refuse_gaps(
    item: Item, pixels: npt.NDArray[Any], names: list[str], nodata: float | None
) -> None:
    """Refuse what is no measured value: NaN, infinity, and the value that the file declares."""
    what = "NaN or infinite values"
    gaps = np.zeros(pixels.shape, dtype=bool)
    if np.issubdtype(pixels.dtype, np.floating):
        gaps = ~np.isfinite(pixels)
    if nodata is not None and not gaps.any():
        gaps, what = pixels == nodata, f"its nodata value, {nodata:g}"
    if gaps.any():
        band = int(np.argmax(gaps.any(axis=(0, 1))))
        count = int(gaps[:, :, band].sum())
        raise SemlossError(
            f"{item.name}: band {names[band]} holds {what}, in {count:,} pixel{'s' * (count > 1)}; "
            "fill the gaps, remove the file or choose other bands"
        )


@dataclass(frozen=True)
class _Raster:
    """Pixels (H, W, bands) of a file, where they lie, and the value that stands for none."""

    pixels: npt.NDArray[Any]
    place: Place
    nodata: float | None


def _read(item: Item) -> _Raster:
    with _open(item) as file:
        series = file.series[0]
        others = [one for one in file.series[1:] if not one.keyframe.is_reduced]
        if others:
            raise SemlossError(
                f"{item.name} holds {1 + len(others)} images of different kinds: save each as a "
                "file of its own"
            )
        try:
            pixels = series.asarray()
        except (ValueError, OSError, struct.error, RuntimeError, KeyError) as error:
            raise SemlossError(_damaged(item, error)) from None
        if pixels.ndim == 2:
            pixels = pixels[:, :, None]
        elif pixels.ndim == 3 and series.axes[-2:] == "YX":
            pixels = np.moveaxis(pixels, 0, 2)
        elif pixels.ndim != 3:
            raise SemlossError(f"{item.name} has the axes {series.axes}, not rows, columns, bands")
        tags = file.pages[0].tags
        return _Raster(pixels, _place(tags), _nodata(item, tags))


def _nodata(item: Item, tags: Any) -> float | None:  # noqa: ANN401 - tifffile.TiffTags
    """Value of pixels that were not measured: GDAL's tag 42113, a number as text."""
    tag = tags.get(42113)
    if tag is None:
        return None
    text = str(tag.value).strip().strip("\0")
    try:
        return float(text)
    except ValueError:
        raise SemlossError(
            f"{item.name} declares the nodata value {text!r}, which is no number: write the file "
            "anew"
        ) from None


def _measure(item: Item) -> tuple[int, int]:
    with _open(item) as file:
        page = file.pages[0]
        return page.imagelength, page.imagewidth


def _open(item: Item) -> Any:  # noqa: ANN401 - tifffile.TiffFile
    tifffile = optional(
        "tifffile",
        "source.kind = \"geotiff\" needs the package tifffile: pip install 'semloss[geotiff]'",
    )
    try:
        return tifffile.TiffFile(io.BytesIO(read_bytes(item)))
    except (tifffile.TiffFileError, ValueError, struct.error, IndexError) as error:
        raise SemlossError(_damaged(item, error)) from None


def _damaged(item: Item, error: Exception) -> str:
    return f"{item.name} is no whole TIFF file ({error}): replace or remove it"


def _place(tags: Any) -> Place:  # noqa: ANN401 - tifffile.TiffTags
    """EPSG code, upper left corner (x, y) and pixel size (x, y) from the GeoTIFF tags.

    Tag and key numbers are those of OGC GeoTIFF 1.1 (19-008r4): 33550 pixel scale, 33922 tie
    point, 34735 key directory with the keys 3072 (projected) and 2048 (geographic system).
    """
    scale, tie, directory = (
        None if (tag := tags.get(number)) is None else tag.value for number in (33550, 33922, 34735)
    )
    keys = {} if directory is None else dict(zip(directory[4::4], directory[7::4], strict=True))
    epsg = keys.get(3072, keys.get(2048))
    pixel = None if scale is None else [float(scale[0]), float(scale[1])]
    corner = None
    if pixel is not None and tie is not None:
        corner = [float(tie[3] - tie[0] * pixel[0]), float(tie[4] + tie[1] * pixel[1])]
    return None if epsg is None else int(epsg), corner, pixel


def _georeference(tree: Tree, places: dict[str, Place], cut: Cut) -> list[dict[str, Any]]:
    """Where each tile lies, in the order of the tiles."""
    found = []
    for item in tree.items:
        epsg, corner, pixel = places[item.name]
        rows, columns = cut.grid(item, *_measure(item)) if cut.tile else (1, 1)
        for index in range(rows * columns):
            row, column = divmod(index, columns)
            step = cut.size or 0
            origin = corner
            if corner and pixel:
                origin = [corner[0] + column * step * pixel[0], corner[1] - row * step * pixel[1]]
            found.append({"epsg": epsg, "corner": origin, "pixel": pixel})
    return found
