"""A report is whole or absent, replaces only its own kind, and says what its pictures show."""

import os
import re
import shutil
import stat
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from surface_truth import simulated

from semloss.errors import SemlossError
from semloss.reports.fit import report as fit_report
from semloss.reports.fit.report import write_report
from semloss.reports.folder import report_folder
from semloss.surfaces.fitting.fit_surface import fit_surface
from semloss.surfaces.forms import FORMS


@pytest.fixture(scope="module")
def one():
    points = replace(simulated("capped", n=700), notes=("left out as diverged: cell 3 | cell 4",))
    return fit_surface(points, starts=10, bootstraps=20), points


@pytest.fixture(scope="module")
def flat():
    points = simulated("constant", floor=None, receiver="matched")
    return fit_surface(points, "constant", starts=1, bootstraps=20), points


@pytest.fixture(scope="module")
def written(one, tmp_path_factory):
    return write_report([one], tmp_path_factory.mktemp("reports") / "one")


@pytest.fixture(scope="module")
def several(one, flat, tmp_path_factory):
    return write_report([one, flat], tmp_path_factory.mktemp("reports") / "several")


def content(place):
    files = [path for path in place.rglob("*") if path.is_file()]
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in files}


def write_a_word(place, word="a word\n"):
    with report_folder(place) as temporary:
        (temporary / "README.md").write_text(word)
    return place


def assert_nothing_left_beside(place):
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_a_report_gives_the_numbers_first(one, written):
    fit, _ = one
    text = (written / "README.md").read_text()
    head, _, rest = text.partition("## Pictures")
    assert f"`{fit.form}`" in head
    assert f"RMSE {fit.quality['rmse']:.3g}" in head
    assert f"{fit.quality['held_out']:.3g}" in head
    words = f"follows the data, {fit.outcome.value}"
    assert f"**{words}**: {fit.message or fit.outcome.remedy}" in head
    assert "CR 1/40 … 1/4, SNR −8 … 12 dB" in head
    assert type(FORMS[fit.form]).__qualname__ in head
    assert "```math" in head
    for name, ends in fit.intervals.items():
        assert re.search(rf"`{name}` .*{ends[0]:.3g}".replace("-", "−"), head)
    assert "cell 3 \\| cell 4" in head  # a note may not break the table
    assert "![" not in head
    assert rest.count("![") >= 7


def test_every_picture_of_a_report_is_there_with_its_table_and_a_sentence(written):
    text = (written / "README.md").read_text()
    shown = re.findall(r"!\[[^]]+\]\((\S+)\)\n\n(.+)\. \[Table\]\((\S+)\)", text)
    assert {picture for picture, _, _ in shown} == {p.name for p in written.glob("*.png")}
    for picture, reading, table in shown:
        assert (written / picture).stat().st_size > 5_000
        assert len(pd.read_csv(written / table)) > 1
        assert re.search(r"\d", reading)


def test_every_link_of_a_report_leads_somewhere(several):
    pages = list(several.rglob("README.md"))
    assert len(pages) == 3
    for page in pages:
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            assert (page.parent / link).is_file(), link


def test_several_fits_are_compared_and_each_has_its_folder(one, several):
    assert {path.name for path in several.iterdir() if path.is_dir()} == {
        "accuracy-clean",
        "accuracy-matched",
    }
    rows = pd.read_csv(several / "surfaces.csv")
    assert rows["form"].tolist() == [one[0].form, "constant"]
    text = (several / "README.md").read_text()
    assert f"{rows['min_snr_db'][0]:.1f} [" in text.replace("−", "-")
    # What a flat surface cannot show is left out.
    assert not (several / "accuracy-matched" / "contours.png").exists()
    assert (several / "accuracy-matched" / "residuals.png").exists()


def test_surfaces_of_one_name_get_folders_of_their_own():
    assert fit_report._slugs(["PSNR [dB]", "psnr db", "±"]) == ["psnr-db", "psnr-db-2", "surface"]


def test_a_report_replaces_an_earlier_one_whole(flat, several, tmp_path):
    place = tmp_path / "report"
    shutil.copytree(several, place)
    write_report([flat], place)
    first = content(place)
    assert "surfaces.png" not in first
    assert b"constant" in first["README.md"]
    assert_nothing_left_beside(place)
    write_report([flat], place)
    assert content(place) == first  # the same fit gives the same bytes


def test_an_empty_folder_may_be_filled_and_is_open_to_others(tmp_path):
    place = tmp_path / "deep" / "report"
    place.mkdir(parents=True)
    write_a_word(place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o755
    assert_nothing_left_beside(place)


@pytest.mark.parametrize(
    "foreign",
    [{"notes.md": "mine"}, {"README.md": "# My project\n"}, {"sub/metrics.csv": "cr,snr_db\n"}],
)
def test_a_foreign_folder_is_refused_and_stays(flat, tmp_path, foreign):
    place = tmp_path / "work"
    for name, text in foreign.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    before = content(place)
    with pytest.raises(SemlossError, match="holds no report") as refusal:
        write_report([flat], place)  # before anything is drawn
    assert "\n" not in str(refusal.value)
    assert content(place) == before
    assert_nothing_left_beside(place)


def test_a_file_that_was_added_to_a_report_is_not_lost(tmp_path):
    place = write_a_word(tmp_path / "report")
    (place / "fit.json").write_text("{}")
    with pytest.raises(SemlossError, match=r"holds fit\.json, which is no part"):
        write_a_word(place)
    assert (place / "fit.json").read_text() == "{}"


def test_what_appears_in_the_folder_meanwhile_is_not_lost(tmp_path):
    place = tmp_path / "report"

    def slowly():
        with report_folder(place) as temporary:
            (temporary / "README.md").write_text("a word\n")
            place.mkdir()
            (place / "notes.md").write_text("mine")

    with pytest.raises(SemlossError, match="holds no report"):
        slowly()
    assert content(place) == {"notes.md": b"mine"}


def test_a_file_in_the_place_of_the_folder_is_refused(flat, tmp_path):
    (tmp_path / "report").write_text("mine")
    with pytest.raises(SemlossError, match="is a file"):
        write_report([flat], tmp_path / "report")


def test_the_folder_that_one_is_in_is_not_pulled_away(flat, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(SemlossError, match="the folder that you are in"):
        write_report([flat], tmp_path / "here")


def test_a_link_to_a_report_is_followed(tmp_path):
    place = write_a_word(tmp_path / "real" / "report", "first\n")
    (tmp_path / "link").symlink_to(place)
    write_a_word(tmp_path / "link", "second\n")
    assert (tmp_path / "link").is_symlink()
    assert content(place)["README.md"].startswith(b"second")


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interrupted_report_leaves_what_was_there(flat, tmp_path, monkeypatch, error):
    place = write_a_word(tmp_path / "report")
    before = content(place)

    def interrupted(*_):
        raise error

    monkeypatch.setattr(fit_report, "residuals_plot", interrupted)
    wanted = KeyboardInterrupt if error is KeyboardInterrupt else SemlossError
    for target in (place, tmp_path / "fresh"):
        with pytest.raises(wanted):
            write_report([flat], target)
    assert content(place) == before
    assert_nothing_left_beside(place)


def test_a_report_that_cannot_be_put_in_place_leaves_what_was_there(tmp_path, monkeypatch):
    place = write_a_word(tmp_path / "report", "first\n")
    before = content(place)
    rename = os.rename

    def stubborn(source, target):
        if Path(target) == place and Path(source).name != "old":
            raise OSError(13, "Permission denied")
        rename(source, target)

    monkeypatch.setattr(os, "rename", stubborn)
    with pytest.raises(SemlossError, match=r"cannot write .*Permission denied"):
        write_a_word(place, "second\n")
    assert content(place) == before
    assert_nothing_left_beside(place)


def test_no_fit_is_no_report(tmp_path):
    with pytest.raises(SemlossError, match="no fit"):
        write_report([], tmp_path / "report")


@pytest.mark.parametrize("name", list(FORMS))
def test_every_form_shows_its_equations(name):
    equations = "\n".join(fit_report._equations(FORMS[name]))
    assert equations.startswith("```math\n") == bool(FORMS[name].parameters)
    assert equations.count("&=") == len(FORMS[name].equations) * bool(FORMS[name].parameters)
    assert equations.count("{") == equations.count("}")
