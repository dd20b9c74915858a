"""The semantic adaptive coding table: it holds the target and delivers the most images."""

import functools
import itertools
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_case import IMAGES_PER_S, accuracy, distance, link

from semloss.errors import SemlossError, TargetNotAttainable
from semloss.planning.budget.metric import round_crs
from semloss.planning.passes.adaptive import coding_table, follow
from semloss.planning.passes.orbit import circular_pass
from semloss.planning.passes.simulation import accumulated, simulate_pass
from semloss.planning.propagation.fading import Rician
from semloss.reports.what_if.passes import pass_plot, table_plot

CRS = ("1/40", "1/24", "1/16", "1/12", "1/8", "1/4")
TARGET = 0.5


@functools.cache
def a_table(**options):
    return coding_table(link(), accuracy(), **({"target": TARGET, "crs": CRS} | options))


def metric(cr, snr_db):
    return accuracy().predict(cr=cr, snr_db=snr_db, interval=None).value


snrs = st.lists(st.floats(-15, 15), min_size=2, max_size=60).map(np.array)
hysteresis = st.sampled_from([0.0, 0.5, 3.0])


# ---------------------------------------------------------------- the table


def test_smaller_crs_send_more_images_and_need_more_snr():
    rows = a_table().rows[1:]
    assert [row.label for row in rows] == ["1/4", "1/8", "1/12", "1/16", "1/24", "1/40"]
    assert np.all(np.diff([row.down_db for row in rows]) > 0)
    for row in rows:
        assert row.images_per_s == pytest.approx(IMAGES_PER_S / 3 / row.cr)
        assert row.snr_db_low <= row.required_snr_db
        assert row.snr_db_high is None or row.required_snr_db <= row.snr_db_high
        assert row.in_domain
        assert row.up_db == pytest.approx(row.down_db + 0.5)


@pytest.mark.parametrize(("model", "sign", "target"), [(accuracy, 1, 0.5), (distance, -1, 0.5)])
def test_a_threshold_just_meets_the_target(model, sign, target):
    for row in coding_table(link(), model(), target=target, crs=CRS).rows[1:]:
        at, below = (
            model().predict(cr=row.cr, snr_db=np.array([row.down_db, row.down_db - 0.1])).value
        )
        assert sign * (at - target) >= -1e-9
        assert row.at_edge or sign * (below - target) < 0


@given(snr_db=snrs)
@settings(max_examples=25, deadline=None)
def test_the_choice_is_the_smallest_cr_that_meets_the_target(snr_db):
    table = a_table()
    low, high = accuracy().snr_db_range
    snr_db = np.clip(snr_db, low, high)
    for snr, i in zip(snr_db, table.choose(snr_db), strict=True):
        meeting = [row.cr for row in table.rows[1:] if metric(row.cr, snr) >= TARGET]
        assert table.rows[i].cr == (min(meeting) if meeting else None)


def test_confidence_and_margin_raise_the_thresholds():
    plain, sure, careful = a_table(), a_table(confidence=0.95), a_table(margin_db=2.0)
    for row, other in zip(plain.rows[1:], sure.rows[1:], strict=False):
        assert other.cr == row.cr
        assert other.at_edge or other.down_db > row.down_db
    for row, other in zip(plain.rows[1:], careful.rows[1:], strict=True):
        assert other.down_db == pytest.approx(row.down_db + 2)
    fade = Rician(10.0).margin_db(95)
    assert 0 < fade == pytest.approx(a_table(margin_db=fade).margin_db)


def test_a_cr_that_cannot_meet_the_target_or_brings_nothing_is_left_out_with_its_reason():
    table = a_table(target=0.7)
    assert [row.label for row in table.rows][-1] == "1/24"
    assert any("CR 1/40" in why and "not attainable" in why for why in table.left_out)
    easy = a_table(target=0.23)
    assert [row.label for row in easy.rows] == ["off", "1/24", "1/40"]
    assert easy.rows[1].at_edge
    assert sum("sends more images and needs no more SNR" in why for why in easy.left_out) == 4


def test_when_no_cr_meets_the_target_the_answer_says_so():
    with pytest.raises(TargetNotAttainable, match="at CR 1/4"):
        a_table(target=0.99)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"crs": ()}, "at least one candidate"),
        ({"crs": ("2",)}, "CR is k/n"),
        ({"hysteresis_db": -1}, "hysteresis_db = -1"),
        ({"margin_db": -1}, "margin_db = -1"),
    ],
)
def test_bad_options_are_told(options, told):
    with pytest.raises(SemlossError, match=told):
        a_table(**options)


def test_default_candidates_are_round_and_within_the_fit():
    low, high = accuracy().cr_range
    crs = round_crs(accuracy())
    assert crs[0] == low
    assert crs[-1] == high
    assert {1 / 32, 1 / 12, 1 / 6} < set(crs)


def test_the_frame_and_the_records_are_plain():
    table = a_table()
    assert [row["row"] for row in table.records()] == [row.label for row in table.rows]
    assert json.loads(json.dumps(table.records(), allow_nan=False))[0]["down_db"] is None


# ---------------------------------------------------------------- the schedule


@given(snr_db=snrs, hysteresis_db=hysteresis, margin_db=st.sampled_from([0.0, 1.7]))
@settings(max_examples=80, deadline=None)
def test_the_target_holds_whenever_it_transmits_and_no_choice_delivers_more_than_the_ideal(
    snr_db, hysteresis_db, margin_db
):
    table = a_table(hysteresis_db=hysteresis_db, margin_db=margin_db)
    run = follow(table, np.arange(len(snr_db), dtype=float), snr_db)
    on = run.row > 0
    assert np.all(run.value[on] >= TARGET - 1e-9)
    assert np.all(np.isnan(run.value[~on]))
    assert run.ideal_images >= run.images_delivered * (1 - 1e-12)
    assert run.ideal_images >= run.best_fixed_images * (1 - 1e-12)


@given(snr_db=snrs, hysteresis_db=hysteresis)
@settings(max_examples=60, deadline=None)
def test_rows_switch_as_schmitt_triggers_do(snr_db, hysteresis_db):
    table = a_table(hysteresis_db=hysteresis_db)
    run = follow(table, np.arange(len(snr_db), dtype=float), snr_db)
    active = [snr_db[0] >= row.down_db for row in table.rows[1:]]
    for k, snr in enumerate(snr_db):
        for i, row in enumerate(table.rows[1:]):
            active[i] = snr >= row.up_db or (active[i] and snr >= row.down_db)
        highest = max((i + 1 for i, is_active in enumerate(active) if is_active), default=0)
        assert run.row[k] == highest


@given(snr_db=st.lists(st.floats(-8, 12), min_size=3, max_size=4).map(np.array))
@settings(max_examples=25, deadline=None)
def test_without_hysteresis_no_sequence_of_crs_that_holds_the_target_delivers_more(snr_db):
    table = a_table(crs=("1/40", "1/16", "1/4"), hysteresis_db=0.0)
    times = np.arange(len(snr_db), dtype=float)
    best = 0.0
    for choice in itertools.product([None, *(row for row in table.rows[1:])], repeat=len(snr_db)):
        met = all(
            row is None or metric(row.cr, s) >= TARGET
            for row, s in zip(choice, snr_db, strict=True)
        )
        if met:
            rate = np.array([row.images_per_s if row else 0.0 for row in choice])
            best = max(best, float(accumulated(times, rate)[-1]))
    run = follow(table, times, snr_db)
    assert run.images_delivered == pytest.approx(best)
    assert run.ideal_images == pytest.approx(best)


def test_hysteresis_saves_switches_on_a_trembling_snr():
    rng = np.random.default_rng(3)
    snr_db = np.linspace(-8, 8, 400) + rng.normal(scale=0.1, size=400)
    times = np.arange(400.0)
    plain = follow(a_table(hysteresis_db=0.0), times, snr_db)
    calm = follow(a_table(), times, snr_db)
    assert calm.switches == 6 < plain.switches
    assert calm.images_delivered < plain.images_delivered == plain.ideal_images


def test_over_a_pass_the_rows_climb_and_fall_and_their_images_add_up():
    flown = simulate_pass(link(), accuracy(), circular_pass(500, 80, 5))
    run = follow(a_table(), flown.pass_.time_s, flown.snr_db)
    told = run.to_dict()
    labels = [part["row"] for part in told["segments"]]
    assert labels == ["off", "1/4", "1/8", "1/12", "1/16", "1/24", "1/40", "1/24", "1/16", "1/12",
                      "1/8", "1/4", "off"]  # fmt: skip
    assert sum(part["images"] for part in told["segments"]) == pytest.approx(run.images_delivered)
    assert told["switches"] == 12
    assert told["gain_over_fixed"] > 1.1
    json.dumps(told, allow_nan=False)


def test_times_that_do_not_rise_are_refused():
    with pytest.raises(SemlossError, match="rising times"):
        follow(a_table(), np.zeros(3), np.zeros(3))


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize("adaptive", [False, True])
def test_a_pass_is_drawn_with_its_table_beside_it(tmp_path, adaptive):
    options = {} if adaptive else {"target": 0.6, "fading": Rician(10.0)}
    flown = simulate_pass(link(), accuracy(), circular_pass(500, 80, 5, 10), **options)
    run = follow(a_table(), flown.pass_.time_s, flown.snr_db) if adaptive else None
    pass_plot(flown, tmp_path / "pass.png", run)
    assert (tmp_path / "pass.png").stat().st_size > 20_000
    table = pd.read_csv(tmp_path / "pass.csv")
    np.testing.assert_allclose(table.snr_db, flown.snr_db)
    assert ("adaptive_row" in table) == adaptive


def test_the_coding_table_is_drawn_with_its_table_beside_it(tmp_path):
    table = a_table(confidence=0.9)
    table_plot(table, tmp_path / "table.svg")
    assert (tmp_path / "table.svg").stat().st_size > 10_000
    assert list(pd.read_csv(tmp_path / "table.csv").row) == [row.label for row in table.rows]


def test_an_answer_says_for_which_fading_it_keeps_its_margin():
    from semloss.planning.budget.question import Question
    from semloss.planning.passes.delivery import adaptive
    from semloss.planning.propagation.fading import Rician

    fading = Rician(10.0)
    told = adaptive(Question(accuracy(), link(margin_db=1.0), 0.6), fading=fading, hold_percent=90)
    assert told.assumed["fading"] == "rician:10, held in 90 % of it"
    kept = 1.0 + fading.margin_db(90)
    assert told.assumed["margin"] == f"{kept:.4g} dB kept"
    assert told.to_dict()["margin_db"] == pytest.approx(kept)
