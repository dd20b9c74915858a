"""Fits that come with the package, by name: `semloss.load("eurosat-accuracy")` needs no file.

They are fitted to the tables in ``data/`` by ``make fits``, and read as any fit file is.
"""

from pathlib import Path

FOLDER = Path(__file__).parent.parent / "shipped"


def shipped_names() -> list[str]:
    """Names of the fits that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def fit_path(source: str | Path) -> Path:
    """Path of a fit file, or of a shipped fit by its name where no such file exists."""
    path = Path(source)
    if not path.exists() and str(source) in shipped_names():
        return FOLDER / f"{source}.json"
    return path
