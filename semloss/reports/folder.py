"""A folder of results that is either whole or absent, and that replaces only its own kind."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from semloss.errors import SemlossError
from semloss.storage import TEMPORARY, make_folder

_LISTING = re.compile(r"^<!-- semloss report: (.*) -->$", re.MULTILINE)
"""Last line of a report's README: whose the folder is, and which files belong to it."""


@contextmanager
def report_folder(folder: Path) -> Iterator[Path]:
    """Fill a folder under a temporary name beside it, then rename it into place.

    Within the context the temporary folder is there to be filled, README.md included; a line
    that lists the files is added to it. Where the context ends in an error, or the process is
    killed, what stood in the place before still does. An existing folder is replaced when it is
    empty or holds an earlier report and nothing else.

    Raises
    ------
    SemlossError
        When something else stands in the place, or the place cannot be written.
    """
    target = folder.resolve()
    refuse_foreign(folder)
    make_folder(target.parent)
    try:
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=TEMPORARY))
        try:
            yield temporary
            _sign(temporary)
            temporary.chmod(0o755)
            refuse_foreign(folder)  # once more: filling takes a while
            _replace(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise SemlossError(
            f"cannot write {folder}: {error.strerror}; free or choose another place"
        ) from error


def refuse_foreign(folder: Path) -> None:
    """Refuse a place in which anything would be lost.

    Raises
    ------
    SemlossError
        When it is a file, a folder above the present one, or holds more than a report.
    """
    if folder.exists() and not folder.is_dir():
        raise SemlossError(f"{folder} is a file; name a folder for the report")
    if Path.cwd().is_relative_to(folder.resolve()):
        raise SemlossError(f"{folder} holds the folder that you are in; name another, e.g. report")
    present = _files(folder)
    if not present:
        return
    try:
        listed = _LISTING.findall((folder / "README.md").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        listed = []
    if not listed:
        raise SemlossError(
            f"{folder} is not empty and holds no report; name a new folder, or empty this one"
        )
    foreign = sorted(present - set(listed[-1].split()))
    if foreign:
        raise SemlossError(
            f"{folder} holds {foreign[0]}, which is no part of the report there; move it away, or "
            "name another folder"
        )


def _files(folder: Path) -> set[str]:
    """Whatever is no folder under a folder, by relative path."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def _sign(folder: Path) -> None:
    """List the files of the report in its README."""
    names = " ".join(sorted(_files(folder)))
    with (folder / "README.md").open("a", encoding="utf-8") as file:
        file.write(f"\n<!-- semloss report: {names} -->\n")


def _replace(temporary: Path, target: Path) -> None:
    """Put a finished folder in the place of another; on failure the other stays."""
    if not target.exists():
        os.rename(temporary, target)
        return
    aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=TEMPORARY)) / "old"
    os.rename(target, aside)
    try:
        os.rename(temporary, target)
    except OSError:
        os.rename(aside, target)
        raise
    finally:
        shutil.rmtree(aside.parent, ignore_errors=True)
