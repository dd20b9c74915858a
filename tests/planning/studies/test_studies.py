"""Sweeps, tornados, Monte-Carlo: known answers, limits, the same draws for the same question."""

from dataclasses import replace

import numpy as np
import pytest
from planning_case import accuracy, distance, link
from scipy.stats import norm

from semloss.errors import SemlossError
from semloss.planning.budget.points import Defaults, evaluate
from semloss.planning.studies.studies import monte_carlo, sweep, tornado
from semloss.planning.studies.tolerances import Tolerance, load_tolerances, read_tolerances
from semloss.surfaces.fitted.correction import Correction


def asked(**changes):
    return Defaults(**{"fit": accuracy(), "link": link(), "target": 0.6} | changes)


def test_a_sweep_answers_as_each_point_alone():
    table = sweep(asked(), {"elevation_deg": [10, 30], "cr": [1 / 24, 1 / 12, 1 / 8]}).table
    assert len(table) == 6
    assert list(table["elevation_deg"]) == [10, 10, 10, 30, 30, 30]
    for row in table.itertuples():
        snr_db = float(link().budget(elevation_deg=row.elevation_deg).snr_db)
        assert row.snr_db == pytest.approx(snr_db)
        point = accuracy().predict(cr=row.cr, snr_db=snr_db)
        assert (row.value, row.low, row.high) == pytest.approx((point.value, point.low, point.high))
        needed = accuracy().min_snr(target=0.6, cr=row.cr).snr_db
        assert row.snr_margin_db == pytest.approx(snr_db - needed)


def test_a_sweep_needs_no_link():
    table = sweep(Defaults(accuracy(), cr=1 / 12), {"snr_db": np.arange(-4.0, 5.0)}).table
    assert np.all(np.diff(table["value"]) > 0)
    assert "c_n0_dbhz" not in table


def test_decibels_of_the_link_are_decibels_of_margin():
    tolerances = read_tolerances(
        {"power_dbw": {"uniform": [-1.0, 0.5]}, "other_loss_db": 2.0, "tx_line_loss_db": 0.25}
    )
    table = tornado(asked(), tolerances).table
    assert list(table["field"]) == ["other_loss_db", "power_dbw", "tx_line_loss_db"]
    row = table.set_index("field").loc["power_dbw"]
    assert (row["d_snr_low_db"], row["d_snr_high_db"]) == pytest.approx((-1.0, 0.5))
    assert (row["d_margin_low_db"], row["d_margin_high_db"]) == pytest.approx((-1.0, 0.5))
    assert row["d_value_low"] < 0 < row["d_value_high"]
    row = table.set_index("field").loc["other_loss_db"]
    assert (row["d_margin_low_db"], row["d_margin_high_db"]) == pytest.approx((2.0, -2.0))


def test_the_cr_moves_the_margin_though_not_the_snr():
    table = tornado(asked(), read_tolerances({"cr": 0.02})).table
    assert table["d_snr_high_db"][0] == 0
    assert table["d_margin_low_db"][0] < 0 < table["d_margin_high_db"][0]


def test_without_a_target_the_metric_ranks():
    table = tornado(asked(target=None), read_tolerances({"power_dbw": 1, "other_loss_db": 2})).table
    assert list(table["field"]) == ["other_loss_db", "power_dbw"]
    assert "d_margin_low_db" not in table


def test_independent_decibels_add_in_quadrature():
    tolerances = read_tolerances(
        {"power_dbw": {"normal": 0.6}, "other_loss_db": {"normal": 0.3}, "obo_db": 0.0}
    )
    result = monte_carlo(asked(link=link(obo_db=1.0)), tolerances, draws=40_000, seed=1)
    nominal = float(link(obo_db=1.0).budget().snr_db)
    samples = result.samples
    # Standard errors: of the mean 0.671/200 = 0.00335 (tolerance: 5.1 of them), of the standard
    # deviation 1/sqrt(80,000) = 0.35 % (5.7), of a share at most 0.5/200 = 0.0025 (5.2).
    assert samples["snr_db"].mean() == pytest.approx(nominal, abs=0.017)
    assert samples["snr_db"].std() == pytest.approx(np.hypot(0.6, 0.3), rel=0.02)
    assert set(samples["obo_db"]) == {1.0}
    needed = accuracy().min_snr(target=0.6, cr=1 / 12).snr_db
    by_snr = norm.cdf((nominal - needed) / np.hypot(0.6, 0.3))
    assert samples["snr_margin_db"].ge(0).mean() == pytest.approx(by_snr, abs=0.013)


@pytest.mark.parametrize(
    ("entry", "mean", "sd"),
    [
        (0.6, 0.0, 0.6 / np.sqrt(3)),
        ({"uniform": [-0.2, 0.4]}, 0.1, 0.6 / np.sqrt(12)),
        ({"triangular": [-0.3, 0.6]}, 0.1, np.sqrt((0.09 + 0.36 + 0.18) / 18)),
        ({"normal": 0.25}, 0.0, 0.25),
    ],
)
def test_tolerances_have_the_moments_of_their_kind(entry, mean, sd):
    (tolerance,) = read_tolerances({"power_dbw": entry}).values()
    # Standard errors: of the mean at most 0.346/447 = 0.00078 (tolerance: 6.4 of them), of the
    # standard deviation at most 0.16 % (6.3), of the share 0.00049 (6.1).
    drawn = tolerance.draw(np.random.default_rng(0), 200_000)
    assert drawn.mean() == pytest.approx(mean, abs=0.005)
    assert drawn.std() == pytest.approx(sd, rel=0.01)
    inside = np.mean((drawn >= tolerance.low) & (drawn <= tolerance.high))
    assert inside == pytest.approx(0.95 if tolerance.kind == "normal" else 1.0, abs=0.003)


def test_the_fits_own_uncertainty_widens_the_metric():
    still = {"power_dbw": Tolerance("uniform", 0.0, 0.0)}
    # A normal quantile at 2.5 %: standard error 0.019 sd; the tolerance, 0.59 sd, is 31 of them.
    result = monte_carlo(asked(), still, draws=20_000, seed=2)
    band = accuracy().predict(cr=1 / 12, snr_db=float(link().budget().snr_db))
    assert result.samples["value_of_fit"].std() == pytest.approx(0, abs=1e-12)
    low, high = np.quantile(result.samples["value"], [0.025, 0.975])
    assert low == pytest.approx(band.low, abs=0.15 * (band.high - band.low))
    assert high == pytest.approx(band.high, abs=0.15 * (band.high - band.low))
    sign = result.samples["value"] >= 0.6
    assert result.met_probability == sign.mean()


def test_draws_of_the_fits_surface_are_used_where_it_has_them():
    flat = np.zeros((2, 2))
    # Two surfaces, .05 above the formula and as far below, each by itself.
    correction = Correction(
        np.array([-6.0, -30.0]), np.array([6.0, 90.0]), flat, flat + 0.05, flat + 0.05,
        np.zeros(2), flat[None] + 0.05, np.array([[1.0], [-1.0]]),
    )  # fmt: skip
    model = replace(accuracy(), draws=None, correction=correction, ceiling=None)
    still = {"power_dbw": Tolerance("uniform", 0, 0)}
    # A half of 4000 draws: standard error 0.0079; the tolerance is 6.3 of them.
    result = monte_carlo(asked(fit=model), still, draws=4000, seed=3)
    values = np.unique(result.samples["value"].round(9))
    assert np.diff(values) == pytest.approx(0.1)
    assert np.mean(result.samples["value"] > values.mean()) == pytest.approx(0.5, abs=0.05)


def test_the_same_question_draws_the_same_and_another_one_others():
    tolerances = read_tolerances({"power_dbw": 0.5, "other_loss_db": 1.0})
    turned = dict(reversed(tolerances.items()))
    first, second = (monte_carlo(asked(), t, draws=50) for t in (tolerances, turned))
    assert first.seed == second.seed
    assert first.samples[sorted(first.samples)].equals(second.samples[sorted(second.samples)])
    assert monte_carlo(asked(target=0.7), tolerances, draws=50).seed != first.seed
    assert monte_carlo(asked(), tolerances, draws=50, seed=7).seed == 7


def test_the_last_bits_of_a_fit_or_of_a_field_do_not_change_the_draws():
    tolerances = read_tolerances({"power_dbw": 0.5})
    first = monte_carlo(asked(), tolerances, draws=50)
    fit = replace(accuracy(), parameters=np.nextafter(accuracy().parameters, np.inf))
    nudged = link(elevation_deg=float(np.nextafter(link().elevation_deg, 90)))
    assert monte_carlo(asked(fit=fit, link=nudged), tolerances, draws=50).seed == first.seed
    other = link(elevation_deg=link().elevation_deg * (1 + 1e-4))
    assert monte_carlo(asked(link=other), tolerances, draws=50).seed != first.seed


def test_a_draw_beyond_what_is_allowed_rests_at_the_limit():
    tolerances = read_tolerances({"tx_pointing_loss_db": {"normal": 1.0}})
    result = monte_carlo(asked(), tolerances, draws=5000, seed=4)
    assert result.samples["tx_pointing_loss_db"].min() == 0
    # A half of 5000 draws: standard error 0.0071; the tolerance is 5.1 of them.
    assert result.at_limit["tx_pointing_loss_db"] == pytest.approx(0.5, abs=0.036)


def test_a_metric_that_falls_is_met_from_above():
    target = float(distance().predict(cr=1 / 12, snr_db=float(link().budget().snr_db)).value)
    result = monte_carlo(
        asked(fit=distance(), target=target), read_tolerances({"power_dbw": {"normal": 2.0}}),
        seed=5,
    )  # fmt: skip
    # A half of 10,000 draws: standard error 0.005; the tolerance is 6 of them.
    assert result.met_probability == pytest.approx(0.5, abs=0.03)
    met = result.samples["met"]
    assert result.samples["value"][met].max() <= target < result.samples["value"][~met].min()


def test_tolerances_stand_in_a_toml_file(tmp_path):
    path = tmp_path / "link.toml"
    path.write_text("[tolerances]\nrain_loss_db = 0.5\npower_dbw = { normal = 0.3 }\n")
    found = load_tolerances(path)
    assert found["rain_loss_db"] == Tolerance("uniform", -0.5, 0.5)
    assert found["power_dbw"].kind == "normal"
    path.write_text("x = 1\n")
    with pytest.raises(SemlossError, match=r"has no \[tolerances\]"):
        load_tolerances(path)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: read_tolerances({"powr_dbw": 1.0}), "tolerances.powr_dbw: no numeric field"),
        (lambda: read_tolerances({"power_dbw": "x"}), "tolerances.power_dbw = 'x'"),
        (lambda: read_tolerances({"power_dbw": {"normal": [1, 2]}}), "tolerances.power_dbw"),
        (lambda: read_tolerances({"power_dbw": {"gamma": 1.0}}), "{ normal = sd }"),
        (lambda: read_tolerances({"power_dbw": {"uniform": [1, 2]}}), "low <= 0 <= high"),
        (lambda: read_tolerances({"power_dbw": -1.0}), "low <= 0 <= high"),
        (lambda: tornado(asked(), read_tolerances({"t_sys_k": 5.0})), "gives no t_sys_k"),
        (lambda: sweep(asked(), {}), "one or two fields"),
        (lambda: sweep(asked(), {"elevation_deg": [np.nan]}), "finite"),
        (lambda: sweep(asked(), {"elevation_deg": [-3.0]}), "elevation_deg = -3"),
        (lambda: monte_carlo(asked(), {}, draws=0), "draws = 0"),
    ],
)
def test_bad_input_is_refused_in_one_line(make, says):
    with pytest.raises(SemlossError, match=says) as error:
        make()
    assert "\n" not in str(error.value)


def test_a_margin_that_is_kept_counts_in_draws_as_in_every_answer():
    """A link that keeps 2 dB meets its target as often as one with 2 dB less to spare."""
    tolerances = read_tolerances({"power_dbw": {"normal": 1.0}})
    needed = accuracy().min_snr(target=0.6, cr=1 / 12).snr_db - float(link().budget().snr_db)
    power_dbw = link().power_dbw + needed + 2.5

    def share(**changes):
        asked = Defaults(accuracy(), link(**changes), target=0.6)
        return monte_carlo(asked, tolerances, draws=2000, seed=5)

    kept = share(power_dbw=power_dbw, margin_db=2.0)
    weaker = share(power_dbw=power_dbw - 2.0)
    assert kept.met_probability == pytest.approx(weaker.met_probability, abs=1e-9)
    assert 0.5 < kept.met_probability < 0.9
    assert share(power_dbw=power_dbw).met_probability > 0.95
    assert "2 dB of margin kept" in kept.head
    # as the study of one point says it
    point = evaluate({"power_dbw": np.array([power_dbw])},
                     Defaults(accuracy(), link(margin_db=2.0), target=0.6))  # fmt: skip
    assert point["met"].all()
    assert not share(power_dbw=power_dbw - 9, margin_db=2.0).met_probability
