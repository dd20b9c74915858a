"""What is saved at equal quality is what was built into the surfaces."""

import json

import numpy as np
import pandas as pd
import pytest

from semloss.cli import main
from semloss.comparing import saved
from semloss.errors import SemlossError

CRS = [1 / 48, 1 / 32, 1 / 24, 1 / 16, 1 / 12, 1 / 8]
SNRS = [-6, -3, 0, 3, 6, 9, 12]


def surface(cr, snr_db):
    """Accuracy of ten classes: three decibels, or twice the symbols, are worth the same."""
    return 0.1 + 0.8 / (1 + np.exp(-0.3 * (snr_db + 3 * np.log2(12 * cr) - 1)))


def table_of(codec, symbols=1.0, db=0.0, noise=0.0, seed=0):
    """Cells of a codec that takes so many times the symbols, and so many more decibels."""
    rng = np.random.default_rng(seed)
    rows = [
        {"codec_label": codec, "cr": cr, "snr_db": snr, "metric": "accuracy", "receiver": "clean",
         "value": surface(cr / symbols, snr - db) + noise * rng.standard_normal(), "se": 0.004,
         "sd": 0.4, "n": 10000, "floor": 0.1, "ceiling": 0.9, "direction": "higher",
         "train_snr_db": snr, "status": "ok", "task": "resnet8", "seed": 0}
        for cr in CRS for snr in SNRS
    ]  # fmt: skip
    return pd.DataFrame(rows)


def compared(*tables, **options):
    both = pd.concat(tables, ignore_index=True)
    both.attrs["notes"] = []
    return saved(both, "codec", form="additive", **options)


def test_symbols_and_decibels_are_two_sides_of_one_saving():
    symbols = 0.5
    answer = compared(table_of("mse"), table_of("features", symbols))
    ratio, decibels = answer.pairs[0].means
    assert ratio.value == pytest.approx(symbols, rel=0.02)
    assert decibels.value == pytest.approx(3 * np.log2(symbols), abs=0.1)
    assert len(answer.rows()) == len(SNRS) + len(CRS) + 2


def test_an_interval_holds_what_is_true():
    noise = 0.004  # the standard error that the tables tell
    ours, theirs = table_of("mse", noise=noise), table_of("features", 0.7, noise=noise, seed=1)
    ratio, decibels = compared(ours, theirs, band="these-images").pairs[0].means
    assert ratio.interval.low < 0.7 < ratio.interval.high
    assert ratio.interval.high < 0.85  # and says that much is saved
    assert decibels.interval.low < 3 * np.log2(0.7) < decibels.interval.high


def test_at_one_quality_only_where_both_reach_it():
    answer = compared(table_of("mse"), table_of("features", db=-4.0), target=0.5)
    assert "accuracy (clean): at equal accuracy of 0.5 features takes" in answer.text()
    lines = [one for one in answer.pairs[0].savings if one.axis == "snr_db" and one.at is not None]
    told = [one for one in lines if not np.isnan(one.value)]
    assert 0 < len(told) <= len(lines)
    assert [one.value for one in told] == pytest.approx([-4] * len(told), abs=0.2)
    assert {(one.low, one.high) for one in told} == {(0.5, 0.5)}
    nowhere = compared(table_of("mse"), table_of("features", db=60.0))
    assert all(np.isnan(one.value) for one in nowhere.pairs[0].savings)
    assert "accuracy in common" in nowhere.text()


def test_a_metric_that_falls_is_better_below():
    both = [table_of("mse"), table_of("features", 0.5)]
    for one in both:
        one["metric"], one["direction"], one["value"] = "error_rate", "lower", 1 - one["value"]
        one["floor"], one["ceiling"] = 0.9, 0.1
    ratio, _ = compared(*both).pairs[0].means
    assert ratio.value == pytest.approx(0.5, rel=0.03)


def test_the_command(tmp_path, capsys):
    pd.concat([table_of("mse"), table_of("features", 0.5)]).to_csv(tmp_path / "t.csv", index=False)
    command = ["compare", str(tmp_path / "t.csv"), "--by", "codec", "--saved",
               "--form", "additive"]  # fmt: skip
    command += ["--target", "0.6", "--plot", str(tmp_path / "s.png")]
    assert main([*command, "--json", "--csv", str(tmp_path / "s.csv")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["saved"]) == len(pd.read_csv(tmp_path / "s.csv", comment="#"))
    assert (tmp_path / "s.png").stat().st_size > 0
    for words, said in (
        (["--target", "6"], "--target 6: accuracy lies in 0 … 1"),
        (["--cr", "1/12"], "--saved contradicts --cr"),
        (["--base", "nought"], "nought"),
    ):
        assert main([*command, *words]) == 2
        streams = capsys.readouterr()
        assert said in streams.err
        assert streams.err.count("\n") == 1


def test_a_level_that_is_none():
    with pytest.raises(SemlossError, match="level = 2"):
        compared(table_of("mse"), table_of("features"), level=2.0)


@pytest.mark.parametrize(
    ("column", "mend"),
    [("task", "--task NAME"), ("channel", "--where channel=NAME"), ("metric", "--metric from")],
)
def test_several_surfaces_of_a_link_are_told_apart_by_options_that_there_are(column, mend):
    both = pd.concat([table_of("mse"), table_of("features")])
    tables = [both.assign(**{column: name}) for name in ("psnr_db", "ssim")]
    with pytest.raises(SemlossError) as caught:
        compared(*tables)
    assert mend in str(caught.value)
    assert "group-by" not in str(caught.value)
