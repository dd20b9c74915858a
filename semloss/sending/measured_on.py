"""The images that a run was measured on."""

from pathlib import Path

from semloss.collect.experiment import Experiment
from semloss.errors import SemlossError
from semloss.sources import ImageSet, open_cached
from semloss.storage import cache_dir, read_json

_MOVED = "; if the images have moved, --images says where they lie now"


def images_of(run: Path, path: Path | None = None) -> tuple[ImageSet, dict[str, list[int]]]:
    """The images of a run's source, and the positions of its training, validation and test images.

    Parameters
    ----------
    run
        Folder of the run.
    path
        Where the images lie now, if they have moved since.

    Raises
    ------
    SemlossError
        When they are not there, or are other images than they were then.
    """
    source = Experiment.of_run(run).source
    if path is not None:
        if "path" not in type(source).model_fields:
            raise SemlossError(f"--images {path}: the source of {run} reads no folder; drop it")
        source = source.model_copy(update={"path": path})
    try:
        images = open_cached(source, cache_dir())
    except SemlossError as error:
        moved = "" if path or getattr(source, "path", None) is None else _MOVED
        raise SemlossError(f"{error}{moved}") from None
    if images.content_hash != read_json(run / "source.json")["content_hash"]:
        raise SemlossError(f"{run}: its source gives other images now than it was measured on")
    return images, read_json(run / "split.json")
