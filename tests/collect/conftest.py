"""Fixtures of the tests of collecting."""

import pytest

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
