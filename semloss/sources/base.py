"""What every image source gives: tiles with labels, a split, and a cache shared by processes."""

import hashlib
import json
import os
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from semloss.errors import SemlossError
from semloss.registry import Options, Registry
from semloss.storage import read_json

MOST_PER_CLASS = 1_000_000
"""Images of one class beyond which no source is asked."""

Images = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]
Report = Callable[[str], None]


def silent(message: str) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class ImageSet:
    """Labelled tiles in memory, or mapped into it from the cache.

    Attributes
    ----------
    images
        (N, H, W, C) uint8, C-contiguous; may be a read-only memory map.
    labels
        (N,) int64, indices into `classes`.
    classes
        Class names in order of label.
    bands
        Name of each of the C channels.
    name
        Short name of the source for tables and titles.
    provenance
        Where the pixels come from and by which rule they were tiled and scaled (JSON-able).
    content_hash
        SHA-256 over shape, images, labels, classes and bands: equal sets have equal hashes.
    maps
        What each pixel shows, (N, H, W) uint8, indices into `map_classes`; None where the source
        does not know.
    map_classes
        Names of what a pixel can show.
    """

    images: Images
    labels: Indices
    classes: tuple[str, ...]
    bands: tuple[str, ...]
    name: str
    provenance: dict[str, Any]
    content_hash: str = ""
    maps: Images | None = None
    map_classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.content_hash:
            object.__setattr__(self, "content_hash", self._hash())

    def __len__(self) -> int:
        return len(self.labels)

    def counts(self) -> dict[str, int]:
        """Tiles of each class."""
        number = np.bincount(self.labels, minlength=len(self.classes))
        return dict(zip(self.classes, (int(n) for n in number), strict=True))

    def names(self, which: Indices) -> list[str]:
        """A name for each of the tiles at these positions, by its pixels.

        The same tile is called the same in every set; of equal tiles the further ones are counted.
        """
        seen: dict[str, int] = {}
        names = []
        for at in which:
            pixels = np.ascontiguousarray(self.images[at])
            text = hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes()).hexdigest()[:16]
            seen[text] = seen.get(text, 0) + 1
            names.append(text if seen[text] == 1 else f"{text}-{seen[text]}")
        return names

    def maps_hash(self) -> str:
        """SHA-256 over the maps and their classes."""
        assert self.maps is not None
        digest = hashlib.sha256(json.dumps(self.map_classes).encode())
        _add(digest, self.maps)
        return digest.hexdigest()

    def _hash(self) -> str:
        digest = hashlib.sha256()
        head = {"shape": self.images.shape, "classes": self.classes, "bands": self.bands}
        digest.update(json.dumps(head).encode())
        _add(digest, self.images)
        digest.update(self.labels.astype("<i8").tobytes())
        return digest.hexdigest()


def _add(digest: "hashlib._Hash", images: Images) -> None:
    for start in range(0, len(images), 1024):  # in pieces: a memory map stays on disk
        digest.update(np.ascontiguousarray(images[start : start + 1024]).data)


@dataclass(frozen=True)
class Split:
    """Disjoint, sorted tile indices for training, validation and test.

    `content_hash` covers the image set's hash and the indices, so a run can tell that it resumes
    on the very same split.
    """

    train: Indices
    validation: Indices
    test: Indices
    seed: int
    content_hash: str


def stratified_split(
    images: ImageSet,
    *,
    train: float = 0.72,
    validation: float = 0.03,
    test: float = 0.25,
    seed: int = 0,
) -> Split:
    """Split each class in the same proportions, by a seeded shuffle.

    Parameters
    ----------
    images
        The tiles to split.
    train, validation, test
        Shares of each class, each above 0; together at most 1. What they leave stays unused.
        Each part takes at least one tile of each class.
    seed
        Seed of the shuffle.

    Raises
    ------
    SemlossError
        When the shares do not fit, or a class has too few tiles to give each part one.
    """
    shares = (train, validation, test)
    if min(shares) <= 0 or sum(shares) > 1 + 1e-9:
        raise SemlossError(
            f"split = {train:g} / {validation:g} / {test:g}: "
            "each share must be above 0 and their sum at most 1"
        )
    needed = len(shares)
    for name, count in images.counts().items():
        if count < needed:
            raise SemlossError(
                f"class {name} has {count} image{'s' * (count != 1)}; this split needs at least "
                f"{needed} a class: add images or leave the class out"
            )
    rng = np.random.default_rng(seed)
    parts: tuple[list[Indices], ...] = ([], [], [])
    for label in range(len(images.classes)):
        order = rng.permutation(np.flatnonzero(images.labels == label))
        start = 0
        for part, size in zip(parts, _sizes(len(order), shares), strict=True):
            part.append(order[start : start + size])
            start += size
    chosen = [np.sort(np.concatenate(part)).astype(np.int64) for part in parts]
    digest = hashlib.sha256(images.content_hash.encode())
    for indices in chosen:
        digest.update(len(indices).to_bytes(8, "little") + indices.astype("<i8").tobytes())
    return Split(chosen[0], chosen[1], chosen[2], seed, digest.hexdigest())


def _sizes(count: int, shares: tuple[float, ...]) -> list[int]:
    """Tiles for each part: rounded shares, at least one each; the first part takes the rest."""
    sizes = [max(1, round(share * count)) for share in shares]
    sizes[0] = max(1, round(sum(shares) * count) - sum(sizes[1:]))
    while sum(sizes) > count:
        sizes[sizes.index(max(sizes))] -= 1
    return sizes


class Source(Options, ABC):
    """Options of a kind of image source, and how to load it."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Cheap identity of what `load` would give: options, and the listing of files read."""

    @abstractmethod
    def load(self, report: Report = silent, into: Path | None = None) -> ImageSet:
        """Make or decode all tiles.

        Parameters
        ----------
        report
            Called with a short line about progress now and then.
        into
            File (.npy) to decode into, so that memory stays bounded; in memory if None.

        Raises
        ------
        SemlossError
            When images are missing or unreadable; one line that names the file and the mend.
        """

    def rooted(self) -> Self:
        """The same source, its paths from the root: the same one from any folder."""
        paths = {name: value for name, value in self if isinstance(value, Path)}
        return self.model_copy(
            update={name: path.expanduser().absolute() for name, path in paths.items()}
        )

    def digest(self, *parts: object) -> str:
        """Hash the options together with whatever else decides the pixels."""
        text = json.dumps([type(self).__name__, self.model_dump(mode="json"), parts], default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:20]


def allocate(shape: tuple[int, ...], into: Path | None) -> Images:
    """Make room for tiles (N, H, W, ...): in memory, or in a new .npy file that is mapped."""
    if into is None:
        return np.empty(shape, dtype=np.uint8)
    images = np.lib.format.open_memmap(into, mode="w+", dtype=np.uint8, shape=shape)
    if hasattr(os, "posix_fallocate"):  # a full disk is an OSError now, not a bus error later
        with into.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, into.stat().st_size)
    return images


SOURCES: Registry[Source] = Registry("image source")


def open_cached(source: Source, cache: Path, report: Report = silent) -> ImageSet:
    """Load a source once, then map the decoded tiles from the cache.

    All processes that open the same source share one copy in the page cache. The first one
    decodes under a lock while the others wait; an entry that is broken or cut short is made anew.

    Parameters
    ----------
    source
        The source to load.
    cache
        Cache folder; the entry is ``sources/<fingerprint>`` in it.
    report
        Receives progress lines.

    Raises
    ------
    SemlossError
        When the source cannot be loaded or the cache cannot be written.
    """
    entry = cache / "sources" / source.fingerprint()
    found = _try_entry(entry)
    if found is not None:
        return found
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{entry}.lock"):
            for left_over in entry.parent.glob(f".{entry.name}.*"):  # of a killed process
                shutil.rmtree(left_over, ignore_errors=True)
            found = _try_entry(entry)  # another process may have been first
            if found is None:
                _write_entry(entry, source, report)
                found = _try_entry(entry)
    except OSError as error:
        raise SemlossError(
            f"cannot use the cache {cache}: {error.strerror or error}; "
            "free space or let SEMLOSS_CACHE name another folder"
        ) from error
    if found is None:
        raise SemlossError(
            f"the cache entry {entry} cannot be read back; run the same command again, or let "
            "SEMLOSS_CACHE name another folder"
        )
    return found


def open_entry(entry: Path) -> ImageSet:
    """Map an entry that `open_cached` made, without looking at the source again.

    Raises
    ------
    SemlossError
        When the entry has gone or is broken.
    """
    found = _try_entry(entry)
    if found is None:
        raise SemlossError(f"the decoded images in {entry} have gone; run the same command again")
    return found


def _write_entry(entry: Path, source: Source, report: Report) -> None:
    temporary = Path(tempfile.mkdtemp(dir=entry.parent, prefix=f".{entry.name}."))
    try:
        images = source.load(report, temporary / "images.npy")
        if isinstance(images.images, np.memmap):
            images.images.flush()
        np.save(temporary / "labels.npy", images.labels)
        if images.maps is not None:
            np.save(temporary / "maps.npy", images.maps)
        meta = {
            "classes": images.classes,
            "bands": images.bands,
            "name": images.name,
            "provenance": images.provenance,
            "content_hash": images.content_hash,
            "map_classes": images.map_classes,
            "images_bytes": (temporary / "images.npy").stat().st_size,
        }
        (temporary / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
        if entry.is_dir():
            shutil.rmtree(entry)  # broken; processes that map it keep their data
        entry.unlink(missing_ok=True)  # a file in its place is no entry either
        os.replace(temporary, entry)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _try_entry(entry: Path) -> ImageSet | None:
    """Map an entry, or None where it is absent, cut short or unreadable."""
    try:
        meta = read_json(entry / "meta.json")
        if (entry / "images.npy").stat().st_size != meta["images_bytes"]:
            return None
        images = np.load(entry / "images.npy", mmap_mode="r")
        labels = np.load(entry / "labels.npy")
        classes = tuple(meta.get("map_classes", ()))  # an entry of before maps has none
        maps = np.load(entry / "maps.npy", mmap_mode="r") if classes else None
        if images.ndim != 4 or images.dtype != np.uint8 or len(images) != len(labels):
            return None
        return ImageSet(
            images,
            labels,
            tuple(meta["classes"]),
            tuple(meta["bands"]),
            meta["name"],
            meta["provenance"],
            meta["content_hash"],
            maps,
            classes,
        )
    except (SemlossError, OSError, ValueError, KeyError, TypeError, EOFError):
        return None
