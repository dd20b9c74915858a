"""Many cases in one go: each a record that asks what `semloss predict` asks.

Its keys are `cr`, `snr_db`, `target`, any field of the link (numbers, or text with a unit) and
labels that are passed through (`id`, `name`, `label`, `group`, `note`); what it leaves blank
comes from the link and the defaults. Two of CR, SNR (given or from the link) and target are
needed; the answer fills in the third.

===================================  ==========================================================
answer                               meaning
===================================  ==========================================================
metric, receiver, task               of the fit
cr, snr_db                           point of the answer, given or solved for
value, low, high, in_domain          metric there with its band, and whether the fit was measured
target, required_snr_db,             with a target: the SNR that it needs at this CR (blank where
snr_margin_db, met                   no fitted SNR reaches it), the margin to it, and whether the
                                     margin that the link keeps is left
c_n0_dbhz, images_per_s              with a link
error                                why the record has no answer
===================================  ==========================================================
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from semloss.errors import SemlossError, TargetNotAttainable
from semloss.facts.target import read_target
from semloss.planning.budget.points import ASKED, IMAGE, Defaults, evaluate
from semloss.planning.link.link import KEYS
from semloss.planning.link.quantities import read_quantity
from semloss.surfaces.fitted.fit import Fit
from semloss.text import meant
from semloss.units import parse_cr

LABELS = ("id", "name", "label", "group", "note")
ANSWERS = (
    "metric", "receiver", "task", "cr", "snr_db", "value", "low", "high", "in_domain", "target",
    "required_snr_db", "snr_margin_db", "met", "c_n0_dbhz", "images_per_s",
)  # fmt: skip

Record = dict[str, Any]


def answer(records: Sequence[Mapping[str, Any]], defaults: Defaults) -> list[Record]:
    """Answer records: for each, its answers, or ``{"error": why}``.

    Records whose blanks are the same ones are evaluated as arrays; where that fails, each of
    them alone, so that an error belongs to its own record.
    """
    answers: list[Record] = [{} for _ in records]
    groups: dict[tuple[Any, ...], list[tuple[int, Record]]] = {}
    for i, record in enumerate(records):
        try:
            parsed = _parse(record, defaults)
        except SemlossError as error:
            answers[i] = {"error": str(error)}
            continue
        words = tuple((k, v) for k, v in parsed.items() if not isinstance(v, float))
        groups.setdefault((tuple(sorted(parsed)), words), []).append((i, parsed))
    for group in groups.values():
        for (i, _), found in zip(group, _solve([p for _, p in group], defaults), strict=True):
            answers[i] = found
    return answers


def _parse(record: Mapping[str, Any], defaults: Defaults) -> Record:
    """What a record gives, as numbers; texts and truths of the link stay what they are."""
    parsed: Record = {}
    for name, value in record.items():
        if value is None or value == "" or name in LABELS or name == "error":
            continue
        if isinstance(value, bool | list | dict) and (name in ASKED or KEYS[name].low is not None):
            raise SemlossError(f"{name} = {value!r}: give a number")
        if name == "cr":
            parsed[name] = parse_cr(value)
        elif name == "snr_db":
            parsed[name] = read_quantity(value, "dB", name)
        elif name == "target":
            parsed[name] = read_target(value, defaults.fit)
        elif name in KEYS:
            parsed[name] = _field(name, value, defaults)
        elif name not in ANSWERS:
            raise SemlossError(_unknown(name))
    return parsed


def _field(name: str, value: Any, defaults: Defaults) -> Any:  # noqa: ANN401 - a cell of the file
    if defaults.link is None:
        raise SemlossError(f"{name} is a field of the link, and no link is given (--link)")
    key = KEYS[name]
    if key.low is not None:
        return float(read_quantity(value, key.unit, name, whole=name in IMAGE))
    if key.choices:
        return str(value)
    truths = {"true": True, "false": False, "1": True, "0": False}
    found = truths.get(str(value).lower())
    if found is None:
        raise SemlossError(f"{name} = {value!r}: allowed is true or false")
    return found


def _unknown(name: str) -> str:
    labels = f"labels may be called {', '.join(LABELS)}"
    return f"unknown column {name}; {meant(name, [*ASKED, *LABELS, *KEYS], labels)}"


def _solve(group: list[Record], defaults: Defaults) -> list[Record]:
    """Answers of records that give the same things."""
    try:
        return _solve_together(group, defaults)
    except SemlossError as error:
        if len(group) == 1:
            return [{"error": str(error)}]
    return [found for record in group for found in _solve([record], defaults)]


def _solve_together(group: list[Record], defaults: Defaults) -> list[Record]:
    words = {k: v for k, v in group[0].items() if not isinstance(v, float)}
    if words and defaults.link is not None:
        defaults = replace(defaults, link=defaults.link.replace(**words))
    numbers = [name for name in group[0] if name not in words]
    given = {name: np.array([record[name] for record in group]) for name in numbers}
    columns = evaluate(given, defaults)
    solved = np.isfinite(columns["cr"]) & np.isfinite(columns["snr_db"])
    if not given:  # nothing but defaults: one answer serves all
        columns = {name: np.repeat(column, len(group)) for name, column in columns.items()}
        solved = np.repeat(solved, len(group))
    plain = {name: column.tolist() for name, column in columns.items()}
    fit = defaults.fit
    about = {"metric": fit.metric, "receiver": fit.receiver, "task": fit.task}
    found: list[Record] = [
        about | {name: column[i] for name, column in plain.items()} for i in range(len(group))
    ]
    for i in np.flatnonzero(~solved):
        kept = 0.0 if defaults.link is None else group[i].get("margin_db", defaults.link.margin_db)
        found[i] = {"met": False, "error": _why(defaults.fit, found[i], kept)}
    return found


def _why(fit: Fit, found: Record, kept: float) -> str:
    """What the surface says of a target that it does not reach."""
    try:
        if np.isnan(found["cr"]):
            fit.min_cr(target=found["target"], snr_db=found["snr_db"] - kept)
        else:
            fit.min_snr(target=found["target"], cr=found["cr"])
    except TargetNotAttainable as error:
        return str(error)
    raise AssertionError("both searches of one surface find the same")


def check_columns(header: Sequence[str]) -> None:
    """Refuse a header with an unknown column or one that is there twice."""
    for name in header:
        if name not in (*ASKED, *LABELS, *ANSWERS, *KEYS, "error"):
            raise SemlossError(_unknown(name))
        if header.count(name) > 1:
            raise SemlossError(f"column {name} is there twice; keep one")
