"""Fixtures shared by the tests."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is first imported


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real imagery; tests that need it are skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SEMLOSS_REAL_DATA", beside))
    if not (folder / "eurosat-rgb").is_dir():
        pytest.skip(f"no real imagery in {folder} (SEMLOSS_REAL_DATA may name another folder)")
    return folder


@pytest.fixture(autouse=True)
def private_cache(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Keep every test away from the user's cache."""
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("SEMLOSS_CACHE", str(cache))
    return cache
