"""`semloss plan monte-carlo` as a link engineer meets it."""

import pytest
from plan_case import WEAK_LINK, X, refused, rows


def test_monte_carlo_is_repeatable(plan, answer, folder):
    words = ("monte-carlo", *WEAK_LINK, "--draws", "500", "--target", "0.6")
    found = answer(*words, "--seed", "0", "--csv", "draws.csv", "--plot", "mc.png")
    assert found["seed"] == 0
    assert len(rows(folder / "draws.csv")) == found["draws"] == 500
    assert answer(*words, "--seed", "0") == found
    assert answer(*words, "--seed", "1") != found
    assert "of 10,000 draws" in plan("monte-carlo", *WEAK_LINK, "--target", "0.6")[1]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["monte-carlo", *X, "--draws", "0"], "--draws: '0': give a whole number"),
        (["monte-carlo", *X, "--interval", "0.9"], "unrecognized arguments: --interval"),
        (["monte-carlo", *X, "--seed", "-1"], "--seed: '-1': give a whole number"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(plan, words, says):
    refused(plan(*words), says)


def test_draws_scatter_as_the_band_that_they_are_asked_to_be_about(answer):
    words = ("monte-carlo", *WEAK_LINK, "--draws", "2000")
    spreads = []
    for band in ("these-images", "new-images", "trained-again"):
        summary = answer(*words, "--band", band)["summary"]
        (value,) = (row for row in summary if row["quantity"] == "value")
        spreads.append(value["sd"])
    assert spreads == sorted(spreads)
    assert spreads[1] > 1.05 * spreads[0]
