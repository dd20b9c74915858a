"""EuroSAT RGB: the official archive, downloaded once, or a local copy.

Helber, Bischke, Dengel, Borth: EuroSAT: A Novel Dataset and Deep Learning Benchmark for Land Use
and Land Cover Classification. IEEE JSTARS 12(7), 2019. MIT licence, Zenodo record 7711810.
"""

from collections.abc import Callable
from pathlib import Path

import pooch
from pydantic import Field

from semloss.errors import SemlossError
from semloss.sources.base import MOST_PER_CLASS, SOURCES, Images, ImageSet, Report, Source, silent
from semloss.sources.download import resuming
from semloss.sources.folder import fitted, measure_image, read_image
from semloss.sources.tree import Cut, Item, Tree, decode, list_folder, list_zip
from semloss.storage import cache_dir

URL = "https://zenodo.org/records/7711810/files/EuroSAT_RGB.zip"
CHECKSUM = "md5:f46e308c4d50d4bf32fedad2d3d62f3b"
SIZE = 64


@SOURCES.register("eurosat")
class EuroSat(Source):
    """27,000 Sentinel-2 tiles, 64 x 64 pixels, ten land covers.

    Without `path` the official archive (95 MB) is downloaded into the cache folder; a broken
    download resumes where it stopped, and the published checksum decides whether it is whole.

    Attributes
    ----------
    path
        Local folder ``path/<class>/*.jpg``, or the zip archive itself.
    per_class
        Take a seeded choice of at most this many tiles of each class.
    seed
        Seed of that choice.
    """

    path: Path | None = None
    per_class: int | None = Field(None, ge=1, le=MOST_PER_CLASS)
    seed: int = Field(0, ge=0)

    def fingerprint(self) -> str:
        """Identity of the tiles: options and the archive's checksum, or the files of `path`."""
        return self.digest(CHECKSUM if self.path is None else _list(self.path).listing())

    def load(self, report: Report = silent, into: Path | None = None) -> ImageSet:
        """Decode all tiles, downloading the archive if need be."""
        path = self.path or fetch(report)
        tree = _list(path).limited(self.per_class, self.seed)

        def read(item: Item) -> Images:
            return fitted(item, read_image(item), SIZE, "exact")

        images, labels = decode(tree, read, measure_image, Cut(SIZE, False), report, into)
        origin = {"url": URL, "checksum": CHECKSUM} if self.path is None else {}
        return ImageSet(
            images,
            labels,
            tree.classes,
            ("red", "green", "blue"),
            "eurosat",
            {"kind": "eurosat", **self.model_dump(mode="json"), **origin, "files": len(tree.items)},
        )


def _list(path: Path) -> Tree:
    if path.expanduser().is_file():
        return list_zip(path, (".jpg", ".jpeg"))
    return list_folder(path, (".jpg", ".jpeg"))


def fetch(report: Report = silent) -> Path:
    """Path of the official archive in the cache folder, downloaded where it is absent.

    Raises
    ------
    SemlossError
        When the download fails or what arrives is not the published archive.
    """
    folder = cache_dir() / "downloads"
    target = folder / URL.rsplit("/", 1)[-1]
    downloader: Callable[..., None] = resuming(target.with_suffix(".part"), report)
    try:
        return Path(
            pooch.retrieve(URL, CHECKSUM, fname=target.name, path=folder, downloader=downloader)
        )
    except ValueError:  # pooch: the checksum differs
        raise SemlossError(
            f"{URL}: what was downloaded is not the published archive ({CHECKSUM} differs); "
            "try again, or fetch it by other means and set source.path"
        ) from None
    except OSError as error:
        raise SemlossError(
            f"cannot download {URL}: {error}; run the same command again to resume, or set "
            "source.path to a local copy"
        ) from None
