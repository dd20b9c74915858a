"""What a reader must know beside an answer is told in every mode, by the same words."""

from dataclasses import replace

import numpy as np
import pytest
from planning_case import accuracy, link

from semloss.errors import TargetNotAttainable
from semloss.planning.budget.ledger import ledger
from semloss.planning.budget.points import Defaults
from semloss.planning.budget.question import Question
from semloss.planning.budget.remarks import remarks, suggested_obo_db
from semloss.planning.budget.solving import solve
from semloss.planning.digital.against import Chain, against
from semloss.planning.passes.adaptive import coding_table
from semloss.planning.passes.day import simulate_day
from semloss.planning.passes.delivery import adaptive
from semloss.planning.passes.orbit import circular_day, circular_pass
from semloss.planning.passes.outage import outage
from semloss.planning.passes.simulation import simulate_pass
from semloss.planning.studies.studies import monte_carlo, sweep, tornado
from semloss.planning.studies.tolerances import read_tolerances

TARGET = 0.6
LARGE = {"height_px": 512, "width_px": 512, "tile_px": 64}
TOLERANCES = read_tolerances({"other_loss_db": 1.0})


def measured(**about):
    told = {"papr_db": "8.25", "tile": "64x64 px, 3 bands"} | about
    return replace(accuracy(), provenance=told)


MODES = {
    "ledger": lambda k, f: ledger(k, f, target=TARGET),
    "solve": lambda k, f: solve(k, "snr_db", f, TARGET),
    "pass": lambda k, f: simulate_pass(k, f, circular_pass(500, 60, step_s=30), target=TARGET),
    "day": lambda k, f: simulate_day(k, f, circular_day(500, 48, step_s=60), target=TARGET),
    "outage": lambda k, f: outage(k, f, target=TARGET),
    "adaptive": lambda k, f: adaptive(Question(f, k, TARGET), crs=["1/12"]),
    "adaptive pass": lambda k, f: adaptive(
        Question(f, k, TARGET), [circular_pass(500, 60, step_s=30)], crs=["1/12"], single=True
    ),
    "against": lambda k, f: against(Question(f, k, TARGET), None, Chain()),
    "sweep": lambda k, f: sweep(Defaults(f, k, target=TARGET), {"elevation_deg": [20.0, 40.0]}),
    "tornado": lambda k, f: tornado(Defaults(f, k, target=TARGET), TOLERANCES),
    "monte carlo": lambda k, f: monte_carlo(Defaults(f, k, target=TARGET), TOLERANCES, 10, 1),
}
CASES = {
    "a back-off below the measured PAPR": (
        {"obo_db": 3.0}, {}, "obo_db = 3: symbols with a PAPR of 8.25 dB need 8.25 dB",
    ),
    "an EIRP, which holds its back-off": (
        {"power_dbw": None, "tx_gain_dbi": None, "tx_line_loss_db": 0.0, "eirp_dbw": 8.0}, {},
        "eirp_dbw = 8 must hold the back-off already",
    ),
    "bands that were not measured": (
        {"obo_db": 9.0, "bands": 13}, {}, "bands = 13: the fit was measured on images of 3 bands",
    ),
    "tiles that were not measured": (
        {"obo_db": 9.0, "tile_px": 256}, {}, "tile_px = 256: the fit was measured on tiles of 64 ×",
    ),
    "images that were not measured": (
        {"obo_db": 9.0, "tile_px": None}, {}, "images of 512 × 512 px: the fit was measured on",
    ),
    "rain that warms no sky": (
        {"obo_db": 9.0, "rain_loss_db": 2.0, "rx_dish_m": None, "t_ant_k": None,
         "noise_figure_db": None, "g_over_t_db_k": 23.0}, {},
        "g_over_t_db_k is that of a clear sky: the noise that rain adds is not counted",
    ),
    "images of a tile's size": (
        {"obo_db": 9.0, "height_px": 64, "width_px": 64}, {}, "images/s are of images of 64 × 64",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CASES)
def test_every_mode_tells_it(mode, case):
    changes, about, says = CASES[case]
    answer = MODES[mode](link(**LARGE | changes), measured(**about))
    assert [line for line in answer.warnings if line.startswith(says)]


@pytest.mark.parametrize("mode", MODES)
def test_a_link_as_the_fit_was_measured_is_not_remarked_on(mode):
    notes = MODES[mode](link(**LARGE, obo_db=8.25), measured()).warnings
    assert [n for n in notes if "no rain statistics" not in n] == []


def test_a_back_off_counts_what_the_amplifier_can_still_give():
    assert suggested_obo_db(link(power_dbw=4.0), 8.25) == 8.25
    assert suggested_obo_db(link(power_dbw=4.0, pa_saturation_dbw=7.0), 8.25) == 5.25
    assert suggested_obo_db(link(power_dbw=4.0, pa_saturation_dbw=20.0), 8.25) == 0.0


def test_a_codec_of_unknown_papr_asks_for_no_back_off():
    assert remarks(link(**LARGE), measured(papr_db="")) == ()


def test_a_back_off_that_is_in_the_fit_is_not_counted_again():
    through = measured(channel="rapp-ibo0dB")
    assert remarks(link(**LARGE, obo_db=0.0), through) == ()
    (line,) = remarks(link(**LARGE, obo_db=3.0), through)
    assert line.startswith("obo_db = 3: the fit was measured through an amplifier, rapp-ibo0dB")
    assert line.endswith("set obo_db = 0")


RATE = 50e6 / (512 * 512 * 3 / 12)
"""Images a second: 60 MHz / 1.2 over 512 x 512 x 3 / 12 symbols."""


@pytest.mark.parametrize("mode", ["ledger", "pass", "day", "outage", "sweep", "monte carlo"])
def test_a_target_is_met_at_the_rate_that_is_asked_only(mode):
    strong = link(**LARGE, obo_db=8.25, power_dbw=20.0)
    assert MODES[mode](strong.replace(images_per_s=0.999 * RATE), measured()).met is True
    assert MODES[mode](strong.replace(images_per_s=1.001 * RATE), measured()).met is False


def test_the_ledger_says_by_how_much_a_rate_is_missed():
    asked = link(**LARGE, obo_db=8.25, power_dbw=20.0, images_per_s=2 * RATE)
    (line,) = (x for x in ledger(asked, measured(), target=TARGET).warnings if "not met" in x)
    assert line.startswith(f"images_per_s = {2 * RATE:g} is asked and not met")
    assert f"the link sends {RATE:.4g};" in line


def test_an_adaptive_table_leaves_out_crs_that_send_too_few():
    asked = link(**LARGE, obo_db=8.25, images_per_s=1.5 * RATE)
    table = coding_table(asked, accuracy(), target=0.5, crs=["1/8", "1/12", "1/24"])
    assert [row.label for row in table.rows] == ["off", "1/24"]
    assert f"CR 1/12: sends {RATE:.4g} images/s where {1.5 * RATE:g} are asked" in table.left_out
    with pytest.raises(TargetNotAttainable, match="no candidate sends enough images"):
        coding_table(asked, accuracy(), target=0.5, crs=["1/8"])


def test_a_table_of_measured_crs_marks_those_between():
    fit = replace(measured(), data={"cr": [1 / 24, 1 / 12]})
    rows = coding_table(link(**LARGE), fit, target=0.5, crs=["1/24", "1/16"]).rows[1:]
    assert {row.label: row.measured for row in rows} == {"1/24": True, "1/16": False}
    table = coding_table(link(**LARGE), fit, target=0.5, crs="measured")
    assert {row.label for row in table.rows[1:]} <= {"1/24", "1/12"}
    assert all(row.measured for row in table.rows[1:])
    text = adaptive(Question(fit, link(**LARGE), 0.5), crs=["1/24", "1/16"]).text()
    assert "inside, between" in text
    assert "no codec was trained at this CR" in text


def test_the_best_fixed_cr_has_no_hysteresis():
    asked = Question(measured(), link(**LARGE, obo_db=0.0), 0.5)
    flown = circular_pass(500, 80, step_s=5)
    answer = adaptive(asked, [flown], crs=["1/12"], hysteresis_db=3.0, single=True)
    ((_, schedule),) = answer.runs
    on = schedule.snr_db >= accuracy().min_snr(target=0.5, cr=1 / 12).snr_db
    steps = np.diff(flown.time_s)
    assert schedule.best_fixed_images == pytest.approx(RATE * steps[on[1:] & on[:-1]].sum())
    assert schedule.best_fixed_images > schedule.images_delivered


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_says_what_it_rests_on(mode):
    fit = replace(measured(source="eurosat"), data={"points": 66, "cr": [1 / 12]}, images=700.0)
    wet = link(**LARGE, obo_db=8.25, margin_db=0.5, rain_loss_db=0.2)
    told = MODES[mode](wet, fit).assumed
    assert told["fit"].startswith("accuracy (clean) of eurosat, 66 cells, 700 test images a cell")
    psk = " DeepJSCC, 1 dB digital (PSK, assumed; --digital-obo-db)"
    of_the_codec = " (PAPR of the codec 8.25 dB)"
    assert told["back-off"] == "8.25 dB" + (psk if mode == "against" else of_the_codec)
    assert told["margin"] == "0.5 dB kept"
    assert told["rain"] == "0.2 dB given"
    assert told["fading"] == "none"
    one_point = mode in ("ledger", "solve", "pass", "day", "outage")
    assert told.get("CR") == ("1/12, measured" if one_point else None)
