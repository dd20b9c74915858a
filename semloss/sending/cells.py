"""Which measured cell of a run is meant."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semloss.collect.run import cell_of
from semloss.collect.stages.rebuild import Record, rebuild_records
from semloss.errors import SemlossError
from semloss.storage import read_json
from semloss.tables.cells import cell_is
from semloss.text import meant
from semloss.units import format_cr


@dataclass(frozen=True)
class Cell:
    """A measured cell of a run.

    Attributes
    ----------
    run, name
        Folder of the run, and the cell's name.
    row
        What the cells table says of it.
    rebuild
        What its networks are built from; see `semloss.collect.stages.rebuild`.
    """

    run: Path
    name: str
    row: Mapping[str, Any]
    rebuild: Record

    @property
    def cr(self) -> float:
        """CR = k/n."""
        return float(self.row["cr"])

    @property
    def snr_db(self) -> float:
        """Es/N0 in dB that it was trained, or else measured, at."""
        return float(self.rebuild["snr_db"])

    @property
    def place(self) -> str:
        """CR and SNR in words."""
        return f"CR {format_cr(self.cr)}, {self.snr_db:g} dB"


def choose_cell(
    run: Path | str,
    cell: str | None = None,
    *,
    cr: float | None = None,
    snr_db: float | None = None,
    where: Mapping[str, str] | None = None,
) -> tuple[Cell, list[str]]:
    """Find a cell by its name, or the one nearest to CR and SNR.

    Parameters
    ----------
    run
        Folder of a run, or of one of its cells.
    cell
        Name of the cell, or the path of its folder.
    cr, snr_db
        Nearest to this k/n on a log scale, then to this Es/N0 in dB.
    where
        Only cells with these values in the cells table: {"objective": "mse"}. Of several seeds
        the first is taken.

    Returns
    -------
    tuple of Cell and list of str
        The cell, and what a reader should know of the choice.

    Raises
    ------
    SemlossError
        When there is no such cell, it diverged, or several are as near.
    """
    run = Path(run)
    if run.parent.name == "cells":  # the cell's own folder
        run, cell = run.parent.parent, cell or run.name
    cells = cells_of(run)
    if cell is not None:
        name = Path(cell).name
        if name not in cells:
            raise SemlossError(f"{run} has no cell {name}; {meant(name, cells)}")
        return cells[name], []
    found = measured_cells(run, where)
    if cr is not None:
        found = _nearest(found, lambda one: abs(math.log(one.cr / cr)))
    if snr_db is not None:
        found = _nearest(found, lambda one: abs(one.snr_db - snr_db))
    found = _nearest(found, lambda one: int(one.row["seed"]))
    if len(found) > 1:
        some = ", ".join(one.name for one in found[:4])
        raise SemlossError(
            f"{run}: {len(found)} cells are as near; give --cr, --snr-db, --where COLUMN=VALUE or "
            f"--cell NAME: {some}{', …' if len(found) > 4 else ''}"
        )
    chosen, notes = found[0], []
    asked = [] if cr is None else [f"CR {format_cr(cr)}"]
    asked += [] if snr_db is None else [f"{snr_db:g} dB"]
    far = cr is not None and abs(math.log(chosen.cr / cr)) > 1e-3
    if far or (snr_db is not None and abs(chosen.snr_db - snr_db) > 1e-6):
        notes.append(f"the cell nearest to {', '.join(asked)} is that of {chosen.place}")
    return chosen, notes


def measured_cells(run: Path, where: Mapping[str, str] | None = None) -> list[Cell]:
    """Cells of a run that were measured and did not diverge; `where` as in `choose_cell`.

    Raises
    ------
    SemlossError
        When there is none.
    """
    found = [one for one in cells_of(run).values() if _has(one, where or {})]
    if not found:
        asked = ", ".join(f"{column} = {value}" for column, value in (where or {}).items())
        raise SemlossError(f"{run} has no cell with {asked}")
    return found


def _nearest(cells: list[Cell], distance: Any) -> list[Cell]:  # noqa: ANN401 - a function
    least = min(distance(one) for one in cells)
    return [one for one in cells if distance(one) <= least + 1e-9]


def _has(cell: Cell, where: Mapping[str, str]) -> bool:
    for column in where:
        if column not in cell.row:
            raise SemlossError(f"--where {column}: {meant(column, cell.row)}")
    return all(cell_is(cell.row[column], value) for column, value in where.items())


def cells_of(run: Path) -> dict[str, Cell]:
    """All cells that were measured and did not diverge, by name."""
    if not (run / "cells").is_dir():
        raise SemlossError(f"{run} is no run of semloss collect: it has no folder cells")
    records = {
        path.parent.name: read_json(path) for path in sorted(run.glob("cells/*/measured.json"))
    }
    good = {name: one for name, one in records.items() if one.get("status") in ("ok", "retried")}
    if not good:
        raise SemlossError(f"{run} has no cell that was measured and did not diverge")
    older = {} if all("rebuild" in one for one in good.values()) else rebuild_records(run)
    found = {}
    for name, record in good.items():
        rebuild = record.get("rebuild") or older.get(name)
        if rebuild is not None:
            found[name] = Cell(run, name, cell_of(record), rebuild)
    if not found:
        raise SemlossError(
            f"{run} was measured by a version whose cells do not tell how they are built, and this "
            "one names them otherwise; collect it again in another folder"
        )
    return found
