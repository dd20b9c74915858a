"""What `semloss predict` and the planner load, and what they share."""

import pytest
from cold_start import complaint
from plan_case import HIGH, WEAK_LINK, T

from semloss.cli import main


def test_predict_with_a_link_is_the_ledger_and_with_solve_the_calculator(plan, folder, capsys):
    for words, same in (
        ([*WEAK_LINK, *T], ["ledger", *WEAK_LINK, *T]),
        ([*WEAK_LINK, "--solve", "power_dbw", *T], ["solve", "power_dbw", *WEAK_LINK, *T]),
    ):
        expected = plan(*same)
        code = main(["predict", "fit.json", *words])
        streams = capsys.readouterr()
        assert (code, streams.out, streams.err) == expected


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "fit.json", "--link", "cubesat-s-band"],
        ["predict", "fit.json", "--link", "cubesat-s-band", "--solve", "eirp_dbw", *T],
        ["plan", "ledger", "fit.json", "--link", "cubesat-s-band"],
        ["plan", "pass", "fit.json", "--link", "cubesat-s-band", *HIGH],
    ],
)
def test_a_link_loads_nothing_heavier_than_numpy(folder, words):
    assert complaint(*words, cwd=folder) == ""


def test_plain_predict_leaves_the_planner_alone(folder):
    words = ("predict", folder / "fit.json", "--cr", "1/6", "--target", ">= 0.5")
    assert complaint(*words, of=("semloss.cli.plan", "tomllib")) == ""
