"""What `pip install` brings answers at once: the wheel, built, unpacked and asked elsewhere."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPO = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Folder that holds the package as its wheel has it, and nothing of the checkout."""
    wheels, place = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    source = tmp_path_factory.mktemp("source")  # building leaves folders behind
    shutil.copytree(
        REPO / "semloss", source / "semloss", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPO / name, source)
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheels), str(source)]
    found = subprocess.run([sys.executable, *build], capture_output=True, text=True)
    if found.returncode and ("setuptools" in found.stderr or "Connection" in found.stderr):
        pytest.skip("building a wheel needs setuptools from a package index")
    assert found.returncode == 0, found.stderr
    (wheel,) = wheels.glob("semloss-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    return place


def asked(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"},
    )  # fmt: skip


def test_the_package_asked_is_the_wheels(installed, tmp_path):
    found = asked(installed, tmp_path, "-c", "import semloss; print(semloss.__file__)")
    assert Path(found.stdout.strip()).is_relative_to(installed)


@pytest.mark.parametrize(
    "words",
    [
        ("fits",),
        ("predict", "eurosat-accuracy", "--cr", "1/12", "--snr-db", "4"),
        ("predict", "--link", "eo-leo-x-band", "--target", "0.85"),
        ("plan", "template", "link.toml"),
        ("collect", "--preset", "list"),
    ],
)
def test_it_answers_from_an_empty_folder(installed, tmp_path, words):
    found = asked(installed, tmp_path, "-m", "semloss", *words)
    assert found.returncode == 0, found.stderr
    assert found.stdout


def test_python_answers_by_name(installed, tmp_path):
    code = "import semloss; f = semloss.load('eurosat-psnr'); print(f.predict(cr=1/12, snr_db=4))"
    found = asked(installed, tmp_path, "-c", code)
    assert found.returncode == 0, found.stderr
    assert "psnr_db" in found.stdout
