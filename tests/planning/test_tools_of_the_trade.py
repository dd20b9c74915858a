"""Figures that public tools document are ours too, to their last printed digit."""

import importlib.util
from pathlib import Path

import pytest

_FILE = Path(__file__).parents[2] / "benchmarks" / "tools_of_the_trade.py"
_SPEC = importlib.util.spec_from_file_location("tools_of_the_trade", _FILE)
assert _SPEC is not None
assert _SPEC.loader is not None
trade = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(trade)


@pytest.mark.parametrize("tool", trade.TOOLS)
def test_a_documented_figure_is_ours(tool):
    rows = list(trade.TOOLS[tool]())
    if not rows:
        pytest.skip(f"{tool} is not installed, and its maps are what the figures follow from")
    for what, printed, ours, _ in rows:
        assert f"{ours:.{len(printed.partition('.')[2])}f}" == printed, what
