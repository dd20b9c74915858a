"""What a person reads of the planner is right to its digits, by arithmetic done here."""

import math
from dataclasses import replace

import numpy as np
import pytest
from planning_case import accuracy, link

from semloss.layout import share_of_draws, share_of_time
from semloss.planning.budget.ledger import ledger
from semloss.planning.budget.points import Defaults
from semloss.planning.budget.question import Question
from semloss.planning.budget.solving import solve
from semloss.planning.passes.day import simulate_day
from semloss.planning.passes.delivery import adaptive
from semloss.planning.passes.orbit import circular_day, circular_pass
from semloss.planning.passes.outage import outage
from semloss.planning.passes.simulation import simulate_pass
from semloss.planning.sharing.allocation import least_power
from semloss.planning.sharing.users import Pool, User
from semloss.planning.studies.studies import monte_carlo, tornado
from semloss.planning.studies.tolerances import read_tolerances

TARGET = 0.6
#: 60 MHz / 1.2 = 50 Msym/s over 64 x 64 x 3 / 12 = 1024 symbols an image.
IMAGES_PER_S = 50e6 / 1024


def question(**changes):
    return Question(accuracy(), link(**changes), TARGET)


@pytest.mark.parametrize(
    ("power_dbw", "watts"), [(-6.0, "0.2512 W"), (0.0, "1 W"), (7.0, "5.012 W"), (20.0, "100 W")]
)
def test_the_ledger_tells_the_amplifiers_power_in_watts(power_dbw, watts):
    (row,) = (r for r in ledger(link(power_dbw=power_dbw)).rows() if r["key"] == "power_dbw")
    assert row["note"] == watts
    (line,) = (
        x for x in ledger(link(power_dbw=power_dbw)).text().splitlines() if "amplifier power" in x
    )
    assert line.split() == ["+", "amplifier", "power", "P", f"{power_dbw:.2f}", "dBW",
                            *watts.split()]  # fmt: skip


def test_a_solution_tells_the_power_in_watts():
    answer = solve(link(), "power_dbw", accuracy(), TARGET)
    told = replace(answer, value=3.0)
    assert told.to_dict()["power_w"] == pytest.approx(1.9952623)
    assert "smallest power_dbw = 3 dBW (1.995 W)" in told.text()


def test_a_power_that_looks_like_another_unit_is_told_in_watts():
    assert "power_dbw = 33 is 1,995 W" in link().with_settings(["power_dbw=33"]).warnings[0]


def test_the_threshold_of_an_adaptive_plan_has_the_fits_interval_and_the_margin_above_it():
    answer = adaptive(question(margin_db=2.0), crs=["1/12"])
    needed = accuracy().min_snr(target=TARGET, cr=1 / 12)
    (line,) = (x for x in answer.text().splitlines() if x.startswith("1/12"))
    assert line.split()[1:8] == [
        f"{needed.snr_db + 2.5:.2f}", "dB",
        f"{needed.snr_db + 2.0:.2f}", "dB",
        f"{needed.low + 2.0:.2f}", "…", f"{needed.high + 2.0:.2f}",
    ]  # fmt: skip
    assert line.split()[8] == f"{IMAGES_PER_S:,.0f}"
    row = answer.to_dict()["table"][1]
    assert (row["down_db"], row["up_db"]) == pytest.approx(
        (needed.snr_db + 2.0, needed.snr_db + 2.5)
    )
    assert (row["snr_db_low"], row["snr_db_high"]) == pytest.approx((needed.low, needed.high))
    assert row["images_per_s"] == pytest.approx(IMAGES_PER_S)


def test_a_share_has_the_digits_that_its_source_supports():
    assert share_of_draws(0.2945, 0.0102, 2000) == "29.4 ± 1.0 % of 2,000 draws"
    assert share_of_draws(0.99952, 2.19e-4, 10_000) == "99.952 ± 0.022 % of 10,000 draws"
    # With the share that the bound names, such a sample comes once in twenty times at most.
    assert share_of_draws(1.0, 0.0, 2000) == "all 2,000 draws (at least 99.85 %, 95 % sure)"
    assert share_of_draws(0.0, 0.0, 100) == "none of 100 draws (at most 3 %, 95 % sure)"
    assert 0.9985**2000 <= 0.05
    assert 0.97**100 <= 0.05
    assert [share_of_time(p) for p in (0.0, 0.004, 12.345, 99.98, 99.999, 100.0)] == [
        "0 %", "less than 0.01 %", "12.35 %", "99.98 %", "more than 99.99 %",
        "100 %",
    ]  # fmt: skip


def test_a_study_tells_the_share_of_draws_that_meet_the_target_and_its_error():
    tolerances = read_tolerances({"power_dbw": {"normal": 1.0}})
    short_db = accuracy().min_snr(target=TARGET, cr=1 / 12).snr_db - float(link().budget().snr_db)
    asked = Defaults(accuracy(), link(power_dbw=-6.0 + short_db + 0.4), target=TARGET)
    answer = monte_carlo(asked, tolerances, draws=400, seed=3)
    met = sum(value >= TARGET for value in answer.samples["value"])
    assert 0 < met < 400
    share, error = met / 400, math.sqrt(met * (400 - met) / 400**3)
    assert answer.text().splitlines()[0] == (
        f"accuracy (clean) at least 0.6 in {100 * share:.1f} ± {100 * error:.1f} % of 400 draws"
    )
    told = answer.to_dict()
    assert (told["met_probability"], told["met_se"]) == pytest.approx((share, error))
    snr = np.array(answer.samples["snr_db"])
    (row,) = (r for r in told["summary"] if r["quantity"] == "snr_db")
    assert row["sd"] == pytest.approx(math.sqrt(sum((snr - snr.mean()) ** 2) / 399))
    assert row["mean"] == pytest.approx(sum(snr) / 400)


def test_a_tornado_prints_the_decibels_that_an_input_moves():
    tolerances = read_tolerances({"power_dbw": {"uniform": [-1.0, 0.5]}})
    answer = tornado(Defaults(accuracy(), link(), target=TARGET), tolerances)
    assert answer.head == (
        "power_dbw matters most: between -7 and -5.5 it moves the margin in SNR by -1 … +0.5 dB"
    )
    cells = dict(zip(*(line.split() for line in answer.body.splitlines()), strict=True))
    assert (cells["d_margin_low_db"], cells["d_margin_high_db"]) == ("-1.00", "0.50")
    assert (cells["d_snr_low_db"], cells["d_snr_high_db"]) == ("-1.00", "0.50")


def test_a_pass_tells_its_time_its_share_and_its_images():
    flown = circular_pass(500.0, 60.0)
    answer = simulate_pass(link(), accuracy(), flown, target=TARGET)
    needed = accuracy().min_snr(target=TARGET, cr=1 / 12).snr_db
    snr = [float(link(range_km=d, height_km=None).budget().snr_db) for d in flown.range_km.tolist()]
    # A step counts where both of its ends meet the target.
    met_s = sum(
        t1 - t0
        for t0, t1, a, b in zip(flown.time_s, flown.time_s[1:], snr, snr[1:], strict=False)
        if min(a, b) >= needed
    )
    contact_s = float(flown.time_s[-1])
    assert 0 < met_s < contact_s
    told = answer.to_dict()
    assert told["met_s"] == pytest.approx(met_s)
    assert told["images_sent"] == pytest.approx(IMAGES_PER_S * contact_s)
    assert told["images_delivered"] == pytest.approx(IMAGES_PER_S * met_s)
    text = answer.text()
    assert (
        f"{round(met_s) // 60}:{round(met_s) % 60:02d} min, {100 * met_s / contact_s:.3g} % of"
        in text
    )
    assert f"{min(snr) - needed:.2f} … {max(snr) - needed:.2f} dB" in text
    assert (
        f"images     {IMAGES_PER_S * met_s:,.0f} delivered of {IMAGES_PER_S * contact_s:,.0f} sent"
        in text
    )
    assert "rate       48,828 images/s" in text


def test_a_day_adds_its_passes_by_how_many_of_each_there_are():
    passes = circular_day(500.0, 48.0, step_s=20.0)
    told = simulate_day(link(), accuracy(), passes, target=TARGET).to_dict()
    alone = [simulate_pass(link(), accuracy(), p, target=TARGET).to_dict() for p in passes]
    weights = [p.per_day for p in passes]
    for name in ("images_delivered", "images_sent", "met_s", "contact_s"):
        total = sum(w * one[name] for w, one in zip(weights, alone, strict=True))
        assert told[f"{name}_per_day"] == pytest.approx(total)
    assert told["passes_per_day"] == pytest.approx(sum(weights))


def test_time_without_rain_statistics_is_all_or_nothing():
    strong = outage(link(power_dbw=20.0), accuracy(), target=TARGET)
    assert " in 100 % of the time" in strong.text()
    assert "48,828 images/s on average" in strong.text()
    assert "OUTSIDE the fitted domain in 100 % of the time" in strong.text()  # and met all the same
    weak = outage(link(power_dbw=-30.0), accuracy(), target=TARGET)
    assert " in 0 % of the time" in weak.text()
    assert weak.met is False


def test_an_allocation_honours_the_share_of_the_frame_and_the_margin():
    pool = Pool(bandwidth_hz=20e6, subbands=1)
    asked = {"fit": accuracy(), "c_n0_dbhz_at_1w": 80.0, "images_per_s": 600.0, "target": TARGET,
             "samples_per_image": 256 * 256 * 3}  # fmt: skip
    (whole,) = least_power([User(name="a", **asked)], pool).shares
    (half,) = least_power([User(name="a", frame_efficiency=0.5, **asked)], pool).shares
    # 20 MHz / 1.2 over 600 x 196,608 samples a second, of which half the symbols carry image
    assert (whole.cr, half.cr) == pytest.approx((0.14128, 0.07064), abs=1e-5)
    (kept,) = least_power([User(name="a", margin_db=2.0, **asked)], pool).shares
    assert kept.snr_db == pytest.approx(whole.snr_db + 2.0)
    assert kept.power_dbw == pytest.approx(whole.power_dbw + 2.0)
    assert kept.performance == pytest.approx(whole.performance)


@pytest.mark.parametrize(
    ("probability", "offset_db"),
    [(0.0, -8.0), (0.01, -8.0), (0.02, -3.0), (0.05, -3.0), (0.1, 0.0), (0.5, 0.0)],
)
def test_an_allocation_leaves_out_bad_states_of_together_the_outage_probability(
    probability, offset_db
):
    pool = Pool(bandwidth_hz=0.96e6, subbands=8, criterion="outage",
                outage_probability=probability)  # fmt: skip
    one = User(
        name="a", fit=accuracy(), c_n0_dbhz_at_1w=56.0, images_per_s=100.0,
        samples_per_image=12288, target=TARGET,
        offsets_db=(0.0, -3.0, -8.0), probabilities=(0.90, 0.08, 0.02),
    )  # fmt: skip
    found = least_power([one], pool)
    (share,) = found.shares
    snr_db = 56.0 + offset_db + 10 * math.log10(share.power_w / share.symbol_rate_hz)
    assert share.snr_db == pytest.approx(snr_db)
    assert share.snr_db == pytest.approx(
        accuracy().min_snr(target=TARGET, cr=share.cr).snr_db, abs=1e-6
    )
    assert share.power_dbw == pytest.approx(10 * math.log10(share.power_w))
    assert f"in all {share.power_w:.4g} W and {share.subbands} of 8 sub-bands" in found.text()


def test_an_adaptive_plan_has_a_row_for_each_pass_or_for_each_cr():
    table = adaptive(question(), crs=["1/12", "1/24"])
    assert [row["row"] for row in table.rows()] == ["off", "1/12", "1/24"]
    passes = circular_day(500.0, 48.0, step_s=30.0)
    day = adaptive(question(), passes, crs=["1/12", "1/24"])
    rows = day.rows()
    assert [row["contact_s"] for row in rows] == [p.duration_s for p in passes]
    assert [row["images_delivered"] for row in rows] == [s.images_delivered for _, s in day.runs]


def test_each_draw_has_a_deviate_of_the_fits_uncertainty_of_its_own():
    fit = replace(accuracy(), draws=None, correction=None)
    asked = Defaults(fit, link(), target=TARGET)
    still = read_tolerances({"power_dbw": {"uniform": [0.0, 0.0]}})
    drawn = monte_carlo(asked, still, draws=4000, seed=5).samples
    off = drawn["value"] - drawn["value_of_fit"]
    one_sd = fit.predict(cr=1 / 12, snr_db=float(link().budget().snr_db), interval=0.6826894921)
    half = (one_sd.high - one_sd.low) / 2
    assert off.nunique() > 3900
    assert off.std() == pytest.approx(half, rel=0.06)  # 5.3 standard errors of a deviation
