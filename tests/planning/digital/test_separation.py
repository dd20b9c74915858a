"""DeepJSCC against separation: cliffs, staircases, who wins where, and what is not known."""

from dataclasses import replace

import numpy as np
import pytest
from planning_case import accuracy, distance

from semloss.errors import SemlossError
from semloss.modcods import efficiency, modcod
from semloss.planning.budget.inverse import cr_for, snr_for, values
from semloss.planning.digital.equal_target import race
from semloss.planning.digital.rate_curve import RateCurve, equivalent_cr
from semloss.planning.digital.separation import compare

SNRS = np.arange(-8.0, 12.5, 0.5)
CRS = np.array([1 / 40, 1 / 12, 1 / 4])
BANDS = 3
RATES = np.array([0.01, 0.03, 0.1, 0.3, 0.6, 1.2, 3.2])


def curve(**changes):
    given = {
        "bits_per_pixel": RATES,
        "value": [0.2, 0.35, 0.55, 0.75, 0.83, 0.87, 0.89],
        "metric": "accuracy",
        "receiver": "clean",
    }
    return RateCurve(**{**given, **changes})


def compared(model=None, made=None, **options):
    given = {"snr_db": SNRS, "cr": CRS, "bands": BANDS} | options
    return compare(model or accuracy(), made or curve(), **given)


def test_at_equal_cr_the_codec_gets_the_bits_that_the_symbols_carry():
    result = compared()
    j = int(np.argmin(np.abs(SNRS - 1.0)))
    assert result.vcm_modcod[j] == "QPSK 1/2"
    assert result.bits_per_pixel[1, j] == pytest.approx(0.988858 * 3 / 12)
    assert equivalent_cr(result.bits_per_pixel[1, j], 0.988858, BANDS) == pytest.approx(1 / 12)
    assert result.bits_per_sample[1, j] == pytest.approx(0.988858 / 12)
    assert result.vcm[1, j] == pytest.approx(curve().at(0.988858 * 3 / 12))


def test_vcm_is_a_staircase_and_the_fixed_modcod_a_cliff():
    result = compared(fixed=modcod("QPSK 3/4"))
    for row in result.vcm:
        assert np.all(np.diff(row) >= 0)
        assert len(set(row)) < len(row) / 1.5
    row, closes = result.fixed[1], np.array([snr_db >= 4.03 for snr_db in SNRS])
    assert np.all(row[~closes] == accuracy().floor)
    assert len(set(row[closes])) == 1
    assert row[-1] > 0.5
    assert np.all(result.vcm >= result.fixed - 1e-12)


def test_where_nothing_arrives_the_metric_is_at_the_floor_or_unknown_and_deepjscc_wins():
    below = SNRS < -2.35
    result = compared()
    assert np.all(result.vcm[:, below] == 0.1)
    assert np.all(result.winner[:, below] == "deepjscc")
    unknown = compared(replace(accuracy(), floor=None))
    assert np.all(np.isnan(unknown.vcm[:, below]))
    assert np.all(unknown.winner[:, below] == "deepjscc")


def test_below_the_lowest_measured_rate_no_winner_is_named():
    short = curve(bits_per_pixel=RATES * 30)
    result = compared(made=short)
    low = (result.bits_per_pixel < 0.3) & (result.bits_per_pixel > 0)
    assert low.any()
    assert np.all(result.winner[low] == "unknown")
    assert np.all(np.isnan(result.vcm[low]))
    known = compared(made=replace(short, lowest_is_minimum=True))
    assert np.all(known.winner[low] == "deepjscc")
    assert np.all(known.vcm[low] == 0.1)


def test_crossings_are_where_the_winner_changes():
    result = compared()
    assert {c.winner for c in result.crossings} == {"deepjscc", "digital"}
    model = accuracy()
    for crossing in result.crossings:
        ahead = {}
        for side, snr_db in (("before", crossing.snr_db - 1e-6), ("after", crossing.snr_db + 1e-6)):
            digital = curve().at(efficiency(snr_db) * crossing.cr * BANDS)
            ours = values(model, crossing.cr, snr_db)
            ahead[side] = "digital" if ours < digital else "deepjscc"
        assert ahead["after"] == crossing.winner != ahead["before"]


def test_between_crossings_the_grid_agrees_with_them():
    result = compared()
    for i, cr in enumerate(CRS):
        winner = result.winner[i, 0]
        turns = [c for c in result.crossings if c.cr == cr]
        for j, snr_db in enumerate(SNRS):
            for turn in turns:
                if turn.snr_db <= snr_db:
                    winner = turn.winner
            assert result.winner[i, j] == winner


def test_the_crossover_is_the_snr_from_which_digital_stays_ahead():
    crossover = compared().crossover_db()
    result = compared()
    for i in range(len(CRS)):
        if np.isnan(crossover[i]):
            assert result.winner[i, -1] == "deepjscc"
        else:
            assert np.all(result.winner[i, crossover[i] <= SNRS] == "digital")
    assert np.isfinite(crossover).any()


def test_the_gain_in_db_put_back_gives_the_same_metric():
    result = compared()
    finite = np.isfinite(result.gain_db) & (result.deepjscc > 0.21)
    assert finite.sum() > 20
    for i, j in np.argwhere(finite)[::7]:
        there = SNRS[j] + result.gain_db[i, j] + 1e-9  # not to fall below by round-off
        reached = curve().at(efficiency(there) * CRS[i] * BANDS)
        assert reached >= result.deepjscc[i, j] - 1e-9
        less = curve().at(efficiency(there - 0.001) * CRS[i] * BANDS)
        assert not less >= result.deepjscc[i, j]


def test_a_margin_moves_every_threshold():
    plain, kept = compared(), compared(snr_db=SNRS + 1.5, margin_db=1.5)
    assert np.array_equal(plain.vcm, kept.vcm, equal_nan=True)


def test_a_metric_that_falls_is_compared_the_right_way_round():
    made = RateCurve(RATES, 1 - curve().value, "lpips", "none", "lower")
    mirrored = compared(distance(), made)
    plain = compared()
    same = np.abs(plain.gain) > 0.02  # the fits differ by their noise
    assert np.array_equal(mirrored.winner[same], plain.winner[same])
    assert np.nanmax(np.abs(mirrored.gain - plain.gain)[same]) < 0.03


def test_without_a_measured_curve_no_winner_is_invented():
    result = compare(accuracy(), None, snr_db=SNRS, cr=CRS, bands=BANDS)
    assert np.all(result.winner == "unknown")
    assert np.all(np.isnan(result.vcm))
    assert not result.crossings
    assert "no measured digital" in result.text()
    assert np.all(result.bits_per_symbol < result.shannon_bits_per_symbol)
    ahead = compare(accuracy(), None, snr_db=SNRS, cr=CRS, bands=BANDS, margin_db=-7.0,
                    ahead_db=7.0)  # fmt: skip
    assert np.all(ahead.bits_per_symbol >= result.bits_per_symbol)
    assert np.all(ahead.bits_per_symbol < ahead.shannon_bits_per_symbol)
    run = race(accuracy(), None, target=0.6, snr_db=SNRS, bands=BANDS, symbols_per_s=50e6,
               samples_per_image=12288)  # fmt: skip
    assert np.all(np.isnan(run.ratio))
    assert run.images_per_s_deepjscc.max() > 0
    assert run.note


def test_a_race_at_equal_target_counts_images():
    run = race(accuracy(), curve(), target=0.6, snr_db=SNRS, bands=BANDS, symbols_per_s=50e6,
               samples_per_image=12288)  # fmt: skip
    both = np.isfinite(run.ratio) & (run.ratio > 0)
    assert both.any()
    ours = 50e6 / 12288 / run.cr_deepjscc[both]
    assert run.images_per_s_deepjscc[both] == pytest.approx(ours)
    assert run.ratio[both] == pytest.approx(
        run.images_per_s_deepjscc[both] / run.images_per_s_digital[both]
    )
    rate = curve().rate_for(0.6)
    assert run.cr_digital[both] == pytest.approx(rate / (efficiency(SNRS[both]) * BANDS))
    only_ours = np.isfinite(run.cr_deepjscc) & (SNRS < -2.35)
    assert np.all(np.isinf(run.ratio[only_ours]))
    assert np.all(run.images_per_s_digital[only_ours] == 0)


def test_rows_hold_plain_values_for_every_point():
    rows = compared().rows()
    assert len(rows) == len(SNRS) * len(CRS)
    assert {type(value) for value in rows[0].values()} <= {float, str, bool}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"made": curve(metric="ssim")}, "the fit has metric accuracy but the digital curve ssim"),
        ({"made": curve(receiver="none")}, "receiver clean but the digital curve none"),
        ({"snr_db": [np.nan]}, "snr_db: give one or more finite"),
        ({"cr": []}, "cr: give one or more"),
        ({"cr": [2.0]}, "CR"),
        ({"bands": 0}, "bands = 0"),
    ],
)
def test_what_cannot_be_compared_is_refused(options, says):
    with pytest.raises(SemlossError, match=says):
        compared(**options)


def test_inverses_agree_with_the_surface_asked_point_by_point():
    model = accuracy()
    targets = np.linspace(0.2, 0.85, 27)
    for target, snr_db in zip(targets, snr_for(model, targets, 1 / 12), strict=True):
        if np.isfinite(snr_db):
            needed = model.min_snr(target=float(target), cr=1 / 12, interval=None).snr_db
            assert snr_db == pytest.approx(needed, abs=1e-6)
        else:
            assert values(model, 1 / 12, 12.0) < target
    for target, cr in zip(targets, cr_for(model, targets, 4.0), strict=True):
        if np.isfinite(cr):
            needed = model.min_cr(target=float(target), snr_db=4.0, interval=None).cr
            assert cr == pytest.approx(needed, rel=1e-6)
    assert np.isfinite(snr_for(distance(), 0.3, 1 / 8))
