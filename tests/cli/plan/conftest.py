"""What the tests of every question share: a folder to ask in, and how to ask."""

import json

import pytest
from plan_case import CURVE, DICE, EO, SURE, TLE, WEAK
from planning_case import accuracy, distance

from semloss.cli import main
from semloss.surfaces.files import fit_file as fitfile


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("plan")
    fitfile.save(accuracy(), place / "fit.json")
    fitfile.save(distance(), place / "lpips.json")
    texts = {"dice.toml": DICE, "eo.toml": EO, "weak.toml": WEAK, "curve.csv": CURVE,
             "sure.csv": SURE,
             "iss.tle": TLE}  # fmt: skip
    for name, text in texts.items():
        (place / name).write_text(text)
    (place / "bad.tle").write_text(TLE.replace("5082", "5083"))
    (place / "tolerances.toml").write_text("[tolerances]\npower_dbw = 1.0\n")
    return place


@pytest.fixture
def plan(folder, monkeypatch, capsys):
    """Run `semloss plan` in the folder; gives exit code, stdout and stderr."""
    monkeypatch.chdir(folder)

    def run(question, *words, fit="fit.json"):
        code = main(["plan", question, *([fit] if fit else []), *words])
        streams = capsys.readouterr()
        return code, streams.out, streams.err

    return run


@pytest.fixture
def answer(plan):
    """Run with --json; gives the object, whose numbers are all finite."""

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    def run(*words, code=0, **options):
        found, out, err = plan(*words, "--json", **options)
        assert found == code, err
        assert out.count("\n") == 1
        return json.loads(out, parse_constant=refuse)

    return run
