"""The images that a run was measured on."""

from pathlib import Path

from semloss.collect.experiment import Experiment
from semloss.errors import SemlossError
from semloss.sources import ImageSet, open_cached
from semloss.storage import cache_dir, read_json


def images_of(run: Path) -> tuple[ImageSet, dict[str, list[int]]]:
    """The images of a run's source, and the positions of its training, validation and test images.

    Raises
    ------
    SemlossError
        When the source gives other images than it did then.
    """
    images = open_cached(Experiment.of_run(run).source, cache_dir())
    if images.content_hash != read_json(run / "source.json")["content_hash"]:
        raise SemlossError(f"{run}: its source gives other images now than it was measured on")
    return images, read_json(run / "split.json")
