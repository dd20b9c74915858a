"""One registration says what a metric is, to every room."""

import math

import pytest
from table_rows import csv

from semloss.errors import SemlossError
from semloss.facts import METRICS, Directed, Metric, metric_facts, register, sign_of, spelled
from semloss.facts.metric import _SPELLED
from semloss.metrics import IMAGE_METRICS
from semloss.selection import select
from semloss.surfaces.fitting.form_fit import bounds
from semloss.surfaces.forms import FORMS
from semloss.tables import load_table


@pytest.fixture
def quality():
    """A metric of one's own, a distance in metres between 0 and 5."""
    yield register(Metric("pin_error_m", "pin error", "m", "lower", (0.0, 5.0), (0.0, 5.0),
                          spellings=("pin_error",)))  # fmt: skip
    del METRICS["pin_error_m"], _SPELLED["pin_error_m"], _SPELLED["pin_error"]


def test_a_registered_metric_is_known_in_every_room(tmp_path, quality):
    rows = [f"1/{m},{snr},Pin error,{4 - snr / 5:g}" for m in (6, 12, 24) for snr in (0, 5, 10)]
    table = load_table(csv(tmp_path, "\n".join(["cr,snr_db,metric,value", *rows])))
    points = select(table)
    assert (points.metric, points.direction) == ("pin_error_m", "lower")
    assert metric_facts("pin_error_m").title == "pin error [m]"
    low, high = bounds(FORMS["additive"], points)
    assert low[:2].min() >= 0
    assert high[:2].max() <= 5
    table.loc[2, "value"] = 6.0
    with pytest.raises(SemlossError, match=r"lies outside \[0, 5\]"):
        select(table)


@pytest.mark.parametrize(
    ("name", "direction", "values"),
    [
        ("psnr_y", "higher", (-math.inf, math.inf)),
        ("mean_dice", "higher", (0.0, 1.0)),
        ("cw_ssim", "higher", (-1.0, 1.0)),
        ("rmse", None, (0.0, math.inf)),
        ("accuracy_loss", None, (-math.inf, math.inf)),
        ("bleu", None, (-math.inf, math.inf)),
    ],
)
def test_the_words_of_a_name_tell_what_nobody_registered(name, direction, values):
    facts = metric_facts(name)
    assert (facts.direction, facts.values) == (direction, values)


def test_an_intersection_over_union_is_a_share_for_tables_and_for_fits():
    facts = metric_facts("miou")
    assert facts.values == facts.level_range == (0.0, 1.0)
    assert facts.direction == "higher"


def test_every_image_metric_has_its_facts():
    assert set(IMAGE_METRICS) <= set(METRICS)
    assert all(
        METRICS[name].direction and not METRICS[name].floor_is_reached for name in IMAGE_METRICS
    )


def test_a_spelling_belongs_to_one_metric():
    with pytest.raises(SemlossError, match="'acc' is registered already, as accuracy"):
        register(Metric("another", spellings=("acc",)))
    assert "another" not in METRICS


def test_a_title_carries_label_and_unit():
    assert metric_facts("psnr_db").title == "PSNR [dB]"
    assert metric_facts("ms_ssim_3").title == "MS-SSIM (3 scales)"
    assert metric_facts("mean_bleu_4").title == "mean bleu 4"


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("accuracy", (0.0, 1.0)),
        ("ssim", (0.0, 1.0)),
        ("lpips", (0.0, 1.0)),
        ("semantic_loss", (0.0, 1.0)),
        ("psnr_db", (-math.inf, math.inf)),
        ("mse", (-math.inf, math.inf)),
        ("cw_ssim", (-math.inf, math.inf)),
    ],
)
def test_floors_and_ceilings_are_searched_in_the_levels(name, levels):
    assert metric_facts(name).level_range == levels


@pytest.mark.parametrize(
    ("direction", "sign", "met"),
    [("higher", 1.0, [False, True, True]), ("lower", -1.0, [True, True, False])],
)
def test_what_has_a_direction_meets_a_target_at_the_target(direction, sign, met):
    one = Directed()
    one.direction = direction
    assert one.sign == sign_of(direction) == sign
    assert one.meets([0.4, 0.5, 0.6], 0.5).tolist() == met


def test_a_spelling_names_its_metric():
    assert spelled("msssim") == "ms_ssim"
    assert spelled("psnr_db") == "psnr_db"
    assert spelled("unheard_of") is None
