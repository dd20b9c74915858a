"""What the other files of a run folder tell about its table: the images, the task model, the day.

A table names its image source; what a reader of a fit wants to know of it (how many tiles, of what
size, classified by what, measured when) stands beside the table in ``source.json``,
``experiment.toml`` and ``environment.json``. All of it is optional: a folder of another origin, or
a file cut short, tells less.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from semloss.errors import SemlossError
from semloss.storage import read_json, read_toml


def about(folder: Path) -> dict[str, str]:
    """Facts about the table of a run folder, as text by name.

    Returns
    -------
    dict
        Of ``images`` (how many the source has), ``tile`` ("64x64 px, 3 bands"), ``classes`` (how
        many), ``task_model`` (its kind; of several, all by commas) and ``measured`` (the day, UTC),
        those that are told.
    """
    source = _read(read_json, folder / "source.json")
    environment = _read(read_json, folder / "environment.json")
    task = _read(read_toml, folder / "experiment.toml").get("task")
    tasks = task if isinstance(task, list) else [task]
    told: dict[str, Any] = {
        "images": source.get("images"),
        "tile": _tile(source.get("shape")),
        "classes": len(source.get("classes") or ()) or None,
        "task_model": ", ".join(str(one.get("kind")) for one in tasks if isinstance(one, dict))
        or None,
        "measured": str(environment.get("written") or "")[:10] or None,
    }
    return {name: str(value) for name, value in told.items() if value is not None}


def _tile(shape: Any) -> str | None:  # noqa: ANN401 - whatever the file holds
    if not isinstance(shape, list) or len(shape) != 3:
        return None
    height, width, bands = shape
    return f"{height}x{width} px, {bands} bands"


def _read(read: Callable[[Path], Any], file: Path) -> dict[str, Any]:
    try:
        found = read(file)
    except SemlossError:
        return {}
    return found if isinstance(found, dict) else {}
