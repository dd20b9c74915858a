"""What `semloss predict` and the planner load, and what they share."""

import subprocess
import sys

import pytest
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
    program = (
        "import sys; from semloss.cli import main\n"
        "code = main(sys.argv[1:])\n"
        "heavy = {'torch', 'pandas', 'scipy', 'pydantic', 'matplotlib', 'seaborn', 'lmfit'}\n"
        "sys.exit(code or sorted(heavy & set(sys.modules)) or 0)"
    )
    command = [sys.executable, "-c", program, *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")


def test_plain_predict_leaves_the_planner_alone(folder):
    program = (
        "import sys; from semloss.cli import main\n"
        "code = main(['predict', sys.argv[1], '--cr', '1/6', '--target', '>= 0.5'])\n"
        "sys.exit(code or 'semloss.cli.plan' in sys.modules or 'tomllib' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, folder / "fit.json"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
