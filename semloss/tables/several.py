"""Several tables as one, row below row."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from semloss.errors import SemlossError

TABLE = "table"
"""Column that tells which of several files a row is from."""


def refuse_twice(paths: Sequence[Path]) -> None:
    """Refuse a file that is named twice: each of its cells would be."""
    places = [path.resolve() for path in paths]
    twice = next((path for path, place in zip(paths, places, strict=True)
                  if places.count(place) > 1), None)  # fmt: skip
    if twice is not None:
        raise SemlossError(f"{twice} is named twice; drop one")


def joined(paths: Sequence[Path], tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table of several, each row with the number in its file and, as `TABLE`, the file's name.

    What their folders tell is kept where all agree; outcomes of single images are those of all.
    """
    stems = [path.stem if path.suffix else path.name for path in paths]
    names = stems if len(set(stems)) == len(stems) else [str(path) for path in paths]
    parts = [table if TABLE in table else table.assign(**{TABLE: name})
             for name, table in zip(names, tables, strict=True)]  # fmt: skip
    about, *others = (table.attrs["about"] for table in tables)
    notes = [note for table in tables for note in table.attrs["notes"]]
    outcomes = {str(name): file for part in parts for file in part.attrs["outcomes"].values()
                for name in part[TABLE].unique()}  # fmt: skip
    for part in parts:
        part.attrs = {}
    frame = pd.concat(parts)
    texts = frame.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes]]
    frame[texts] = frame[texts].fillna("")
    frame.attrs["about"] = dict(about.items() & set.intersection(*(set(o.items()) for o in others)))
    frame.attrs["notes"] = notes
    frame.attrs["outcomes"] = outcomes
    return frame
