"""Several surfaces at once: shared shape, and a new one from a handful of cells."""

import json
from dataclasses import replace

import numpy as np
import pytest
from known_surface import truth
from surface_truth import simulated

from semloss.errors import SemlossError
from semloss.surfaces.fitting import pooling
from semloss.surfaces.fitting.fit_surface import fit_surface
from semloss.surfaces.fitting.form_fit import fit_form
from semloss.surfaces.fitting.pooling.common_shape import (
    carries,
    common_form,
    common_shape,
    needed,
)
from semloss.surfaces.fitting.uncertainty import bootstrap
from semloss.surfaces.forms import FORMS

CAPPED = FORMS["capped"]


def task(number, n=700, **about):
    """Surface of one of many tasks: like the others in shape, with levels of its own."""
    rng = np.random.default_rng([number, 5])
    p = truth("capped") * np.exp(0.08 * rng.standard_normal(8))
    p[:2] = 0.1, rng.uniform(0.7, 0.95)
    points = simulated("capped", n=n, seed=number, parameters=p, **about)
    return points, p


@pytest.fixture(scope="module")
def shared():
    return pooling.learn([task(i)[0] for i in range(6)], "capped")


def error(fit, p, points):
    there = points.cr, points.snr_db
    return np.sqrt(np.mean((CAPPED(*there, fit.parameters) - CAPPED(*there, p)) ** 2))


def test_what_tasks_share_is_learnt_with_its_spread(shared):
    names = [parameter.name for parameter in CAPPED.parameters]
    i = names.index("slope_per_db")
    assert np.exp(shared.mean[i]) == pytest.approx(0.3, rel=0.15)
    assert 0.02 < shared.sd[i] < 0.4


def test_a_new_task_of_six_cells_is_known_far_better_than_on_its_own(shared):
    # Six cells of seven unknowns are no surface of their own at all.
    pooled, alone = [], []
    for number in range(20, 28):
        points, p = task(number)
        few = np.random.default_rng(number).choice(66, 6, replace=False)
        some = points.subset(few)
        pooled.append(error(fit_form(CAPPED, some, prior=shared.prior, starts=30), p, points))
        hill = fit_form(FORMS["additive"], some, starts=30)
        value = hill.form(points.cr, points.snr_db, hill.parameters)
        exact = CAPPED(points.cr, points.snr_db, p)
        alone.append(np.sqrt(np.mean((value - exact) ** 2)))
    assert np.median(pooled) < 0.03
    assert np.median(pooled) < 0.5 * np.median(alone)


@pytest.mark.parametrize("noise", ["reported", "none"])
def test_cells_that_a_prior_meets_exactly_do_not_look_noiseless(shared, noise):
    exact, _ = task(30, n=10**9)
    told = np.full(66, 0.02 if noise == "reported" else 0.0)
    about = {"metric": "quality", "noise": noise, "se": told, "n": np.full(66, np.nan)}
    points = replace(exact, **about)
    for seed in range(3):
        few = np.random.default_rng(seed).choice(66, 6, replace=False)
        some = points.subset(few)
        fit = fit_form(CAPPED, some, prior=shared.prior, starts=30)
        assert fit.rmse < 0.005
        assert np.all(fit.scatter.sd > 0.009 * np.ptp(some.value))
        assert np.all(fit.scatter.sd >= told[few])
        band = fit_surface(some, "capped", prior=shared.prior, starts=30, bootstraps=0).predict(
            cr=points.cr, snr_db=points.snr_db, band="these-images"
        )
        assert np.mean((band.low <= exact.value) & (exact.value <= band.high)) > 0.9


def test_a_task_of_many_cells_keeps_its_own_shape(shared):
    _, p = task(40)
    p = p * np.array([1, 1, 0.8, 1.4, 1, 1.6, 1, 1])  # unlike the others
    odd = simulated("capped", n=20_000, parameters=p)
    fit = fit_form(CAPPED, odd, prior=shared.prior)
    assert error(fit, p, odd) < 0.01


def test_groups_are_fitted_with_one_form_and_say_so():
    groups = [task(i)[0] for i in range(3)]
    surfaces, shared = pooling.fit_joint(groups, "capped", bootstraps=0)
    assert {surface.form for surface in surfaces} == {"capped"}
    assert len(shared.groups) == 3


def test_auto_takes_the_form_that_serves_all_groups():
    surfaces, shared = pooling.fit_joint([task(i, n=20_000)[0] for i in range(3)], bootstraps=0)
    assert shared.form in ("capped", "capacity_capped", "unified", "capacity_unified", "pair")
    assert all(100 * s.quality["rmse"] / s.quality["range"] < 1 for s in surfaces)


def test_a_group_of_few_cells_does_not_bar_the_forms_that_the_others_need():
    groups = [task(i, n=20_000)[0] for i in range(2)]
    sparse = task(2, n=20_000)[0].subset(np.arange(0, 66, 9))
    _, shared = pooling.fit_joint([*groups, sparse], bootstraps=0)
    assert len(FORMS[shared.form].parameters) >= len(CAPPED.parameters)


def test_draws_under_a_prior_know_that_the_prior_is_uncertain(shared):
    fit = fit_form(CAPPED, task(50)[0].subset(np.arange(0, 66, 11)), prior=shared.prior)
    sd = np.sqrt(np.diag(fit.covariance()[0]))[2:]
    spread = bootstrap(fit, 200, seed=0).std(axis=0)[2:]
    assert np.all(spread > 0.5 * sd)


def test_the_prior_survives_its_file(shared, tmp_path):
    pooling.save(shared, tmp_path / "shared.json")
    loaded = pooling.load(tmp_path / "shared.json")
    np.testing.assert_array_equal(loaded.mean, shared.mean)
    np.testing.assert_array_equal(loaded.sd, shared.sd)
    assert loaded.groups == shared.groups


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"schema": "semloss-prior", "version": 2}', "\x00", "9" * 5000]
)
def test_what_is_no_prior_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "shared.json").write_text(content)
    with pytest.raises(SemlossError, match="no prior of this semloss") as caught:
        pooling.load(tmp_path / "shared.json")
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def halves():
    """Four sharply measured groups that differ in the SNR of half gain alone: 0, 1, 2 and 5 dB."""
    return [
        simulated("logistic_snr", n=10**9, parameters=[0.1, 0.9, half, 0.3], group={"codec": name})
        for name, half in (("a", 0.0), ("b", 1.0), ("c", 2.0), ("d", 5.0))
    ]


def test_sharp_groups_share_their_mean_and_scatter_about_it_as_a_fifth_would(halves):
    learnt = pooling.learn(halves, "logistic_snr")
    assert learnt.mean == pytest.approx([2.0, np.log(0.3)], abs=1e-3)
    # sd of 0, 1, 2, 5 with n - 1: 2.1602; a fifth scatters about a mean that is itself uncertain
    # and three degrees of freedom tell the spread: t at 97.5 % is 3.1824, the normal 1.9600
    # (the least and the most spread that are thought of take one part in a hundred off)
    assert learnt.sd[0] == pytest.approx(2.1602 * np.sqrt(5 / 4) * 3.1824 / 1.96, rel=0.02)
    assert 0.05 < learnt.sd[1] < 0.1  # near the least that is thought of: all slopes are one
    assert learnt.groups == ("a", "b", "c", "d")


def test_spread_that_noise_explains_is_no_spread_between_groups():
    parameters = [0.1, 0.9, 0.0, 0.3]
    groups = [simulated("logistic_snr", n=40, seed=s, parameters=parameters) for s in range(6)]
    alone = [fit_form(FORMS["logistic_snr"], points, starts=20).parameters[2] for points in groups]
    learnt = pooling.learn(groups, "logistic_snr")
    # taken for spread, with five degrees of freedom (t at 97.5 % is 2.5706), it would be
    taken = np.std(alone, ddof=1) * np.sqrt(7 / 6) * 2.5706 / 1.96
    assert taken > 0.3
    assert learnt.sd[0] < 0.7 * taken
    assert learnt.mean[0] == pytest.approx(np.mean(alone), abs=0.1)
    assert learnt.groups == ("accuracy (clean)",) * 6


def test_the_file_of_a_prior_says_in_words_what_it_holds(halves, tmp_path):
    pooling.save(pooling.learn(halves, "logistic_snr"), tmp_path / "shared.json")
    told = json.loads((tmp_path / "shared.json").read_text())
    assert (told["schema"], told["version"], told["form"]) == ("semloss-prior", 1, "logistic_snr")
    assert list(told["mean"]) == list(told["sd"]) == ["snr_half_db", "slope_per_db"]
    assert told["mean"]["snr_half_db"] == pytest.approx(2.0, abs=1e-3)
    assert told["logarithmic"] == ["slope_per_db"]
    assert (told["groups"], told["provenance"]) == (["a", "b", "c", "d"], {})


@pytest.mark.parametrize(
    ("key", "value"),
    [("version", 2), ("schema", "semloss"), ("form", "spline"), ("mean", {"snr_half_db": 1.0}),
     ("sd", {"snr_half_db": 0.0, "slope_per_db": 1.0}), ("groups", None),
     ("sd", {"snr_half_db": float("inf"), "slope_per_db": 1.0}),
     ("mean", {"snr_half_db": float("nan"), "slope_per_db": 1.0})],
)  # fmt: skip
def test_a_prior_with_a_value_that_cannot_be_is_none(halves, tmp_path, key, value):
    path = tmp_path / "shared.json"
    pooling.save(pooling.learn(halves, "logistic_snr"), path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(SemlossError, match="no prior of this semloss; make it with semloss fit"):
        pooling.load(path)


def test_a_missing_prior_is_one_line(tmp_path):
    with pytest.raises(SemlossError, match=r"cannot read .*none\.json: No such file"):
        pooling.load(tmp_path / "none.json")


def test_a_joint_fit_of_an_unknown_form_names_those_that_there_are(halves):
    with pytest.raises(SemlossError, match="--form spline: no such form; there are auto, constant"):
        pooling.fit_joint(halves, "spline")


# ---------------------------------------------------------------- one shape for all


def test_one_shape_and_the_levels_of_each_group_are_what_points_must_carry():
    form = FORMS["additive"]  # three parameters of shape
    known = simulated("additive")  # chance is known: the ceiling alone is its own
    free = simulated("additive", floor=None)
    assert needed([known, known], form) == 3 + 2
    assert needed([known, free, free], form) == 3 + 1 + 2 + 2
    some = [known.subset(np.arange(3)), known.subset(np.arange(2))]
    assert not carries(some, form)
    assert carries([*some[:1], some[0]], form)


def test_groups_of_one_shape_and_other_levels_give_that_shape_back():
    shape = truth("additive")[2:]
    groups = [
        simulated("additive", parameters=[low, high, *shape], metric="quality", floor=None)
        for low, high in ((0.0, 1.0), (0.2, 0.5), (-3.0, 9.0))
    ]
    few = [points.subset(np.arange(i, 66, 2 + i)) for i, points in enumerate(groups)]
    found = common_shape(few, FORMS["additive"])
    assert found == pytest.approx([shape[0], np.log(shape[1]), shape[2]], abs=1e-3)


@pytest.mark.parametrize("spread_db", [0.0, 6.0])
def test_groups_of_three_points_tell_together_how_far_they_differ(spread_db):
    rng = np.random.default_rng(3)
    halves = spread_db * np.linspace(-1.0, 1.0, 9)
    groups = [
        simulated("logistic_snr", n=20_000, seed=i, parameters=[0.1, 0.9, half, 0.3])
        .subset(rng.choice(66, 3, replace=False))
        for i, half in enumerate(halves)
    ]  # fmt: skip
    learnt = pooling.learn(groups, "logistic_snr")  # three unknowns each: none stands alone
    assert len(learnt.groups) == 9
    assert np.exp(learnt.mean[1]) == pytest.approx(0.3, rel=0.3)
    if spread_db:
        assert 0.4 * np.std(halves) < learnt.sd[0] < 2.5 * np.std(halves)
    else:
        assert learnt.sd[0] < 1.0  # the least share that is tried of how far shapes may differ
        assert learnt.mean[0] == pytest.approx(0.0, abs=0.3)


def test_the_simplest_form_that_predicts_as_well_is_the_common_one():
    groups = []
    for seed in range(2):
        p = [0.1, 0.7 + 0.1 * seed, -3.0, 0.3]
        whole = simulated("logistic_snr", n=20_000, parameters=p, seed=seed)
        chosen = np.random.default_rng(seed).choice(66, 4, replace=False)
        groups.append(whole.subset(chosen))
    assert common_form(groups) == "logistic_snr"
    assert common_form([points.subset(np.arange(1)) for points in groups]) == "constant"


def test_one_group_or_groups_too_small_share_nothing():
    with pytest.raises(SemlossError, match="only one"):
        pooling.fit_joint([task(0)[0]], "capped")
    few = [task(i)[0].subset(np.arange(4)) for i in range(2)]
    with pytest.raises(SemlossError, match="to 2 groups needs more than 8 points, and there are 8"):
        pooling.learn(few, "capped")


def test_nine_groups_of_six_points_carry_together_the_form_that_none_carries_alone():
    groups, truths = [], []
    for number in range(9):
        points, p = task(number, n=20_000)
        chosen = np.random.default_rng([number, 1]).choice(66, 6, replace=False)
        groups.append(points.subset(chosen))
        truths.append((points, p))
    assert not any(len(CAPPED.parameters) + 2 <= len(points.value) for points in groups)
    surfaces, shared = pooling.fit_joint(groups, bootstraps=0)
    assert len(FORMS[shared.form].parameters) >= 4
    assert len(shared.groups) == 9
    away = []
    for surface, (whole, p) in zip(surfaces, truths, strict=True):
        value = surface.predict(cr=whole.cr, snr_db=whole.snr_db, interval=None).value
        away.append(np.sqrt(np.mean((value - CAPPED(whole.cr, whole.snr_db, p)) ** 2)))
    assert np.median(away) < 0.04  # of a range of 0.75, at cells of which six of 66 were seen
    assert pooling.fit_joint(groups, "capped", bootstraps=0)[1].form == "capped"
