"""The images that a run was measured on."""

from pathlib import Path

from semloss.collect.experiment import Experiment
from semloss.errors import SemlossError
from semloss.sources import ImageSet, open_cached
from semloss.storage import cache_dir, read_json, read_toml


def images_of(run: Path) -> tuple[ImageSet, dict[str, list[int]]]:
    """The images of a run's source, and the positions of its training, validation and test images.

    Raises
    ------
    SemlossError
        When the source gives other images than it did then.
    """
    experiment = Experiment.from_tables(read_toml(run / "experiment.toml"))
    images = open_cached(experiment.source, cache_dir())
    if images.content_hash != read_json(run / "source.json")["content_hash"]:
        raise SemlossError(f"{run}: its source gives other images now than it was measured on")
    return images, read_json(run / "split.json")
