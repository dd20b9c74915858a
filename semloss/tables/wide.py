"""Wide tables: columns named by the SNR or the CR that they hold, as one row for each."""

import re

import pandas as pd

from semloss.facts import spelled
from semloss.tables.naming import evident_column, metric_name, plain

_KINDS = {
    "snr_db": (r"[-+\u2212]?\d+(?:\.\d+)?", {"snr", "at", "db"}, r"(?i)snr|db|@"),
    "cr": (
        r"1/\d+|0?\.\d+",
        {"cr", "cbr", "bcr", "ratio", "rate", "at"},
        r"(?i)c?b?cr|ratio|rate|@|1/",
    ),
}
"""Axis -> how its levels are written, words that only say so, and what a name must hold to be
that of a level where it begins with a metric ("PSNR@4dB", and not "PSNR 2")."""


def one_level_a_row(frame: pd.DataFrame) -> pd.DataFrame:
    """A table whose columns are named by SNRs in dB, or by CRs, with a row for each of them.

    "-5", "0 dB", "SNR=4dB", "PSNR@4dB"; "1/12", "0.25", "cr=1/12", "PSNR (1/12)".
    """
    for axis, other in (("snr_db", "cr"), ("cr", "snr_db")):
        levels = {name: found for name in frame.columns if (found := _level(axis, name))}
        rest = [name for name in frame.columns if name not in levels]
        if len(levels) < 2 or "value" in rest or evident_column(axis, rest):
            continue
        if not rest or (axis == "cr" and not evident_column(other, rest)):
            continue
        long = frame.melt(rest, var_name=axis, value_name="value", ignore_index=False)
        metrics = [levels[name][0] for name in long[axis]]
        long[axis] = [levels[name][1] for name in long[axis]]
        if all(metrics) and "metric" not in long:
            long["metric"] = metrics
        return long[long["value"].astype(str).str.strip() != ""]
    return frame


def _level(axis: str, name: str) -> tuple[str, str] | None:
    """Metric ("" where none is named) and level that the name of a column tells, or None."""
    number, aside, sign = _KINDS[axis]
    found = re.fullmatch(rf"(?i)(.*?)({number})\s*(?:db)?[)\]]?", name.strip())
    if found is None or spelled(plain(name)):
        return None
    words = [word for word in plain(found[1]).split("_") if word and word not in aside]
    if not words:
        return "", found[2].replace("\u2212", "-")
    dash = found[2][0] in "-\u2212" and found[1][-1:].isalpha()  # a minus, or not
    if dash or not spelled("_".join(words)) or not re.search(sign, name):
        return None
    return metric_name("_".join(words)), found[2].replace("\u2212", "-")
