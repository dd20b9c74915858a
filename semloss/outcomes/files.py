"""The file of outcomes beside a table: one compressed archive of plain arrays.

::

    image, label    (n,)      name of each image, and its class
    cell, snr_db, task, receiver, metric    (R,)    the row of the table
    place           (R,)      which row of `bits` or, from -1 downwards, of `numbers` is its outcome
    bits            (B, n/8)  right or wrong, eight images a byte
    numbers         (F, n)    float32
"""

import io
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semloss.errors import SemlossError
from semloss.outcomes.outcomes import KEY, Key, Outcomes, Values
from semloss.storage import write_atomically

_SUFFIX = ".outcomes.npz"


def beside(table: Path) -> Path:
    """Where the outcomes of a table lie."""
    return table.with_suffix(_SUFFIX)


def write_outcomes(outcomes: Outcomes, path: Path) -> None:
    """Write outcomes, atomically; the same outcomes give the same bytes.

    Raises
    ------
    SemlossError
        When the place cannot be written or the disk is full.
    """
    keys = sorted(outcomes.of)
    place: list[int] = []
    bits: list[NDArray[np.uint8]] = []
    numbers: list[NDArray[np.float32]] = []
    for key in keys:
        values = outcomes.of[key]
        if values.dtype == np.bool_:
            place.append(len(bits))
            bits.append(np.packbits(np.asarray(values, dtype=np.bool_)))
        else:
            numbers.append(np.asarray(values, dtype="<f4"))
            place.append(-len(numbers))
    n = len(outcomes.image)
    columns: dict[str, NDArray[np.generic]] = {
        name: np.array([key[at] for key in keys]) for at, name in enumerate(KEY)
    }
    file = io.BytesIO()
    np.savez_compressed(
        file,
        image=outcomes.image,
        label=outcomes.label,
        place=np.array(place, dtype="<i4"),
        bits=np.array(bits, dtype=np.uint8).reshape(-1, -(-n // 8)),
        numbers=np.array(numbers, dtype="<f4").reshape(-1, n),
        **columns,  # type: ignore[arg-type]
    )
    write_atomically(path, file.getvalue())


def read_outcomes(path: Path) -> Outcomes:
    """Read the outcomes of a table; nothing but plain arrays is taken from the file.

    Raises
    ------
    SemlossError
        When the file cannot be read, or holds something else.
    """
    try:
        state = path.stat()
        return _read(path, state.st_mtime_ns, state.st_size)
    except (OSError, EOFError, KeyError, ValueError, IndexError, NotImplementedError,
            zipfile.BadZipFile, zlib.error) as error:  # fmt: skip
        reason = str(error).split("\n")[0] or type(error).__name__
        raise SemlossError(
            f"{path} holds no outcomes of images ({reason}); delete it: the table is read without, "
            "and semloss collect, given again, writes it anew from the run's cells"
        ) from None


@lru_cache(maxsize=8)
def _read(path: Path, _changed_ns: int, _size: int) -> Outcomes:
    if not zipfile.is_zipfile(path):
        raise ValueError("it is no whole archive")
    with np.load(path, allow_pickle=False) as file:
        image, label, place = file["image"], file["label"], file["place"]
        bits, numbers = file["bits"], file["numbers"]
        columns = [file[name] for name in KEY]
    n = len(image)
    if (label.shape, bits.shape[1:], numbers.shape[1:]) != ((n,), (-(-n // 8),), (n,)):
        raise ValueError("its arrays do not belong together")
    if any(column.shape != place.shape for column in columns) or len(set(image.tolist())) < n:
        raise ValueError("its arrays do not belong together")
    right = np.unpackbits(bits, axis=1, count=n).astype(bool)
    of: dict[Key, Values] = {}
    for at, row in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        where = int(place[at])
        of[row] = right[where] if where >= 0 else numbers[-1 - where]
    return Outcomes(image, label, of)
