"""What the tests of the commands share."""

from pathlib import Path

import pytest

from semloss.cli import main

EUROSAT = str(Path(__file__).parents[1] / "data" / "eurosat_surface.csv")


@pytest.fixture(scope="session")
def fits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fits")
    for metric, form in (("psnr_db", "unified"), ("accuracy", "capped")):
        out = str(folder / f"{metric}.json")
        assert main(["fit", EUROSAT, "--metric", metric, "--form", form, "--out", out]) == 0
    return folder


@pytest.fixture
def ask(capsys):
    """Run `semloss`; gives exit code, stdout and stderr."""

    def run(*words):
        code = main(list(words))
        streams = capsys.readouterr()
        return code, streams.out, streams.err

    return run
