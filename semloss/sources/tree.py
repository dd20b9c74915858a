"""Class-per-folder trees of image files, in a folder or a zip, read with bounded memory."""

import os
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from semloss.errors import SemlossError
from semloss.sources.base import Images, Indices, Report, allocate

CHUNK = 512

MAX_FILE_BYTES = 256 << 20
"""Size of a file, unpacked, beyond which it is refused unread: no image of a tile is so large."""


@dataclass(frozen=True)
class Item:
    """One image file: its label, its name for messages, and its bytes on demand."""

    label: int
    name: str
    read: Callable[[], bytes]
    stamp: tuple[int, int] = (0, 0)
    """Size and modification time, for fingerprints."""


@dataclass(frozen=True)
class Tree:
    """The images of a class-per-folder tree, classes and files sorted by name."""

    classes: tuple[str, ...]
    items: tuple[Item, ...]

    def listing(self) -> list[tuple[str, int, int]]:
        """Name, size and modification time of each file."""
        return [(item.name, *item.stamp) for item in self.items]

    def limited(self, per_class: int | None, seed: int) -> "Tree":
        """Keep a seeded choice of at most `per_class` files of each class."""
        if per_class is None:
            return self
        rng = np.random.default_rng(seed)
        labels = np.array([item.label for item in self.items])
        kept = [
            np.sort(rng.permutation(np.flatnonzero(labels == label))[:per_class])
            for label in range(len(self.classes))
        ]
        return Tree(self.classes, tuple(self.items[i] for i in np.concatenate(kept)))


def list_folder(root: Path, extensions: Iterable[str]) -> Tree:
    """List ``root/<class>/<image>``; hidden folders and files of other types are passed over.

    Raises
    ------
    SemlossError
        When the folder is missing or unreadable, has no class folders, or one without images.
    """
    root = root.expanduser()
    try:
        _refuse_dead_link(root)
        folders = _class_folders(root)
        found = {folder.name: _image_files(folder.path, extensions) for folder in folders}
        if folders and not any(found.values()):
            _refuse_deeper(folders, extensions)
    except OSError as error:
        raise SemlossError(
            f"cannot read the image folder {error.filename or root}: {error.strerror}; "
            "set source.path to a readable folder with one subfolder per class"
        ) from None
    return _tree(str(root), found, extensions)


def _class_folders(root: Path) -> list[os.DirEntry[str]]:
    inside = sorted(os.scandir(root), key=lambda entry: entry.name)
    return [entry for entry in inside if _is_class_folder(root, entry)]


def _refuse_deeper(folders: list[os.DirEntry[str]], extensions: Iterable[str]) -> None:
    """Refuse ``root/train/<class>``: a split of others, or a folder too many."""
    for folder in folders:
        for inner in _class_folders(Path(folder.path)):
            if _image_files(inner.path, extensions):
                raise SemlossError(
                    f"images lie one level deeper than in classes, e.g. in {inner.path}: "
                    f"set source.path to {folder.path}"
                )


def _is_class_folder(root: Path, entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder of a class; a link back to the root or above is none."""
    path = Path(entry.path)
    if entry.name.startswith((".", "__")):
        return False
    _refuse_dead_link(path)  # a class would be missing without a word
    if not path.is_dir():
        return False
    return not (entry.is_symlink() and root.resolve().is_relative_to(path.resolve()))


def _refuse_dead_link(path: Path) -> None:
    if path.is_symlink() and not path.exists():
        raise SemlossError(f"{path} is a link that leads nowhere: mend or remove it")


def _image_files(folder: str, extensions: Iterable[str]) -> list[Item]:
    """Images directly in a folder, sorted by name."""
    found = []
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if _suffix(entry.name) in extensions and not entry.name.startswith("."):
            _refuse_dead_link(Path(entry.path))
            status = entry.stat()
            if stat.S_ISREG(status.st_mode):
                stamp = (status.st_size, status.st_mtime_ns)
                found.append(Item(0, entry.path, Path(entry.path).read_bytes, stamp))
    return found


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def list_zip(path: Path, extensions: Iterable[str]) -> Tree:
    """List ``.../<class>/<image>`` of a zip archive. Members are read in place, never extracted.

    Raises
    ------
    SemlossError
        When the file is no zip archive or holds no class folders.
    """
    try:
        archive = zipfile.ZipFile(path.expanduser())
    except (OSError, zipfile.BadZipFile) as error:
        raise SemlossError(
            f"cannot open {path} as a zip archive ({error}); fetch it again or give a folder"
        ) from None
    items: dict[str, list[Item]] = {}
    seen: set[str] = set()
    for member in sorted(archive.infolist(), key=lambda member: member.filename):
        if member.filename in seen:
            raise SemlossError(
                f"{path} holds {member.filename} twice, and which one is meant is not told: "
                "pack the archive anew"
            )
        seen.add(member.filename)
        parts = PurePosixPath(member.filename).parts
        hidden = any(part.startswith((".", "__")) for part in parts)
        if member.is_dir() or hidden or len(parts) < 2 or _suffix(parts[-1]) not in extensions:
            continue
        name = f"{path}/{member.filename}"
        items.setdefault(parts[-2], []).append(
            Item(0, name, _member_reader(archive, member), (member.file_size, member.CRC))
        )
    return _tree(str(path), items, extensions)


def _member_reader(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], bytes]:
    return lambda: archive.read(member)


def _tree(where: str, found: dict[str, list[Item]], extensions: Iterable[str]) -> Tree:
    """Number the classes by name, refusing empty ones."""
    kinds = ", ".join(sorted(extension.lstrip(".") for extension in extensions))
    if not found:
        raise SemlossError(
            f"{where} has no class folders: images must lie in {where}/<class>/<image> ({kinds})"
        )
    classes = sorted(found)
    for name in classes:
        if not found[name]:
            raise SemlossError(
                f"class folder {where}/{name} holds no images ({kinds}): add some or remove it"
            )
    return Tree(
        tuple(classes),
        tuple(
            Item(label, item.name, item.read, item.stamp)
            for label, name in enumerate(classes)
            for item in found[name]
        ),
    )


def read_bytes(item: Item) -> bytes:
    """Bytes of a file.

    Raises
    ------
    SemlossError
        When it cannot be read, states a size that no image has, or its checksum in the archive
        does not match.
    """
    if item.stamp[0] > MAX_FILE_BYTES:
        raise SemlossError(
            f"{item.name} has {item.stamp[0] / 1e6:,.0f} MB, more than the "
            f"{MAX_FILE_BYTES / 1e6:,.0f} MB of any image here: cut it up or remove it"
        )
    try:
        return item.read()
    except (OSError, zipfile.BadZipFile, EOFError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise SemlossError(f"cannot read {item.name}: {reason}; replace or remove it") from None


@dataclass(frozen=True)
class Cut:
    """How images become tiles of one size.

    Attributes
    ----------
    size
        Pixels a side of a tile, or None for the images' own size.
    tile
        Cut larger images into a grid of tiles from the top left corner, dropping what is left
        over at the right and bottom; otherwise each image is one tile.
    """

    size: int | None
    tile: bool

    def grid(self, item: Item, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of tiles in an image."""
        if not self.tile or self.size is None:
            return 1, 1
        rows, columns = height // self.size, width // self.size
        if rows == 0 or columns == 0:
            raise SemlossError(
                f"{item.name} is {width}x{height} pixels, smaller than a tile of size = "
                f'{self.size}: lower size, remove it or set fit = "resize"'
            )
        return rows, columns

    def tiles(self, item: Item, image: Images) -> Iterator[Images]:
        """Tiles of an image (H, W, C), row by row."""
        rows, columns = self.grid(item, *image.shape[:2])
        if not self.tile or self.size is None:
            yield image
            return
        for row in range(rows):
            for column in range(columns):
                y, x = row * self.size, column * self.size
                yield image[y : y + self.size, x : x + self.size]


def decode(
    tree: Tree,
    read: Callable[[Item], Images],
    measure: Callable[[Item], tuple[int, int]],
    cut: Cut,
    report: Report,
    into: Path | None,
) -> tuple[Images, Indices]:
    """Decode all files into one array, a few at a time.

    Parameters
    ----------
    tree
        The files.
    read
        Gives the pixels (H, W, C) of a file.
    measure
        Gives height and width of a file from its header alone.
    cut
        How images become tiles.
    report
        Receives progress lines.
    into
        File to decode into, or None for memory.

    Returns
    -------
    images, labels
        (N, H, W, C) uint8 and (N,) int64.

    Raises
    ------
    SemlossError
        When a file cannot be decoded or has another size or number of channels than the first.
    """
    items = tree.items
    first = next(cut.tiles(items[0], read(items[0])))
    grids = [(1, 1)] * len(items)
    if cut.tile:
        grids = [cut.grid(item, *measure(item)) for item in items]
    counts = np.array([rows * columns for rows, columns in grids])
    starts = np.concatenate([[0], np.cumsum(counts)])
    shape = (int(starts[-1]), *first.shape)
    images = allocate((shape[0], shape[1], shape[2], shape[3]), into)

    def place(index: int) -> None:
        for offset, tile in enumerate(cut.tiles(items[index], read(items[index]))):
            if tile.shape != first.shape:
                raise SemlossError(_differs(items[index], tile, items[0], first))
            images[starts[index] + offset] = tile

    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        for start in range(0, len(items), CHUNK):
            stop = min(start + CHUNK, len(items))
            list(pool.map(place, range(start, stop)))
            report(f"decoded {stop} of {len(items)} images")
    labels = np.repeat([item.label for item in items], counts)
    return images, labels.astype(np.int64)


def _differs(item: Item, image: Images, first: Item, expected: Images) -> str:
    if image.shape[:2] == expected.shape[:2]:
        return (
            f"{item.name} has {image.shape[2]} bands, but {first.name} has {expected.shape[2]}: "
            "one source takes images of one kind"
        )
    return (
        f"{item.name} is {image.shape[1]}x{image.shape[0]} pixels, but {first.name} is "
        f'{expected.shape[1]}x{expected.shape[0]}: set size and fit = "tile" or "resize"'
    )
