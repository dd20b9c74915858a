"""The images of a run are found again, from any folder and where they have moved to."""

import json
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from PIL import Image

from semloss.collect.experiment import Experiment
from semloss.errors import SemlossError
from semloss.sending.measured_on import images_of
from semloss.sources import SOURCES

GRID = {"grid": {"cr": ["1/6"], "snr_db": [0]}}


@pytest.fixture
def tiles(tmp_path):
    """Two classes of two tiles."""
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / "here" / "tiles" / name).mkdir(parents=True)
        for at in range(2):
            pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "here" / "tiles" / name / f"{at}.png")
    return tmp_path / "here" / "tiles"


def recorded(folder, source):
    """A run's folder, as far as it tells of its images."""
    folder.mkdir()
    tables = Experiment.from_tables({"source": SOURCES.dump(source), **GRID}).as_tables()
    (folder / "experiment.toml").write_text(tomli_w.dumps(tables))
    (folder / "source.json").write_text(json.dumps({"content_hash": source.load().content_hash}))
    (folder / "split.json").write_text('{"test": [0]}')
    return folder


def test_a_relative_folder_is_the_same_from_elsewhere(tiles, tmp_path, monkeypatch):
    monkeypatch.chdir(tiles.parent)
    source = SOURCES.parse({"kind": "folder", "path": "tiles"}, "source")
    run = recorded(tmp_path / "run", source.rooted())
    monkeypatch.chdir(tmp_path)
    images, split = images_of(run)
    assert len(images) == 4
    assert split == {"test": [0]}


def test_images_that_have_moved_are_read_where_they_lie_now(tiles, tmp_path, monkeypatch):
    monkeypatch.chdir(tiles.parent)
    # as runs of before remember it
    run = recorded(tmp_path / "run", SOURCES.parse({"kind": "folder", "path": "tiles"}, "source"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SemlossError, match=r"--images says where they lie now$"):
        images_of(run)
    moved = tiles.rename(tmp_path / "moved")
    assert len(images_of(run, moved)[0]) == 4
    (moved / "a" / "0.png").unlink()
    with pytest.raises(SemlossError, match="gives other images now"):
        images_of(run, moved)


def test_a_source_without_a_folder_has_not_moved(tmp_path):
    scenes = SOURCES.parse({"kind": "scenes", "size": 32, "per_class": 1}, "source")
    with pytest.raises(SemlossError, match=r"--images there: the source of .* reads no folder"):
        images_of(recorded(tmp_path / "run", scenes), Path("there"))
