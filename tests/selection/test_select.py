"""Choosing points: one surface or several, their noise, and no nonsense among them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_rows import csv, grid_rows, metric_row

from semloss.errors import SemlossError
from semloss.selection import Points, select, select_groups
from semloss.selection.measurement_noise import spread_between_seeds
from semloss.tables import load_table, write_tables


def table_of(tmp_path, rows):
    write_tables(rows, [], tmp_path)
    return load_table(tmp_path)


def select_from(tmp_path, rows, *args, **kwargs):
    return select(table_of(tmp_path, rows), *args, **kwargs)


def test_accuracy_of_the_clean_task_is_the_default_choice(tmp_path):
    rows = (
        grid_rows() + grid_rows(receiver="matched") + grid_rows(metric="psnr_db", receiver="none")
    )
    points = select_from(tmp_path, rows)
    assert (points.metric, points.receiver, points.direction) == ("accuracy", "clean", "higher")
    assert (points.floor, points.ceiling) == (0.1, 0.9)
    assert len(points.value) == 9


def test_an_image_metric_needs_no_task(tmp_path):
    rows = grid_rows() + grid_rows(metric="psnr_db", receiver="none")
    assert select_from(tmp_path, rows, "psnr_db").receiver == "none"
    assert select_from(tmp_path, rows, "psnr_db", "clean").receiver == "none"


def test_several_task_models_must_be_chosen_from(tmp_path):
    rows = grid_rows(task="resnet8") + grid_rows(task="segment", metric="accuracy")
    with pytest.raises(SemlossError, match=r"values of task \(resnet8, segment\).*--task"):
        select_from(tmp_path, rows)
    assert select_from(tmp_path, rows, task="segment").task == "segment"


@pytest.mark.parametrize(
    ("models", "told"), [(["resnet8"], "resnet8"), (["resnet8", "vgg"], "vgg-width64")]
)
def test_of_several_task_models_a_surface_names_the_one_that_answered(tmp_path, models, told):
    table = table_of(tmp_path, grid_rows(task="vgg-width64"))
    table.attrs["about"] = {"task_model": ", ".join(models)}
    assert select(table).provenance["task_model"] == told


@pytest.mark.parametrize(
    ("metric", "more", "says"),
    [
        ("ssim", {}, "no metric 'ssim'.*accuracy, psnr_db"),
        (None, {"receiver": "sorting"}, "no receiver 'sorting'.*clean"),
        (None, {"where": {"channel": "rayleigh"}}, "no channel 'rayleigh'.*awgn"),
        (None, {"where": {"colour": "red"}}, "the table has cell, source"),
    ],
)
def test_a_choice_that_matches_nothing_lists_what_there_is(tmp_path, metric, more, says):
    rows = grid_rows() + grid_rows(metric="psnr_db", receiver="none")
    with pytest.raises(SemlossError, match=says):
        select_from(tmp_path, rows, metric, **more)


def test_several_metrics_without_accuracy_must_be_chosen_from(tmp_path):
    rows = grid_rows(metric="ssim") + grid_rows(metric="psnr_db")
    says = "choose --metric from psnr_db, ssim, or fit each with --group-by metric"
    with pytest.raises(SemlossError, match=says):
        select_from(tmp_path, rows)


@pytest.mark.parametrize("column", ["source", "codec", "channel"])
def test_surfaces_of_different_links_are_never_mixed(tmp_path, column):
    rows = grid_rows() + grid_rows(**{column: "other"})
    says = rf"several values of {column}.*--where {column}=….*--group-by {column}"
    with pytest.raises(SemlossError, match=says):
        select_from(tmp_path, rows)
    assert len(select_from(tmp_path, rows, where={column: "other"}).value) == 9


def test_mismatched_snr_rows_enter_only_when_asked(tmp_path):
    rows = [*grid_rows(), metric_row(snr_db=7.0, train_snr_db=0.0)]
    assert len(select_from(tmp_path, rows).value) == 9
    assert len(select_from(tmp_path, rows, mismatch=True).value) == 10


@pytest.mark.parametrize(
    ("metric", "more", "says"),
    [
        ("accuracy", {"value": 87.0}, r"accuracy = 87 .*\[0, 1\].*not percentages.*COLUMN/100"),
        ("accuracy", {"value": -0.1}, r"accuracy = -0.1 .*\[0, 1\]; correct"),
        ("accuracy", {"floor": 10.0}, r"floor of accuracy = 10 .*not percentages.*floor=COLUMN"),
        ("accuracy", {"sd": 40.0}, "sd = 40 .*not percentages"),
        ("accuracy", {"floor": 0.9, "ceiling": 0.1}, "contradict direction higher"),
        ("accuracy", {"floor": 0.85, "value": 0.6, "sd": 0, "se": 0}, "most values are worse"),
        ("accuracy", {"direction": "up"}, "one of higher, lower"),
        ("ssim", {"value": -2.0}, r"ssim = -2 .*\[-1, 1\]"),
        ("semantic_loss", {"value": 30.0}, "not percentages"),
        ("lpips", {"value": -0.2}, r"lpips = -0.2 lies outside \[0, inf\]"),
    ],
)
def test_what_a_metric_cannot_be_is_refused(tmp_path, metric, more, says):
    rows = [metric_row(metric=metric, **({"sd": 0.1} | more))]
    with pytest.raises(SemlossError, match=says):
        select_from(tmp_path, rows)


@pytest.mark.parametrize(
    ("metric", "value"),
    [("accuracy", 1 + 1e-7), ("ssim", -0.5), ("ssim_db", 12.0), ("psnr_db", 45.0), ("fid", 300.0),
     ("semantic_loss", -0.02), ("bit_error_rate", 0.1)],
)  # fmt: skip
def test_what_a_metric_can_be_is_taken(tmp_path, metric, value):
    row = metric_row(metric=metric, value=value, floor=None, ceiling=None)
    assert select_from(tmp_path, [row]).value.tolist() == [value]


def test_one_value_beyond_one_is_no_percentage(tmp_path):
    rows = [*grid_rows(), metric_row(0.5, value=1.3)]
    with pytest.raises(SemlossError, match=r"accuracy = 1.3 .*correct or remove the row"):
        select_from(tmp_path, rows)


# ---------------------------------------------------------------- duplicates and replicates


def duplicated(tmp_path, **more):
    return select_from(tmp_path, [r | {k: v[i] for k, v in more.items()}
                                  for i in range(2) for r in grid_rows()])  # fmt: skip


def test_one_cell_twice_is_refused_with_both_rows_and_the_mend(tmp_path):
    text = "cr,snr_db,metric,value\n1/6,0,m,1\n1/6,4,m,2\n\n1/6,4,m,3\n"
    with pytest.raises(SemlossError) as caught:
        select(load_table(csv(tmp_path, text)))
    assert str(caught.value) == (
        "rows 3 and 5 are one cell (CR 1/6, 4 dB, m, seed 0): remove one, or name replicates by a "
        "column seed (images, by a column image)"
    )


def test_a_further_column_that_tells_duplicates_apart_is_named(tmp_path):
    more = {"dataset": "ab", "noted": ["x", "x"]}
    with pytest.raises(SemlossError, match=r"dataset tells them apart.*--where dataset=….*--group"):
        duplicated(tmp_path, **more)
    with pytest.raises(SemlossError, match="if run counts replicates, say --columns seed=run"):
        duplicated(tmp_path, run=[1, 2])
    with pytest.raises(SemlossError, match="remove one, or name"):
        duplicated(tmp_path, noted=["x", "x"])


def test_the_same_cell_by_another_seed_or_training_snr_is_no_duplicate(tmp_path):
    assert len(duplicated(tmp_path, seed=[0, 1]).value) == 18
    rows = [metric_row(snr_db=4.0), metric_row(snr_db=4.0, train_snr_db=0.0)]
    assert len(select_from(tmp_path, rows, mismatch=True).value) == 2


def test_seeds_are_numbers_or_names(tmp_path):
    text = "cr,snr_db,metric,value,seed\n.1,0,m,1,{}\n.1,0,m,2,{}\n.1,4,m,3,{}\n"
    for named, seeds in ((("7", "8.0", ""), [7, 8, 0]), (("anna", "bob", "anna"), [0, 1, 0])):
        points = select(load_table(csv(tmp_path, text.format(*named))))
        assert points.seed.tolist() == seeds
        assert points.rows.tolist() == [2, 3, 4]


@given(sd=st.floats(0.5, 3), se=st.floats(0.05, 0.5), number=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_spread_between_seeds_is_recovered_beside_the_measurement_noise(sd, se, number):
    rng = np.random.default_rng(number)
    cell = np.repeat(np.arange(2000), rng.integers(1, 6, 2000))
    noise = se * rng.uniform(0.5, 1.5, cell.size)
    value = rng.normal(30, 10, 2000)[cell] + rng.normal(0, np.hypot(sd, noise))
    found, dof = spread_between_seeds(value, noise, cell)
    assert dof == cell.size - 2000
    assert found == pytest.approx(sd, rel=0.2)


def test_one_training_that_went_astray_is_no_spread_between_seeds():
    rng = np.random.default_rng(5)
    cell = np.repeat(np.arange(30), 3)
    value = rng.normal(0.85, 0.01, 90)
    whole, dof = spread_between_seeds(value, np.zeros(90), cell)
    value[40] = 0.31
    found, same = spread_between_seeds(value, np.zeros(90), cell)
    assert dof == same == 60
    assert found == pytest.approx(whole, rel=0.05)
    assert whole == pytest.approx(0.01, rel=0.4)
    few = np.array([0.85, 0.85, 0.31]), np.zeros(3), np.zeros(3, dtype=int)
    assert spread_between_seeds(*few)[0] == pytest.approx(np.std(few[0], ddof=1))


def test_seeds_that_differ_by_less_than_the_measurement_noise_add_nothing(tmp_path):
    rows = [r | {"seed": seed, "value": r["value"] + 0.001 * seed}
            for seed in range(3) for r in grid_rows()]  # fmt: skip
    points = select_from(tmp_path, rows)
    assert (points.noise, points.replicate_sd, points.replicate_dof) == ("binomial", 0.0, 18)
    assert spread_between_seeds(np.ones(4), np.zeros(4), np.arange(4)) == (0.0, 0)


# ---------------------------------------------------------------- noise


@pytest.mark.parametrize(
    ("columns", "cells", "noise"),
    [
        ("metric,n", "accuracy,400", "binomial"),
        ("metric,n,se", "accuracy,400,0.5", "binomial"),
        ("metric,se", "accuracy,0.02", "reported"),
        ("metric,n", "psnr_db,400", "none"),
        ("metric,sd", "psnr_db,2", "reported"),
        ("metric", "accuracy", "none"),
    ],
)
def test_the_kind_of_noise_follows_from_metric_and_columns(tmp_path, columns, cells, noise):
    text = f"cr,snr_db,value,{columns}\n1/6,0,0.5,{cells}\n1/6,5,0.6,{cells}\n"
    assert select(load_table(csv(tmp_path, text))).noise == noise


def test_replicates_alone_tell_the_noise(tmp_path):
    text = "cr,snr_db,metric,value,seed\n.1,0,psnr_db,20,0\n.1,0,psnr_db,22,1\n.2,0,psnr_db,25,0\n"
    points = select(load_table(csv(tmp_path, text)))
    assert points.noise == "replicates"
    assert points.replicate_sd == pytest.approx(np.sqrt(2))
    assert points.replicate_dof == 1
    assert points.se.tolist() == [0, 0, 0]


def test_accuracy_noise_is_binomial_and_never_zero(tmp_path):
    path = csv(tmp_path, "cr,snr_db,metric,value,n\n1/6,4,accuracy,0.5,400\n1/6,8,accuracy,1,400\n")
    noise = select(load_table(path)).se
    assert noise[0] == pytest.approx(0.025, rel=1e-3)
    assert 0 < noise[1] < 0.01


def test_other_noise_is_sd_over_root_n(tmp_path):
    path = csv(
        tmp_path, "cr,snr_db,metric,value,sd,n\n1/6,4,psnr_db,30,2,400\n1/6,8,psnr_db,32,2,\n"
    )
    np.testing.assert_allclose(select(load_table(path)).se, [0.1, 2.0])


def test_direction_comes_from_the_name_or_from_the_trend(tmp_path):
    for metric, values, direction in (
        ("lpips", (0.1, 0.3), "lower"),
        ("psnr_db", (30, 20), "higher"),
        ("word_error_rate", (0.9, 0.2), "lower"),
        ("bleu", (0.2, 0.9), "higher"),
    ):
        text = f"cr,snr_db,metric,value\n1/6,0,{metric},{values[0]}\n1/6,9,{metric},{values[1]}\n"
        assert select(load_table(csv(tmp_path, text))).direction == direction


def test_images_behind_a_value_are_kept_and_unknown_ones_are_nan(tmp_path):
    text = "cr,snr_db,metric,value,n,se\n1/6,4,accuracy,0.5,400,0.9\n1/6,8,accuracy,0.9,,0.03\n"
    points = select(load_table(csv(tmp_path, text)))
    np.testing.assert_array_equal(points.n, [400, np.nan])
    np.testing.assert_allclose(points.se, [0.025, 0.03], rtol=1e-3)


# ---------------------------------------------------------------- points


def test_points_of_one_s_own_need_no_more_than_values():
    values = np.array([0.1, 0.2])
    points = Points("accuracy", "clean", "higher", values, values, values, se=values)
    assert np.isnan(points.n).all()
    assert points.seed.tolist() == points.rows.tolist() == [0, 0]
    assert points.noise == "reported"
    assert points.group == {}


def test_a_subset_keeps_every_array_in_step(tmp_path):
    points = select_from(tmp_path, grid_rows())
    part = points.subset(points.snr_db > 0)
    again = points.subset(np.array([3, 3]))
    for name in ("cr", "snr_db", "value", "se", "n", "seed", "rows"):
        np.testing.assert_array_equal(getattr(part, name), getattr(points, name)[points.snr_db > 0])
        assert len(getattr(again, name)) == 2
    assert (part.metric, part.noise, part.group) == (points.metric, points.noise, points.group)


# ---------------------------------------------------------------- doubts


def test_other_columns_with_several_values_are_said(tmp_path):
    rows = [r | {"dataset": "sea" if r["cr"] < 0.1 else "land", "epoch": 1} for r in grid_rows()]
    (note,) = select_from(tmp_path, rows).notes
    assert note.startswith("dataset has several values (land, sea), fitted as one surface")
    assert select_from(tmp_path, rows, where={"dataset": "land"}).notes == ()


def test_a_quality_that_falls_with_the_snr_is_said(tmp_path):
    rows = [r | {"value": 0.9 - 0.03 * r["snr_db"]} for r in grid_rows()]
    assert "is it an SNR" in select_from(tmp_path, rows).notes[0]


def test_a_floor_that_few_values_miss_by_chance_is_taken(tmp_path):
    rows = [r | {"value": 0.095 + 0.001 * i, "floor": 0.1} for i, r in enumerate(grid_rows())]
    assert select_from(tmp_path, rows).floor == 0.1


def test_a_ceiling_below_most_values_is_said_and_taken(tmp_path):
    rows = [r | {"ceiling": 0.2} for r in grid_rows()]
    points = select_from(tmp_path, rows)
    assert points.ceiling == 0.2
    assert points.notes[0].startswith("most values are better than the ceiling 0.2")
    rows = [r | {"value": 0.42, "ceiling": 0.41} for r in grid_rows()]
    assert select_from(tmp_path, rows).notes == (), "a tuned receiver may beat it by a little"


def test_a_number_is_chosen_by_its_value(tmp_path):
    rows = grid_rows()
    for where in ({"cr": "1/12"}, {"snr_db": "5"}, {"snr_db": "5.0"}):
        assert len(select_from(tmp_path, rows, where=where).value) == 3
    with pytest.raises(SemlossError, match=r"choose --where snr_db from 0, 5, 10$"):
        select_from(tmp_path, rows, where={"snr_db": "6"})


def test_a_metric_may_be_asked_for_by_another_spelling(tmp_path):
    rows = grid_rows() + grid_rows(metric="psnr_db", receiver="none")
    assert select_from(tmp_path, rows, "PSNR").metric == "psnr_db"


# ---------------------------------------------------------------- several surfaces


def many_rows():
    return [
        *grid_rows(), *grid_rows(receiver="matched"), *grid_rows(metric="psnr_db", receiver="none"),
        *grid_rows(metric="ssim", receiver="none"),
    ]  # fmt: skip


def groups_from(tmp_path, rows, *args, **kwargs):
    return select_groups(table_of(tmp_path, rows), *args, **kwargs)


def test_each_metric_and_task_is_a_surface(tmp_path):
    groups, skipped = groups_from(tmp_path, many_rows())
    assert [points.group for points in groups] == [
        {"metric": "accuracy", "receiver": "clean"},
        {"metric": "accuracy", "receiver": "matched"},
        {"metric": "psnr_db", "receiver": "none"},
        {"metric": "ssim", "receiver": "none"},
    ]
    assert skipped == ()
    table = table_of(tmp_path, many_rows())
    for points in groups:
        alone = select(table, points.metric, points.receiver)
        assert (alone.metric, alone.receiver, alone.noise) == (
            points.metric,
            points.receiver,
            points.noise,
        )
        for name in ("cr", "snr_db", "value", "se", "n", "seed", "rows"):
            np.testing.assert_array_equal(getattr(points, name), getattr(alone, name))


def test_groups_come_in_the_table_s_order(tmp_path):
    wanted = [("z", "y"), ("a", "x"), ("m", "x"), ("z", "x")]
    text = "cr,snr_db,metric,receiver,value\n" + "".join(
        f"{cr},{snr},{metric},{task},0.5\n" for metric, task in wanted for cr in (0.1, 0.2)
        for snr in (0, 5)
    )  # fmt: skip
    groups, _ = select_groups(load_table(csv(tmp_path, text)))
    assert [(points.metric, points.receiver) for points in groups] == wanted


def test_one_column_per_metric_gives_one_surface_each(tmp_path):
    text = "cr,snr_db,PSNR,acc\n.1,0,20,50\n.1,5,25,60\n.2,0,30,70\n.2,5,35,80\n"
    table = load_table(csv(tmp_path, text), {"value": "PSNR,acc/100"})
    groups, _ = select_groups(table, ("metric",))
    assert [points.metric for points in groups] == ["psnr_db", "accuracy"]
    np.testing.assert_allclose(groups[1].value, [0.5, 0.6, 0.7, 0.8])
    assert groups[1].rows.tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("by", "more", "count"),
    [
        (("metric",), {}, 3),  # the clean task, by default
        (("metric",), {"receiver": "matched"}, 3),
        (("metric", "receiver"), {"receiver": "matched"}, 3),  # image metrics have no receiver
        (("metric", "receiver"), {"metric": "accuracy"}, 2),
        (("receiver",), {}, 2),  # of the accuracy
        (("metric", "receiver", "codec"), {}, 4),
        (("metric", "receiver"), {"where": {"receiver": "none"}}, 2),
    ],
)
def test_what_is_chosen_narrows_the_groups(tmp_path, by, more, count):
    groups, skipped = groups_from(tmp_path, many_rows(), by, **more)
    assert (len(groups), skipped) == (count, ())


def test_links_and_further_columns_are_groups_only_when_asked(tmp_path):
    rows = [*grid_rows(), *grid_rows(codec="bpg"), *grid_rows(codec="bpg", dataset="sea")]
    rows = [{"dataset": "land"} | row for row in rows]
    with pytest.raises(SemlossError, match=r"several values of codec.*--where.*--group-by codec"):
        groups_from(tmp_path, rows)
    with pytest.raises(SemlossError, match="dataset tells them apart"):
        groups_from(tmp_path, rows, ("codec",))
    groups, _ = groups_from(tmp_path, rows, ("codec", "dataset"))
    names = [(points.group["codec"], points.group["dataset"]) for points in groups]
    assert sorted(names) == [("bpg", "land"), ("bpg", "sea"), ("deepjscc", "land")]


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        (lambda r: r["cr"] > 0.1, "3 points only"),
        (lambda r: r["cr"] > 0.05 and (r["snr_db"] == 0 or (r["cr"], r["snr_db"]) == (1 / 6, 5)),
         "3 points only"),
        (lambda r: False, "no usable row"),
    ],
)  # fmt: skip
def test_a_group_that_cannot_be_a_surface_is_left_out_with_the_reason(tmp_path, kept, reason):
    sparse = [r | {"status": "ok" if kept(r) else "diverged"} for r in grid_rows(codec="thin")]
    groups, skipped = groups_from(tmp_path, [*grid_rows(), *sparse], ("codec",))
    assert [points.group for points in groups] == [{"codec": "deepjscc"}]
    assert len(skipped) == 1
    assert skipped[0].startswith(f"left out codec thin: {reason}")
    with pytest.raises(SemlossError, match=f"no group of codec is a surface: .*{reason}"):
        groups_from(tmp_path, sparse, ("codec",))
    both, _ = groups_from(tmp_path, [*grid_rows(), *sparse], ("codec",), sparse=True)
    assert len(both) == (1 if reason.startswith("no") else 2), "a joint fit may use them"


@pytest.mark.parametrize(
    ("by", "more", "says"),
    [
        (("colour",), {}, "--group-by colour: the table has cell, source"),
        (("metric", "snr_db"), {}, "--group-by snr_db: a surface spans it"),
        ((), {}, "--group-by: name a column"),
        (("metric", "receiver"), {"metric": "bleu"}, "no metric 'bleu'"),
        (
            ("metric", "receiver"),
            {"receiver": "sorting", "metric": "accuracy"},
            "no receiver 'sorting'.*clean",
        ),
        (("receiver",), {"where": {"metric": "x"}}, "no metric 'x'"),
    ],
)
def test_groups_that_do_not_exist_are_refused(tmp_path, by, more, says):
    with pytest.raises(SemlossError, match=says):
        groups_from(tmp_path, many_rows(), by, **more)


@pytest.mark.parametrize("axis", ["cr", "snr_db"])
def test_a_group_along_one_axis_is_a_curve_and_is_fitted(tmp_path, axis):
    thin = [metric_row(**{"cr": 0.1, "snr_db": 4.0, axis: at}, value=0.5 + at / 50, codec="thin")
            for at in (0.1, 0.2, 0.3, 0.4, 0.5)]  # fmt: skip
    groups, skipped = groups_from(tmp_path, [*grid_rows(), *thin], ("codec",))
    assert [(points.group["codec"], len(points.value)) for points in groups] == [
        ("deepjscc", 9),
        ("thin", 5),
    ]
    assert skipped == ()


def test_nonsense_in_any_group_is_refused_not_left_out(tmp_path):
    rows = [r | {"value": 80.0} if r["receiver"] == "matched" else r for r in many_rows()]
    with pytest.raises(SemlossError, match="not percentages"):
        groups_from(tmp_path, rows)


def test_points_carry_the_peak_to_average_ratio_of_their_own_link():
    rows = [
        {"channel": channel, "cr": cr, "snr_db": snr, "metric": metric, "value": value}
        for channel, papr in (("awgn", 8.0), ("rician", 9.5))
        for cr in (0.05, 0.1)
        for snr in (0.0, 5.0)
        for metric, value in (("papr_db", papr + snr / 10), ("accuracy", 0.5))
    ]
    table = pd.DataFrame(rows)
    points = select(table, "accuracy", where={"channel": "awgn"})
    assert points.provenance == {"channel": "awgn", "papr_db": "8.25"}
    groups, _ = select_groups(table, ("channel",), "accuracy")
    assert [group.provenance["papr_db"] for group in groups] == ["8.25", "9.75"]
