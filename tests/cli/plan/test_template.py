"""`semloss plan template` as a link engineer meets it."""

import pytest
from plan_case import T, X

from semloss.planning.link.template import preset_names


def test_the_template_is_a_link_to_start_from(plan, answer, folder):
    code, out, _ = plan("template", "new.toml", fit=None)
    assert code == 0
    assert "new.toml" in out
    assert answer("ledger", "--link", "new.toml", fit=None)["values"]["eirp_dbw"] > 0
    code, _, err = plan("template", "new.toml", fit=None)
    assert (code, err.count("\n")) == (2, 1)
    assert "new.toml exists" in err
    assert plan("template", "ka.toml", "--preset", "ka-band-leo", fit=None)[0] == 0
    assert "NISAR" in (folder / "ka.toml").read_text()
    assert plan("template", fit=None)[1] == (folder / "new.toml").read_text()


def test_every_preset_is_at_hand(plan):
    code, out, _ = plan("template", "--preset", "list", fit=None)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == preset_names()
    for name in preset_names():
        assert plan("ledger", "--link", name, "--cr", "1/12")[0] == 0


@pytest.mark.parametrize("words", [("template", "t.toml", "--preset", "moon")])
def test_an_unknown_preset_is_one_line(plan, words):
    code, out, err = plan(*words, fit=None)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "no preset 'moon'" in err


def test_a_file_does_not_take_a_presets_name(plan, folder):
    # `--link eo-leo-x-band` would then be the file, whatever is in it.
    code, out, err = plan("template", "eo-leo-x-band", fit=None)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "a preset's name: choose another, e.g. eo-leo-x-band.toml" in err
    assert not (folder / "eo-leo-x-band").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("ledger", "--strict"), ("solve", "rx_dish_m"), ("pass", "--max-elevation", "60"), ("day",),
        ("adaptive", "--max-elevation", "60"), ("outage",), ("against",),
        ("sweep", "elevation_deg=10:90:3"), ("tornado",), ("monte-carlo", "--draws", "50"),
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_the_template_runs_as_written(plan, tmp_path, words):
    question, *rest = words
    path = str(tmp_path / "link.toml")
    assert plan("template", path, fit=None)[0] == 0
    asked = (question, *rest, "--link", path, "--target", "0.85")
    code, _, err = plan(*asked, fit=None)
    assert code == 0
    assert err == "semloss: the fit is eurosat-accuracy, as the link names it\n"


def test_every_value_of_the_template_is_marked_as_an_example(plan):
    lines = plan("template", fit=None)[1].splitlines()
    given = [line for line in lines if line and line[0] not in "#["]
    assert len(given) > 15
    assert all("# example: " in line for line in given)


def test_what_a_link_lacks_is_told_at_once_with_what_the_question_needs(plan, tmp_path):
    path = tmp_path / "bare.toml"
    path.write_text("freq_ghz = 8.2\nheight_km = 500\nrx_dish_m = 3\n")
    code, _, err = plan("day", "--link", str(path))
    assert (code, err.count("\n")) == (2, 1)
    for what in (
        "the transmitter is not described", "t_ant_k and noise_figure_db are missing",
        "station_lat_deg is missing", "cr is missing", "bandwidth_mhz is missing",
    ):  # fmt: skip
        assert what in err
    assert "range_km" not in err  # the passes give the elevation
    err = plan("solve", "rx_dish_m", "--link", str(path), *T, "--cr", "1/6")[2]
    assert "the path is not described" in err
    assert "cr is missing" not in err
    err = plan("day", *X, "--set", "station_lat_deg=")[2]
    assert "--set: " in err
    assert "station_lat_deg is missing" in err


def test_images_no_larger_than_a_tile_are_remarked(plan, answer, tmp_path):
    words = ("ledger", "--link", "weak.toml", "--set", "elevation_deg=20")
    assert plan(*words)[2] == ""
    small = (*words, "--set", "height_px=64", "--set", "width_px=64")
    assert "images/s are of images of 64 × 64 px" in plan(*small)[2]
    assert len(answer(*small)["warnings"]) == 1


def test_the_template_as_json_is_its_text(plan, answer):
    assert answer("template", fit=None)["text"] == plan("template", fit=None)[1]
