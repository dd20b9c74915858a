"""The best back-off of a table whose accuracy through an amplifier is a known function."""

import math

import numpy as np
import pytest
from amplified_table import LINEAR, PAPR_DB, RAPP, beside_dbc, lost_db, needed_db, write_amplified
from planning_case import link

from semloss.channels import Amplifier
from semloss.errors import SemlossError, TargetNotAttainable
from semloss.planning.amplifier.answer import operating_answer
from semloss.planning.amplifier.measured import measured_points
from semloss.planning.budget.operating import OperatingPoint
from semloss.tables import load_table

#: Of the tables' binomial noise: 21 cells of 2,000 images are worth some .1 dB at their middle.
CLOSE_DB = 0.45


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    path = write_amplified(tmp_path_factory.mktemp("amplified") / "table.csv")
    return measured_points(load_table(path), receiver="matched", form="capped")


def test_without_a_limit_the_least_loss_is_best(points):
    found = operating_answer(link(), points, target=0.7)
    assert found.best.back_off_db == -2
    truth = needed_db(0.7, lost_db(RAPP, -2))
    assert found.best.snr_db == pytest.approx(truth, abs=CLOSE_DB)
    low, high = found.band(found.best)
    assert low < found.best.snr_db < high
    by_rule, own = found.gains
    assert by_rule.over.back_off_db == PAPR_DB
    assert by_rule.value_db == pytest.approx(PAPR_DB - lost_db(RAPP, -2), abs=CLOSE_DB)
    assert own.over.back_off_db == 2
    assert own.value_db == pytest.approx(3.5 - 1.0, abs=CLOSE_DB)
    for gain in found.gains:
        assert gain.low_db < gain.value_db < gain.high_db


def test_a_limit_is_just_kept_between_measured_back_offs(points):
    found = operating_answer(link(), points, target=0.7, limit_dbc=-25.0)
    # -18 - 2 (b + 4) = -25, half a decibel short of the point at 0 dB
    assert found.best.back_off_db == pytest.approx(-0.5)
    assert found.best.acpr_dbc == pytest.approx(-25.0)
    straight = 0.25 * lost_db(RAPP, -2) + 0.75 * lost_db(RAPP, 0)
    assert found.best.snr_db == pytest.approx(needed_db(0.7, straight), abs=CLOSE_DB)
    (_, own) = found.gains
    assert own.over.acpr_dbc <= -25
    assert "between measured ones" in found.head
    # what is spread is that of the CR that is asked: 1 dB less at 1/6
    other = operating_answer(link(cr=1 / 6), points, target=0.7, limit_dbc=-25.0)
    assert other.best.back_off_db == pytest.approx(-1.0)


def test_a_stricter_limit_never_takes_less(points):
    limits = [None, *np.arange(-20.0, -36.0, -2.5)]
    taken = [operating_answer(link(), points, target=0.7, limit_dbc=one).best.snr_db
             for one in limits]  # fmt: skip
    assert np.all(np.diff(taken) >= 0)
    assert taken[-1] > taken[0] + 3


def test_without_a_target_the_link_gives_most_there(points):
    found = operating_answer(link(), points, limit_dbc=-21.0)
    values = [row["value"] for row in found.rows()
              if row["keeps_limit"] and "trained over" not in row["codec"]]  # fmt: skip
    assert found.best.value(found.cr, found.snr_db) >= max(values) - 2e-3
    assert found.met is None
    assert found.search.target == pytest.approx(max(values))
    assert found.gains[0].value_db > 4


def test_the_link_is_at_saturation_whatever_its_back_off(points):
    plain = operating_answer(link(obo_db=0.0), points, target=0.7)
    backed = operating_answer(link(obo_db=6.0), points, target=0.7)
    spare = operating_answer(link(obo_db=6.0, pa_saturation_dbw=-3.0), points, target=0.7)
    assert backed.snr_db == plain.snr_db
    assert spare.snr_db == pytest.approx(plain.snr_db + 3)
    assert not any("obo_db" in note for note in backed.warnings)
    assert plain.met is (plain.margin_db >= 0)


def test_what_no_point_does_is_one_line(points, tmp_path):
    with pytest.raises(TargetNotAttainable, match=r"no point keeps -50 dBc .* the least is -36.0"):
        operating_answer(link(), points, target=0.7, limit_dbc=-50.0)
    with pytest.raises(TargetNotAttainable, match="out of reach at CR 1/12 at every back-off"):
        operating_answer(link(), points, target=0.95)
    silent = write_amplified(tmp_path / "silent.csv", spread=False)
    few = {"channel": RAPP.format(0.0)}
    told = measured_points(load_table(silent), receiver="matched", where=few, form="capped")
    with pytest.raises(SemlossError, match="does not tell acpr_dbc"):
        operating_answer(link(), told, target=0.7, limit_dbc=-25.0)
    assert math.isnan(operating_answer(link(), told, target=0.7).best.acpr_dbc)
    with pytest.raises(SemlossError, match="no channel through an amplifier, but awgn; collect"):
        measured_points(load_table(silent), receiver="matched", where={"channel": "awgn"})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"model": "saleh", "input_back_off_db": -1.5},
        {"smoothness": 3.0, "roll_off": 0.35, "acpr_limit_dbc": -25.0},
        {"trained_over": {"kind": "awgn"}, "input_back_off_db": 8.25},
    ],
)
def test_a_label_tells_the_operating_point(options):
    amplifier = Amplifier(**{"input_back_off_db": 2.0} | options)
    at = OperatingPoint.parse(amplifier.full_label)
    for name in ("model", "input_back_off_db", "smoothness", "roll_off", "acpr_limit_dbc"):
        assert getattr(at, name) == getattr(amplifier, name)
    assert at.trained_over == ("awgn" if "trained_over" in options else "")
    other = OperatingPoint.parse(Amplifier(**{**options, "input_back_off_db": 5.0}).full_label)
    assert at.amplifier == other.amplifier


@pytest.mark.parametrize("label", ["awgn", "rician-k10", "rapp", "rapp-ibo2dB-spare"])
def test_another_channel_is_no_operating_point(label):
    assert OperatingPoint.parse(label) is None


def test_the_table_of_the_tests_is_as_it_says():
    assert beside_dbc(RAPP, 5.0) == -36
    assert lost_db(LINEAR, 2.0) == 3.5


def test_codecs_trained_at_different_back_offs_are_no_one_curve():
    at, near, other = (
        OperatingPoint.parse(label)
        for label in ("rapp-ibo4dB-from-rapp-ibo-2dB", "rapp-ibo0dB-from-rapp-ibo-2dB",
                      "rapp-ibo4dB-from-rapp-ibo2dB")
    )  # fmt: skip
    assert at.amplifier == near.amplifier == "rapp-from-rapp-ibo-2dB"
    assert other.amplifier != at.amplifier
    assert at.hardware == other.hardware == "rapp"
