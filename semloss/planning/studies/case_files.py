"""Cases as they stream in and out: CSV or newline-delimited JSON, the same out as in."""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, TextIO

from semloss.answers import comment
from semloss.errors import SemlossError, TargetNotAttainable
from semloss.planning.budget.assumed import assumed
from semloss.planning.budget.points import Defaults
from semloss.planning.studies.cases import ANSWERS, Record, answer, check_columns

_BLOCK = 1 << 18


@dataclass
class Count:
    """How many records were answered, were bad, or asked for what no fitted point attains.

    `missed` counts those of the answered whose target is not met. `told` says that the answers
    begin with what they assume.
    """

    answered: int = 0
    bad: int = 0
    unattainable: int = 0
    missed: int = 0
    told: bool = field(default=False, repr=False)
    first: str = field(default="", repr=False)

    @property
    def exit_code(self) -> int:
        """2 with a bad record, 3 where a target is not met or not attainable, else 0."""
        if self.bad:
            return SemlossError.exit_code
        return TargetNotAttainable.exit_code if self.unattainable or self.missed else 0

    def __str__(self) -> str:
        total = self.answered + self.bad + self.unattainable
        missed = f" ({self.missed} not met)" if self.missed else ""
        failed = f"{self.bad} bad, {self.unattainable} not attainable"
        first = f"; the first: {self.first}" if self.first else ""
        cases = "1 case" if total == 1 else f"{total} cases"
        return f"{cases}: {self.answered} answered{missed}, {failed}{first}"


def run_cases(stream: BinaryIO, out: TextIO, defaults: Defaults) -> Count:
    """Answer every record of a stream, in order, as the records come.

    Parameters
    ----------
    stream
        Open in binary mode: CSV with a header, under comments (#) or not, or one JSON object a
        line; told apart by the first character. Quoted CSV cells may not hold line breaks.
    out
        Receives the same format: the record's own columns, then the answers, then ``error``; a
        CSV under comments (#) that say what is assumed.

    Returns
    -------
    Count
        With the exit code of the run.

    Raises
    ------
    SemlossError
        When the stream is no text, has no header or a header with an unknown column.
    """
    count = Count()
    batches = _batches(stream)
    first = next(batches, [])
    if not any(line.strip() for line in first):
        raise SemlossError("no cases: write a CSV with a header, or one JSON object a line")
    told = (line.lstrip() for line in first if line.strip() and not line.startswith("#"))
    opening = next(told, "#")[0]
    if opening == "[":
        raise SemlossError("cases are a JSON array: write one JSON object a line, without brackets")
    if opening == "{":
        _run_json(_chain(first, batches), out, defaults, count)
    else:
        _run_csv(_chain(first, batches), out, defaults, count)
    return count


def _batches(stream: BinaryIO) -> Iterator[list[str]]:
    """Whole lines as they come: what is there is answered before more is waited for."""
    read = getattr(stream, "read1", stream.read)
    rest = b""
    try:
        while block := read(_BLOCK):
            *lines, rest = (rest + block).split(b"\n")
            if lines:
                yield [line.decode("utf-8").removeprefix("\ufeff") for line in lines]
        if rest:
            yield [rest.decode("utf-8").removeprefix("\ufeff")]
    except UnicodeDecodeError:
        raise SemlossError("the cases are no UTF-8 text; save them as CSV UTF-8") from None


def _chain(first: list[str], rest: Iterable[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rest


def _tally(count: Count, found: Record, where: int) -> None:
    if "error" not in found:
        count.answered += 1
        count.missed += found.get("met") is False
        return
    count.unattainable += "met" in found
    count.bad += "met" not in found
    count.first = count.first or f"record {where}: {found['error']}"


def _run_json(batches: Iterable[list[str]], out: TextIO, defaults: Defaults, count: Count) -> None:
    number = 0
    for lines in batches:
        read = [_object(line) for line in lines if line.strip()]
        answers = answer([record for record, _ in read], defaults)
        for (record, why), found in zip(read, answers, strict=True):
            number += 1
            found = {"error": why} if why else found
            _tally(count, found, number)
            plain = {k: None if _is_unknown(v) else v for k, v in {**record, **found}.items()}
            out.write(json.dumps(plain) + "\n")
        out.flush()


def _object(line: str) -> tuple[Record, str]:
    """Record of a line; else an empty one and why."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return {}, f"no JSON: {line.strip()[:60]!r}"
    return (record, "") if isinstance(record, dict) else ({}, "no JSON object")


def _run_csv(batches: Iterable[list[str]], out: TextIO, defaults: Defaults, count: Count) -> None:
    header: list[str] = []
    columns: list[str] = []
    number = 0
    for lines in batches:
        if not header:  # what a table's head says of itself
            lines = [line for line in lines if not line.startswith("#")]
        rows = [row for row in csv.reader(lines) if len(row) > 1 or "".join(row).strip()]
        if rows and not header:
            header = [cell.strip() for cell in rows.pop(0)]
            check_columns(header)
            columns = [*header, *(name for name in ANSWERS if name not in header)]
            columns = [*(name for name in columns if name != "error"), "error"]
            out.write(comment(assumed(defaults.link, defaults.fit)))
            count.told = True
            _write(out, columns)
        cells = [[cell.strip() for cell in row] for row in rows]
        records = [dict(zip(header, row, strict=False)) for row in cells]
        for row, record, found in zip(cells, records, answer(records, defaults), strict=True):
            number += 1
            if len(row) > len(header):
                found = {"error": f"{len(row)} cells for {len(header)} columns"}
            _tally(count, found, number)
            merged = {**record, **found, "error": found.get("error", "")}
            _write(out, [_cell(merged.get(name)) for name in columns])
        out.flush()


def _write(out: TextIO, cells: Sequence[str]) -> None:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    out.write(line.getvalue())


def _cell(value: Any) -> str:  # noqa: ANN401 - a cell
    if value is None or _is_unknown(value):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return format(value, ".10g") if isinstance(value, float) else str(value)


def _is_unknown(value: Any) -> bool:  # noqa: ANN401 - a cell
    return isinstance(value, float) and not math.isfinite(value)
