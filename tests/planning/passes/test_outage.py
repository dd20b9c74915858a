"""Rain and fading statistics: closed forms, limits, and Monte-Carlo as the witness."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_case import accuracy, distance, link, rainy
from planning_truth import faded_db

from semloss.errors import SemlossError, TargetNotAttainable
from semloss.planning.passes.orbit import circular_pass
from semloss.planning.passes.outage import outage
from semloss.planning.propagation.fading import Rayleigh, Rician, Shadowing, parse_fading

KINDS = [Rayleigh(), Rician(-3.0), Rician(8.0), Rician(20.0), Rician(40.0), Shadowing(4.0)]
CR = 1 / 12


def ids(fading):
    return "none" if fading is None else fading.label


# ---------------------------------------------------------------- fading


@pytest.mark.parametrize("fading", KINDS, ids=ids)
def test_quantiles_and_exceedances_are_inverse(fading):
    share = np.array([0.001, 0.05, 0.3, 0.5, 0.8, 0.999])
    np.testing.assert_allclose(fading.exceeded(fading.quantile_db(share)), 1 - share, atol=1e-9)
    assert fading.margin_db(95) == pytest.approx(-float(fading.quantile_db(0.05)))
    assert parse_fading(fading.label) == fading


@pytest.mark.parametrize("fading", KINDS, ids=ids)
def test_draws_follow_the_distribution_and_nodes_give_its_means(fading):
    drawn = faded_db(fading, 200_000, np.random.default_rng(0))
    # A share of 200,000: standard error at most 0.0011; the tolerance, 0.006, is 5.4 of them.
    for level in np.quantile(drawn, [0.02, 0.5, 0.9]):
        assert np.mean(drawn > level) == pytest.approx(float(fading.exceeded(level)), abs=0.006)
    gain, weight = fading.nodes()
    assert weight.sum() == pytest.approx(1.0)
    smooth = 1 / (1 + np.exp(-0.8 * drawn))
    mean = weight @ (1 / (1 + np.exp(-0.8 * gain)))
    assert mean == pytest.approx(smooth.mean(), abs=4 * smooth.std() / 447)
    if not isinstance(fading, Shadowing):
        assert weight @ 10 ** (gain / 10) == pytest.approx(1.0, abs=1e-9)  # E|h|² = 1


def test_rayleigh_and_no_fading_are_the_ends_of_rician():
    level = np.linspace(-30, 8, 20)
    np.testing.assert_allclose(Rician(-40.0).exceeded(level), Rayleigh().exceeded(level), atol=1e-4)
    assert abs(Rician(40.0).quantile_db([0.01, 0.99])).max() < 0.2


def test_ten_percent_of_rayleigh_fades_are_ten_decibels_deep():
    assert Rayleigh().margin_db(90) == pytest.approx(9.77, abs=0.01)


@pytest.mark.parametrize(
    "text",
    ["rician", "rician:x", "rician:90", "rayleigh:3", "shadowing:0", "shadowing", "nakagami:2"],
)
def test_other_fadings_are_refused(text):
    with pytest.raises(SemlossError, match=r"rician|shadowing"):
        parse_fading(text)


# ---------------------------------------------------------------- rain


def rain_db(case, percent):
    """Rain exceeded `percent` % of the time: P.618 up to 5 %, in a straight log-log line beyond."""
    known = np.geomspace(0.001, 5.0, 400)
    loss = case.budget(availability_percent=100 - known).rain_loss_db
    log_p, log_a = np.log(known), np.log(loss)
    slope = (log_a[-1] - log_a[-30]) / (log_p[-1] - log_p[-30])
    beyond = log_a[-1] + slope * (np.log(percent) - log_p[-1])
    inside = np.interp(np.log(percent), log_p, log_a)
    return np.exp(np.where(np.asarray(percent) > 5.0, beyond, inside))


@pytest.mark.parametrize("percent", [0.01, 0.03, 1.0, 5.0])
def test_the_snr_exceeded_is_the_budget_at_that_availability(percent):
    budget = rainy(availability_percent=100 - percent).budget()
    found = outage(rainy(), accuracy(), percents=[100 - percent])
    assert found.snr_db_exceeded[0] == pytest.approx(float(budget.snr_db), abs=0.03)


# ---------------------------------------------------------------- statistics over time


def test_without_rain_and_fading_the_statistics_are_the_prediction():
    found = outage(link(), accuracy(), target=0.3)
    point = accuracy().predict(cr=CR, snr_db=float(link().budget().snr_db))
    assert found.expected == pytest.approx(point.value, abs=1e-5)
    assert (found.expected_low, found.expected_high) == pytest.approx(
        (point.low, point.high), abs=1e-5
    )
    np.testing.assert_allclose(found.value_exceeded, point.value, atol=1e-9)
    assert found.met_percent == (100 if point.value >= 0.3 else 0)
    assert "no rain statistics" in found.notes[0]


@pytest.mark.parametrize("percent", [0.02, 0.3, 2.0])
def test_with_rain_alone_the_target_is_missed_as_long_as_its_margin_is_exceeded(percent):
    under = float(rainy(availability_percent=100 - percent).budget().snr_db)
    case = rainy(power_dbw=rainy().power_dbw + 2.0 - under)  # 2 dB in that share of the year
    # a target that the link just meets under the attenuation exceeded that share of the year
    snr = float(case.budget(availability_percent=100 - percent).snr_db)
    target = accuracy().predict(cr=CR, snr_db=snr).value
    found = outage(case, accuracy(), target=target, percents=[100 - percent])
    assert 100 - found.met_percent == pytest.approx(percent, rel=1e-2)
    assert found.value_exceeded[0] == pytest.approx(target, abs=1e-3)


@pytest.mark.parametrize("fading", [None, *KINDS], ids=ids)
@pytest.mark.parametrize("model", [accuracy, distance])
def test_statistics_agree_with_drawn_rain_and_fades(fading, model):
    model, rng, count = model(), np.random.default_rng(5), 200_000
    case = rainy(power_dbw=-6.0)
    exceeded = 100 * rng.uniform(size=count)
    snr = case.budget(rain_loss_db=np.minimum(rain_db(case, exceeded), 190)).snr_db
    if fading is not None:
        snr = snr + faded_db(fading, count, rng)
    value = model.predict(cr=CR, snr_db=snr, interval=None).value
    better = 1 if model.direction == "higher" else -1
    found = outage(case, model, target=0.5, fading=fading, percents=[20, 50, 90, 99])
    spread = 5 / np.sqrt(count)  # five standard errors, sd of a share at most 0.5
    assert found.expected == pytest.approx(value.mean(), abs=spread * value.std() + 1e-4)
    met = np.mean(better * (value - 0.5) >= 0)
    assert found.met_percent / 100 == pytest.approx(met, abs=spread * 0.5 + 1e-4)
    for percent, level in zip(found.percent, found.snr_db_exceeded, strict=True):
        # to 0.03 dB: rain of P.618's last percentages is continued in two ways
        assert np.mean(snr >= level - 0.03) > percent / 100 - spread * 0.5 - 1e-3
        assert np.mean(snr >= level + 0.03) < percent / 100 + spread * 0.5 + 1e-3
    inside = model.predict(cr=CR, snr_db=snr, interval=None).in_domain
    assert found.in_domain_percent / 100 == pytest.approx(inside.mean(), abs=0.006)


@given(percents=st.lists(st.floats(0.1, 99.99), min_size=2, max_size=6, unique=True))
@settings(max_examples=20, deadline=None)
def test_what_is_exceeded_longer_is_less(percents):
    found = outage(rainy(), accuracy(), fading=Rician(10.0), percents=percents)
    assert np.all(np.diff(found.snr_db_exceeded) <= 1e-6)
    assert np.all(np.diff(found.value_exceeded) <= 1e-9)
    assert np.all(found.low_exceeded <= found.value_exceeded)


def test_more_rain_or_margin_means_less_time():
    dry, wet = (outage(rainy(r001_mm_h=r), accuracy(), target=0.6) for r in (10.0, 60.0))
    assert wet.met_percent < dry.met_percent
    assert wet.expected < dry.expected
    kept = outage(rainy(r001_mm_h=60.0, margin_db=3.0), accuracy(), target=0.6)
    assert kept.met_percent < wet.met_percent
    assert kept.images_per_s < wet.images_per_s


def test_a_pass_is_the_mixture_of_its_moments():
    flown = circular_pass(500, 40, 10, 1.0)
    whole = outage(rainy(), accuracy(), target=0.6, pass_=flown)
    parts = np.array_split(np.arange(len(flown.time_s)), 48)
    weight = np.array([flown.weight_s[p].sum() for p in parts]) / flown.duration_s
    each = [
        outage(rainy(elevation_deg=float(flown.elevation_deg[p[len(p) // 2]])), accuracy(),
               target=0.6)
        for p in parts
    ]  # fmt: skip
    assert whole.met_percent == pytest.approx(weight @ [o.met_percent for o in each], abs=0.01)
    assert whole.expected == pytest.approx(weight @ [o.expected for o in each], abs=1e-4)


def test_by_site_the_snr_exceeded_is_the_budget_of_that_availability():
    pytest.importorskip("itur")
    case = rainy(r001_mm_h=None, atmosphere_model="itu", station_lon_deg=11.0)
    found = outage(case, accuracy(), percents=[99.0, 99.9])
    there = [float(case.budget(availability_percent=p).snr_db) for p in (99.0, 99.9)]
    np.testing.assert_allclose(found.snr_db_exceeded, there, atol=0.05)


def test_fading_measured_by_the_fit_already_is_told():
    model = replace(accuracy(), provenance={"channel": "rayleigh-slow-mmse"})
    assert "holds that fading already" in outage(link(), model, fading=Rayleigh()).notes[-1]


def test_the_summary_is_json_and_the_frame_has_a_row_per_percentage():
    found = outage(rainy(), accuracy(), target=0.6, fading=Shadowing(2.0))
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert len(found.frame()) == len(told["exceeded"]) == 7


@pytest.mark.parametrize("percents", [[], [0], [100], [99.999]])
def test_shares_of_the_time_that_mean_nothing_are_refused(percents):
    with pytest.raises(SemlossError, match="shares of the time"):
        outage(link(), accuracy(), percents=percents)


def test_a_target_beyond_the_fit_is_not_attainable_at_any_time():
    with pytest.raises(TargetNotAttainable):
        outage(link(), accuracy(), target=0.99)
