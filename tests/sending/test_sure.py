"""Layers until sure: known answers, and a whole run."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from collecting_case import collected
from tiny_experiment import TINY

import semloss
from semloss.cli import main
from semloss.planning.passes.feedback import SureCurve
from semloss.sending.sure import (
    SureAtSnr,
    UntilSure,
    fixed_symbols,
    least_threshold,
    stops_at,
)

# three layers, four images: the second is sure too early, the last never
CONFIDENCE = np.array([[0.9, 0.8, 0.3, 0.2], [0.9, 0.9, 0.7, 0.3], [1.0, 1.0, 0.9, 0.4]])
RIGHT = np.array([[1, 0, 0, 0], [1, 0, 1, 0], [1, 1, 1, 0]], dtype=bool)


def test_an_image_stops_where_it_is_sure_and_at_the_last_layer_otherwise():
    assert stops_at(CONFIDENCE, 0.75).tolist() == [0, 0, 2, 2]
    assert stops_at(CONFIDENCE, 0.0).tolist() == [0, 0, 0, 0]
    assert stops_at(CONFIDENCE, math.inf).tolist() == [2, 2, 2, 2]


def test_the_threshold_is_the_least_that_serves():
    assert least_threshold(CONFIDENCE, RIGHT, 0.25) == 0.0
    # half are right once the third image is waited for
    assert least_threshold(CONFIDENCE, RIGHT, 0.5) == 0.4
    assert least_threshold(CONFIDENCE, RIGHT, 0.75) == 1.0
    assert least_threshold(CONFIDENCE, RIGHT, 0.8) == math.inf


def test_targets_that_take_as_many_symbols_are_one_point_of_the_plane():
    first, other = (
        SureAtSnr(0.0, target, 0.5, target, 0.01, 100.0, 1.0, 1 / 40, 2.0, 5, 120.0)
        for target in (0.7, 0.8)
    )
    answer = UntilSure([first, other], {})
    assert answer.rows() == [first.row()]
    assert len(answer.to_dict()["until_sure"]) == 2


def test_a_fixed_rate_may_be_two_in_turn():
    symbols, accuracy = np.array([100.0, 200.0, 400.0]), np.array([0.5, 0.6, 0.9])
    assert fixed_symbols(symbols, accuracy, 0.5) == 100
    # half of the images at 100 and half at 400 are cheaper than 200 for some and 400 for others
    assert fixed_symbols(symbols, accuracy, 0.7) == pytest.approx(250)
    assert fixed_symbols(symbols, accuracy, 0.95) == math.inf
    # more symbols that serve worse are no bargain
    assert fixed_symbols(np.array([100.0, 200.0]), np.array([0.8, 0.7]), 0.75) == 100


@pytest.fixture(scope="module")
def layered(tmp_path_factory):
    """A tiny run of layers, some of whose answers are right by luck alone."""
    folder = tmp_path_factory.mktemp("layers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEMLOSS_CACHE", str(folder / "cache"))
        experiment = TINY.replace("[codec]", '[codec]\nkind = "layered"').replace(
            'independent = {steps = 40, batch_size = 8, optimiser = "adam", lr = 5e-3, '
            "clip_norm = 1.0}",
            "independent = {steps = 60, batch_size = 8, lr = 0.02}",
        )
        few = ["--set", "grid.snr_db=[10]", "--set", 'metrics.names=["psnr_db"]']
        table = collected(folder, experiment, *few)
        yield folder / "run", table


def test_layers_are_sent_until_sure(layered, capfd):
    run, table = layered
    accuracy = table[(table.metric == "accuracy") & (table.receiver == "matched")]
    few, most = table_k(run)
    assert main(["sure", str(run), "--target", "1%", "--json"]) in (0, 3)
    (row,) = json.loads(capfd.readouterr().out)["until_sure"]
    assert few <= row["symbols_until_sure"] <= most
    assert (row["threshold"] == 0) <= (row["symbols_until_sure"] == few)
    # one that nothing meets takes them all
    csv = str(run.parent / "sure.csv")
    asked = "1%,99.8%,99.9%"
    assert main(["sure", str(run), "--target", asked, "--json", "--csv", csv]) in (0, 3)
    first, second, row = json.loads(capfd.readouterr().out)["until_sure"]
    assert (first["target"], row["target"]) == (0.01, pytest.approx(0.999))
    assert second == row | {"target": pytest.approx(0.998)}
    assert row["symbols_until_sure"] == most
    assert row["cr"] == pytest.approx(1 / 6)
    assert (row["layers"], row["layers_most"]) == (2, 2)
    # the planner reads what was written
    curve = SureCurve.from_csv(Path(csv))
    assert curve.snr_db.tolist() == [10]
    assert curve.most == 2
    assert curve.least(row["accuracy"])[0] == pytest.approx([row["cr"]], abs=1 / 6)
    # what it tells is a table of accuracy over the CR that is really sent
    told = semloss.load_table(csv, {"value": "accuracy"})
    assert told.cr.max() == pytest.approx(1 / 6)
    # targets that stop alike are one measurement, so one row
    assert not told.duplicated(["snr_db", "cr", "value"]).any()
    # the last layers are the whole codec, over other noise: five standard errors
    n = int(accuracy.n.iloc[0])
    assert row["accuracy"] == pytest.approx(
        accuracy.set_index("cr").value.iloc[-1], abs=5 * math.sqrt(0.25 / n)
    )


def table_k(run):
    import pandas as pd

    return sorted(pd.read_csv(run / "cells.csv").k)


def test_what_cannot_be_asked_is_one_line(layered, tmp_path, capfd):
    run, _ = layered
    assert main(["sure", str(run), "--target", "2"]) == 2
    assert "between 0 and 1" in capfd.readouterr().err
    assert main(["sure", str(run), "--target", "0.5", "--receiver", "deployable"]) == 2
    assert "no task model deployable; there are clean, matched" in capfd.readouterr().err
    cells = str(run / "cells")
    assert main(["sure", cells, "--target", "0.5"]) == 2
    assert "is no run" in capfd.readouterr().err
    assert main(["sure", str(run), "--target", "0.5", "--where", "cr_nominal=0.5"]) == 2
    assert "has no cell with" in capfd.readouterr().err
