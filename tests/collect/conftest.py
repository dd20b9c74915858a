"""Fixtures of the tests of collecting."""

import pytest
from tiny_experiment import TINY

from semloss.cli import main
from semloss.codecs import CODECS
from semloss.collect.engines import ENGINES
from semloss.objectives import OBJECTIVES
from semloss.tasks import TASKS


@pytest.fixture(autouse=True)
def registries_as_they_were(monkeypatch):
    """What a test registers is gone after it."""
    for registry in (CODECS, OBJECTIVES, TASKS):
        monkeypatch.setattr(registry, "_plugins", dict(registry._plugins))
    engines = dict(ENGINES)
    yield
    ENGINES.clear()
    ENGINES.update(engines)


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """A folder with the tiny experiment's file, and a cache."""
    folder = tmp_path_factory.mktemp("collect")
    (folder / "tiny.toml").write_text(TINY)
    return folder


@pytest.fixture(autouse=True, scope="session")
def private_cache(world):
    """One cache for all tests of collecting: images and clean task model are made once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEMLOSS_CACHE", str(world / "cache"))
        yield world / "cache"


@pytest.fixture(scope="session")
def reference(world, private_cache):
    """The tiny grid, collected once without a hitch."""
    out = world / "reference"
    assert main(["collect", str(world / "tiny.toml"), "--out", str(out), "--engine", "serial"]) == 0
    return out
