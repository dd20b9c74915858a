"""Files that are either whole or absent, and the cache folder."""

import json
import os
from pathlib import Path
from typing import Any

from semloss.errors import SemlossError

#: How the names of files begin that are being written.
TEMPORARY = ".writing-"


def picture_kind(path: Path | str) -> str:
    """Kind of picture that a name asks for: png, pdf or svg.

    Raises
    ------
    SemlossError
        When its suffix is another.
    """
    kind = Path(path).suffix.lower().lstrip(".")
    if kind not in ("png", "pdf", "svg"):
        raise SemlossError(f"{path}: name a picture *.png, *.pdf or *.svg")
    return kind


def make_folder(path: Path | str) -> None:
    """Make a folder and those above it.

    Raises
    ------
    SemlossError
        When a file is in the way, the disk is full or the place cannot be written.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SemlossError(
            f"cannot make folder {path}: {error.strerror}; free or choose another place"
        ) from error


def write_atomically(path: Path | str, content: bytes | str) -> None:
    """Write a file under a temporary name beside it, then rename: readers never see half of it.

    Raises
    ------
    SemlossError
        When the disk is full, the folder cannot be written, or something that is no file stands
        in the place; what is there stays as it was.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise SemlossError(f"cannot write {path}: it is no regular file; choose another place")
    data = content.encode() if isinstance(content, str) else content
    make_folder(path.parent)
    temporary = None
    try:
        import tempfile  # brings much that a reader does not need

        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=TEMPORARY)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise SemlossError(
            f"cannot write {path}: {error.strerror}; free or choose another place"
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove the temporary files that killed processes left in a folder.

    Only who holds the folder's lock may call it: then none of them is being written.
    """
    for left_over in folder.glob(f"{TEMPORARY}*"):
        left_over.unlink(missing_ok=True)


def write_json(path: Path | str, value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Write a value as indented JSON, atomically. NaN and infinity are refused."""
    write_atomically(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def read_json(path: Path | str) -> Any:  # noqa: ANN401 - any JSON value
    """Read a JSON file.

    Raises
    ------
    SemlossError
        When the file cannot be read or is no JSON.
    """
    try:
        return json.loads(_text(path))
    except ValueError:
        raise SemlossError(
            f"{path} is not JSON (cut short or edited?); delete it to have it made anew"
        ) from None


def read_toml(path: Path | str) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    SemlossError
        When the file cannot be read or is no TOML.
    """
    import tomllib

    try:
        return tomllib.loads(_text(path))
    except ValueError as error:
        raise SemlossError(f"{path} is not TOML: {error}") from None


def csv_rows(path: Path, what: str) -> list[dict[str, str]]:
    """Read the records of a CSV file under its header, without its comments (#).

    Raises
    ------
    SemlossError
        When the file, called `what`, cannot be read.
    """
    import csv

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(line for line in file if not line.startswith("#")))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise SemlossError(f"cannot read {what} {path}: {reason}") from error


def _text(path: Path | str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")  # some editors begin with a mark
    except OSError as error:
        raise SemlossError(f"cannot read {path}: {error.strerror}") from error


def cache_dir() -> Path:
    """Folder of decoded sources, downloads and trained task models.

    ``SEMLOSS_CACHE`` names it; otherwise it lies in the user's cache folder.
    """
    base = os.environ.get("SEMLOSS_CACHE")
    if base:
        return Path(base)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "semloss"
