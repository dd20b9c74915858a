"""Solving a link for anything: put back in, the answer meets the target, and less misses it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_truth import image_link, rainy_link, surface

from semloss.errors import SemlossError, TargetNotAttainable
from semloss.planning.budget.solving import UNKNOWNS, solve

MODEL = surface()
TARGET = 0.55
#: A link for each unknown, in which it has an answer inside its range.
LINKS = {
    "snr_db": image_link(), "cr": image_link(bandwidth_mhz=400.0), "eirp_dbw": rainy_link(),
    "power_dbw": image_link(), "obo_db": image_link(power_dbw=20.0),
    "tx_dish_m": image_link(), "rx_dish_m": image_link(), "bandwidth_mhz": image_link(),
    "range_km": image_link(), "elevation_deg": image_link(bandwidth_mhz=600.0),
    "availability_percent": rainy_link(r001_mm_h=90.0, elevation_deg=10.0, station_lat_deg=10.0),
}  # fmt: skip


def metric(link, model=MODEL, less_db=0.0):
    """What the surface gives at the link's SNR, its margin and a little more taken off."""
    snr_db = float(link.budget().snr_db) - link.margin_db - less_db
    return model.predict(cr=link.cr, snr_db=snr_db, interval=None).value


@pytest.mark.parametrize("margin_db", [0.0, 1.5])
@pytest.mark.parametrize("unknown", [name for name in UNKNOWNS if name != "snr_db"])
def test_put_back_in_the_answer_meets_the_target_and_a_tenth_of_a_decibel_less_misses(
    unknown, margin_db
):
    answer = solve(LINKS[unknown].replace(margin_db=margin_db), unknown, MODEL, TARGET)
    assert getattr(answer.link, unknown) == answer.value
    assert metric(answer.link) == pytest.approx(TARGET, abs=1e-6)
    assert metric(answer.link) >= TARGET - 1e-6
    assert metric(answer.link, less_db=0.1) < TARGET - 1e-4
    assert answer.low <= answer.value <= answer.high
    assert answer.prediction.in_domain


def test_the_snr_is_that_of_the_fit_and_the_margin():
    needed = MODEL.min_snr(target=TARGET, cr=1 / 12)
    answer = solve(image_link(margin_db=1.0), "snr_db", MODEL, TARGET)
    assert (answer.value, answer.low, answer.high) == (
        needed.snr_db + 1, needed.low + 1, needed.high + 1,
    )  # fmt: skip


@pytest.mark.parametrize("unknown", ["eirp_dbw", "rx_dish_m", "range_km", "elevation_deg"])
def test_the_interval_is_that_of_the_required_snr(unknown):
    needed = MODEL.min_snr(target=TARGET, cr=1 / 12)
    answer = solve(LINKS[unknown], unknown, MODEL, TARGET)
    optimist, pessimist = (answer.low, answer.high)
    if answer.sense == "largest":
        optimist, pessimist = pessimist, optimist
    for end, snr_db in ((optimist, needed.low), (pessimist, needed.high)):
        assert float(LINKS[unknown].budget(**{unknown: end}).snr_db) == pytest.approx(snr_db)


@pytest.mark.parametrize("unknown", UNKNOWNS)
def test_confidence_costs_something(unknown):
    sure = solve(LINKS[unknown], unknown, MODEL, TARGET, confidence=0.95)
    best = solve(LINKS[unknown], unknown, MODEL, TARGET)
    assert (sure.value > best.value) == (best.sense == "smallest")
    snr_db = sure.value if unknown == "snr_db" else float(sure.link.budget().snr_db)
    band = MODEL.predict(cr=sure.link.cr, snr_db=snr_db, interval=0.9)
    assert band.low == pytest.approx(TARGET, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(target=st.floats(0.3, 0.7), cr=st.floats(1 / 30, 1 / 4), obo=st.floats(0, 6))
def test_power_comes_back_in_watts_whatever_the_link(target, cr, obo):
    answer = solve(image_link(cr=cr, obo_db=obo), "power_dbw", MODEL, target)
    assert answer.power_w == pytest.approx(10 ** (answer.value / 10))
    if not answer.at_edge:
        assert metric(answer.link) == pytest.approx(target, abs=1e-6)


def test_a_falling_metric_is_solved_for_at_most():
    model = surface("lower", metric="lpips", receiver="none")
    answer = solve(image_link(), "eirp_dbw", model, "at most 0.3")
    assert metric(answer.link, model) == pytest.approx(0.3, abs=1e-6)
    assert metric(answer.link, model, less_db=0.1) > 0.3
    with pytest.raises(SemlossError, match="lpips is better lower"):
        solve(image_link(), "eirp_dbw", model, "at least 0.3")


def test_a_free_ratio_trades_bandwidth_against_snr():
    rate = 50_000.0
    link = image_link(cr=None, images_per_s=rate, bandwidth_mhz=1.0)
    answer = solve(link, "bandwidth_mhz", MODEL, 0.75)
    assert answer.sense == "smallest"
    assert not answer.at_edge
    found = answer.link
    assert found.ledger()["images_per_second"] == pytest.approx(rate)
    assert metric(found) == pytest.approx(0.75, abs=1e-6)
    narrower = found.replace(bandwidth_mhz=0.98 * answer.value, cr=0.98 * found.cr)
    assert metric(narrower) < 0.75
    with pytest.raises(SemlossError, match=r"confidence = 1\.2: it lies in"):
        solve(link, "bandwidth_mhz", MODEL, 0.75, confidence=1.2)
    with pytest.raises(TargetNotAttainable, match="no CR of 1/40 … 1/4 leaves SNR enough"):
        solve(link.replace(images_per_s=1e7), "bandwidth_mhz", MODEL, TARGET)


def test_a_bandwidth_may_be_asked_with_a_confidence():
    link = image_link(cr=None, images_per_s=50_000.0, bandwidth_mhz=1.0)
    plain = solve(link, "bandwidth_mhz", MODEL, 0.75)
    sure = solve(link, "bandwidth_mhz", MODEL, 0.75, confidence=0.9).link
    assert sure.bandwidth_mhz > plain.value
    # Met with 90 % confidence, one-sided, where the lower edge of the 80 % band meets it.
    band = MODEL.predict(cr=sure.cr, snr_db=float(sure.budget().snr_db), interval=0.8)
    assert band.low == pytest.approx(0.75, abs=1e-6)


def test_a_given_ratio_and_rate_fix_the_bandwidth():
    link = image_link(images_per_s=40_000.0)
    answer = solve(link, "bandwidth_mhz", MODEL, TARGET)
    assert answer.link.ledger()["images_per_second"] == pytest.approx(40_000)
    with pytest.raises(TargetNotAttainable, match="lower images_per_s or the CR"):
        solve(link.replace(images_per_s=1e7), "bandwidth_mhz", MODEL, TARGET)


def test_what_is_met_at_the_cheap_end_says_so():
    answer = solve(image_link().replace(eirp_dbw=60.0), "elevation_deg", MODEL, TARGET)
    assert answer.at_edge
    assert answer.value == 0.0


def test_unattainable_targets_say_why_and_what_comes_nearest():
    near = image_link(bandwidth_mhz=20_000.0)
    best = MODEL.predict(cr=1 / 12, snr_db=float(near.budget(elevation_deg=90.0).snr_db))
    with pytest.raises(TargetNotAttainable) as caught:
        solve(near, "elevation_deg", MODEL, 0.7)
    text = str(caught.value)
    assert "accuracy at least 0.7 is not attainable by elevation_deg, because it needs SNR" in text
    assert f"nearest is accuracy = {best.value:.4g}" in text
    assert caught.value.exit_code == 3
    with pytest.raises(TargetNotAttainable, match="the surface reaches at most"):
        solve(image_link(), "eirp_dbw", MODEL, 0.95)
    with pytest.raises(TargetNotAttainable, match="interference"):
        solve(image_link(c_over_i_db=-15.0), "eirp_dbw", MODEL, 0.7)


@pytest.mark.parametrize(
    ("link", "unknown", "message"),
    [
        (image_link(), "luck", "cannot solve for luck: choose one of snr_db, cr, eirp_dbw"),
        (rainy_link(), "power_dbw", "cannot solve for power_dbw: eirp_dbw = 30 settles it"),
        (
            image_link().replace(g_over_t_db_k=20.0),
            "rx_dish_m",
            "cannot solve for rx_dish_m: g_over_t_db_k = 20 settles it",
        ),
        (image_link(), "availability_percent", "needs rain statistics: give r001_mm_h"),
        (image_link().replace(range_km=1700.0), "elevation_deg", "give height_km"),
        (image_link(cr=None), "eirp_dbw", "cr is missing"),
    ],
)
def test_questions_that_make_no_sense_are_one_line(link, unknown, message):
    with pytest.raises(SemlossError, match=message) as caught:
        solve(link, unknown, MODEL, TARGET)
    assert "\n" not in str(caught.value)


def test_the_answer_is_plain_content_and_a_sentence():
    answer = solve(image_link(), "power_dbw", MODEL, TARGET)
    content = answer.to_dict()
    assert content["power_w"] == answer.power_w
    assert content["metric"] == "accuracy"
    assert all(isinstance(v, str | float | bool | list | None) for v in content.values())
    assert str(answer).splitlines()[0].startswith("smallest power_dbw = ")
    assert "outside" not in str(answer)
    strong = solve(image_link(margin_db=30.0), "power_dbw", MODEL, TARGET)
    assert not strong.prediction.in_domain
    assert "dB\nOUTSIDE the fitted domain" in str(strong)


def test_the_api_of_a_link_mirrors_the_functions():
    link = image_link()
    assert link.solve("eirp_dbw", MODEL, target=TARGET).value == pytest.approx(
        solve(link, "eirp_dbw", MODEL, TARGET).value
    )
    elevation = np.array([20.0, 60.0])
    found = link.evaluate(MODEL, elevation_deg=elevation)
    for number, degrees in enumerate(elevation):
        alone = link.ledger(MODEL, elevation_deg=float(degrees))
        assert found.value[number] == pytest.approx(alone["metric"])
    assert math.isclose(link.ledger(MODEL, cr="1/24")["cr"], 1 / 24)
