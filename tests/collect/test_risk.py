"""Risk in a run: rows with outcomes, fitted like any other; records of before it stay good."""

import json

import numpy as np
import pytest
from collecting_case import collected, value
from tiny_experiment import TINY

from semloss.cli import main
from semloss.outcomes import KEY, key_of, read_outcomes
from semloss.tables import load_table

ALWAYS = {
    "worst_class_accuracy", "flip_rate", "ece", "accuracy_at_coverage_80",
    "accuracy_at_coverage_90",
}  # fmt: skip


def test_a_run_tells_its_risk_and_records_of_before_stay_good(tmp_path):
    tiny = TINY.replace("[0, 10]", "[0, 5, 10]")
    table = collected(tmp_path, tiny)
    run = tmp_path / "run"
    assert set(table.metric) >= ALWAYS
    told = read_outcomes(run / "metrics.outcomes.npz")
    rows = table[table.metric.isin([*ALWAYS, "accuracy"])]
    assert len(rows) == 2 * 6 * 6
    for row in rows[[*KEY, "value", "n", "ceiling"]].to_dict("records"):
        outcomes = told.of[key_of(row)]
        assert np.nanmean(outcomes) == pytest.approx(row["value"], abs=1e-6)
        assert np.isfinite(outcomes.astype(float)).sum() in (row["n"], len(told.image))
        assert np.isfinite(row["ceiling"])
    # flips are what the accuracy lost, and what the link put right on top
    lost = table[table.metric == "semantic_loss"].set_index(["cell", "receiver"]).value
    clean = table[table.metric == "accuracy"].ceiling.iloc[0]
    flips = table[table.metric == "flip_rate"].set_index(["cell", "receiver"]).value
    assert (flips >= (lost * clean).reindex(flips.index) - 1e-9).all()
    words = ["--metric", "ece", "--receiver", "clean", "--form", "additive"]
    assert main(["fit", str(run), *words]) == 0

    # a class of its own is asked for: measured on top, the rest as it was
    classes = ["--set", "metrics.per_class=true"]
    more = collected(tmp_path, tiny, *classes)
    assert len([name for name in set(more.metric) if name.startswith("accuracy_of_")]) == 10
    assert (more.metric == "accuracy_of_SeaLake").sum() == 2 * 6
    before, after = ({key_of(row): row["value"] for row in one.to_dict("records")}
                     for one in (table, more))  # fmt: skip
    assert before.items() <= after.items()

    # a task model of before confidence was kept: what needs that has no ceiling
    (path,) = (run / "tasks").glob("*/task.json")
    record = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in record.items() if k != "confidence"}))
    collected(tmp_path, tiny, "--set", "grid.snr_db=[7]", *classes)
    new = load_table(run)
    new = new[new.snr_db == 7]
    assert len(value(new, "ece", "clean")) == 2
    assert new[new.metric == "ece"].ceiling.isna().all()
    assert new[new.metric == "flip_rate"].ceiling.eq(0).all()
