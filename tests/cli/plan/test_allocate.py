"""`semloss allocate` as a user meets it."""

import json
import math

import pytest
from plan_case import rows as read_rows
from planning_case import LINK, accuracy, distance

import semloss.cli
from semloss.planning.planner import Link
from semloss.planning.sharing.users import read_users, users_template
from semloss.surfaces.files import fit_file as fitfile

USERS = """
[pool]
total_power_w = 4.0
bandwidth_mhz = 0.96
subbands = 8

[[user]]
name = "harbour"
fit = "accuracy.json"
c_n0_dbhz_at_1w = 56.0
images_per_s = 100
target = 0.6
ceiling = 0.9
states = [[0.0, 0.9], [-4.0, 0.1]]

[[user]]
name = "forest"
fit = "lpips.json"
weight = 0.8
c_n0_dbhz_at_1w = 54.0
images_per_s = 80
target = 0.5
floor = 0.9
ceiling = 0.1
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("users")
    fitfile.save(accuracy(), place / "accuracy.json")
    fitfile.save(distance(), place / "lpips.json")
    return place


def read_users_of(folder, text):
    (folder / "USERS.toml").write_text(text)
    return read_users(folder / "USERS.toml")


def allocate(folder, text, *options):
    (folder / "USERS.toml").write_text(text)
    return semloss.cli.main(["plan", "allocate", str(folder / "USERS.toml"), *options])


def test_it_prints_a_table_and_the_level(folder, capsys):
    assert allocate(folder, USERS) == 0
    out = capsys.readouterr().out
    assert "harbour" in out
    assert "in all 4 of 4 W" in out
    assert "smallest weighted performance 0." in out


def test_json_and_csv_carry_the_same_shares(folder, capsys):
    assert allocate(folder, USERS, "--json", "--csv", str(folder / "out.csv")) == 0
    answer = json.loads(capsys.readouterr().out)
    rows = read_rows(folder / "out.csv")
    assert [row["name"] for row in rows] == [s["name"] for s in answer["shares"]]
    assert float(rows[1]["power_w"]) == answer["shares"][1]["power_w"]
    assert answer["level"] == pytest.approx(min(s["weighted"] for s in answer["shares"]))
    assert answer["problem"] == "max-min"


def test_least_power_is_asked_by_a_word(folder, capsys):
    assert allocate(folder, USERS, "--least-power", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert [s["performance"] for s in answer["shares"]] == pytest.approx([0.6, 0.5])
    assert answer["level"] is None
    assert answer["total_power_w"] < 4.0


def test_what_does_not_fit_ends_with_3(folder, capsys):
    assert allocate(folder, USERS, "--least-power", "--power-w", "0.05") == 3
    error = capsys.readouterr().err
    assert error.startswith("semloss: the targets take ")
    assert "binds" in error
    assert error.count("\n") == 1


def test_the_template_runs_as_written_in_an_empty_folder(tmp_path, capsys):
    assert semloss.cli.main(["plan", "allocate", "--template"]) == 0
    text = capsys.readouterr().out
    assert text == users_template()
    assert allocate(tmp_path, text, "--json") == 0
    streams = capsys.readouterr()
    shares = json.loads(streams.out)["shares"]
    assert streams.err == ""
    assert all(share["subbands"] > 1 for share in shares)
    assert allocate(tmp_path, text, "--least-power") == 0


def test_the_template_takes_no_other_question(capsys):
    assert semloss.cli.main(["plan", "allocate", "--template", "users.toml"]) == 2
    assert "--template contradicts USERS" in capsys.readouterr().err


def test_a_users_link_may_be_a_preset(folder, capsys):
    text = USERS.replace("c_n0_dbhz_at_1w = 56.0", 'link = "cubesat-s-band"')
    assert allocate(folder, text) == 3  # its images are large
    assert "of which user harbour 83" in capsys.readouterr().err


def test_a_users_channel_may_come_from_a_link_file(folder, capsys):
    link = "\n".join(f"{key} = {value}" for key, value in LINK.items())
    (folder / "link.toml").write_text(link)
    text = USERS.replace("c_n0_dbhz_at_1w = 56.0", 'link = "link.toml"')
    assert allocate(folder, text, "--json") == 0
    share = json.loads(capsys.readouterr().out)["shares"][0]
    budget = Link.from_toml(folder / "link.toml").budget(power_dbw=share["power_dbw"])
    at_rate = float(budget.c_n0_dbhz) - 4.0 - 10 * math.log10(share["symbol_rate_hz"])
    assert share["snr_db"] == pytest.approx(at_rate)


def test_a_users_link_gives_its_frame_margin_and_rate_and_says_what_is_not_used(folder, capsys):
    keys = LINK | {"margin_db": 1.5, "frame_efficiency": 0.8, "images_per_s": 80}
    (folder / "own.toml").write_text("\n".join(f"{key} = {value}" for key, value in keys.items()))
    text = USERS.replace("c_n0_dbhz_at_1w = 56.0\nimages_per_s = 100", 'link = "own.toml"')
    (users, _), _ = read_users_of(folder, text)
    assert (users.margin_db, users.frame_efficiency, users.images_per_s) == (1.5, 0.8, 80)
    assert allocate(folder, text) == 0
    told = capsys.readouterr().err
    assert "user harbour: cr and bandwidth_mhz of its link are not used" in told


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("subbands = 8", "sub_bands = 8", "pool: unknown key sub_bands: did you mean subbands?"),
        ("subbands = 8", "", "pool: subbands is missing: give 1 … 4096"),
        ("subbands = 8", "subbands = 8.5", "pool: subbands = 8.5: give a whole number"),
        ("[pool]", "[pol]", "unknown table pol: did you mean pool?"),
        ("total_power_w = 4.0", "total_power_w = -1", "pool: total_power_w = -1"),
        ("total_power_w = 4.0", "total_power_w = 4\ntotal_power_dbw = 6", "not both"),
        ("weight = 0.8", "weigth = 0.8", "user forest: unknown key weigth: did you mean weight?"),
        ("weight = 0.8", 'weight = "x"', "user forest: weight = 'x': give a number"),
        ("images_per_s = 80", "", "user forest: images_per_s is missing"),
        ('fit = "lpips.json"', "", "user forest: fit is missing"),
        ('fit = "lpips.json"', 'fit = "none.json"', "cannot read"),
        ("c_n0_dbhz_at_1w = 54.0", "", "user forest: give c_n0_dbhz_at_1w or link"),
        ("[-4.0, 0.1]]", "[-4.0]]", "user harbour: states: a list of"),
        ("floor = 0.9", "floor = 0.05", "no scale to weigh tasks on"),
        ("[[user]]", "[[usr]]", "unknown table usr"),
        ("[pool]", "[pool", "is not TOML"),
    ],
)
def test_a_bad_file_ends_with_2_and_one_line(folder, capsys, old, new, says):
    assert allocate(folder, USERS.replace(old, new)) == 2
    streams = capsys.readouterr()
    assert says in streams.err
    assert streams.err.count("\n") == 1
    assert streams.out == ""


def test_without_a_file_it_says_how_to_begin(capsys):
    assert semloss.cli.main(["plan", "allocate"]) == 2
    assert "--template" in capsys.readouterr().err
