"""The fits that come with the package answer by name, and are those of the tables in data/."""

import json
import tomllib
from pathlib import Path

import pytest

import semloss
from semloss.cli import main
from semloss.errors import SemlossError
from semloss.planning.link.template import preset_names, preset_text
from semloss.surfaces.files.shipped import FOLDER, shipped_names

DATA = Path(__file__).parents[3] / "data" / "eurosat-awgn"
MADE_OF = {
    "eurosat-accuracy": ("accuracy", "matched"),
    "eurosat-accuracy-clean": ("accuracy", "clean"),
    "eurosat-psnr": ("psnr_db", None),
    "eurosat-ssim": ("ssim", None),
}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_all_are_told_here():
    assert set(shipped_names()) == set(MADE_OF)


@pytest.mark.parametrize("name", MADE_OF)
def test_a_shipped_fit_is_what_fitting_its_table_gives(name):
    metric, receiver = MADE_OF[name]
    shipped = semloss.load(name)
    made = semloss.fit_surface(semloss.select(semloss.load_table(DATA), metric, receiver))
    assert made.form == shipped.form
    assert made.provenance == shipped.provenance
    a, b = (fit.predict(cr=1 / 12, snr_db=4.0) for fit in (made, shipped))
    assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high), rel=1e-4)


def test_the_list_tells_images_codec_domain_and_day(capsys):
    assert main(["fits", "--json"]) == 0
    rows = {row["fit"]: row for row in json.loads(capsys.readouterr().out)["fits"]}
    row = rows["eurosat-accuracy"]
    assert (row["source"], row["images"], row["tile"]) == ("eurosat", "2700", "64x64 px, 3 bands")
    assert (row["task_model"], row["codec"], row["channel"]) == ("resnet8", "deepjscc", "awgn")
    assert row["cr_low"] == pytest.approx(1 / 48)
    assert row["cr_high"] == pytest.approx(1 / 6)
    assert (row["snr_db_low"], row["snr_db_high"], row["measured"]) == (-8, 18, "2026-11-30")
    assert main(["fits", "--csv", "fits.csv"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in MADE_OF)
    assert len(Path("fits.csv").read_text().splitlines()) == 1 + len(MADE_OF)


def test_the_line_that_the_list_ends_with_works(capsys):
    assert main(["fits"]) == 0
    command = capsys.readouterr().out.strip().splitlines()[-1].partition("semloss ")[2]
    assert main(command.split()) == 0


def test_a_file_of_that_name_goes_first():
    Path("eurosat-accuracy").write_text((FOLDER / "eurosat-psnr.json").read_text())
    assert semloss.load("eurosat-accuracy").metric == "psnr_db"


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(SemlossError, match="eurosat-accuracy, eurosat-accuracy-clean"):
        semloss.load("eurosat")


@pytest.mark.parametrize("preset", preset_names())
def test_every_link_preset_names_a_shipped_fit(preset):
    link = semloss.Link.from_dict(tomllib.loads(preset_text(preset)))
    assert link.fit in shipped_names()
