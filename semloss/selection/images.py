"""Tables with a row per image: the mean of each cell, with its spread and count."""

import numpy as np
import pandas as pd

from semloss.outcomes import PerImage
from semloss.selection.measurement_noise import cells, seeds
from semloss.tables.cells import cell_text
from semloss.tables.naming import plain

_IMAGE = {"image", "img", "sample", "tile", "picture", "filename", "file", "idx", "index", "id"}
"""Words by which a column that tells images apart is known."""


def mean_over_images(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str], PerImage | None]:
    """Rows of one surface, those of several images of a cell as one, and a note that says so.

    Value, sd and n become the images' mean, standard deviation and number; of the other columns
    the first row tells. Rows that an image's name does not tell apart stay as they are. Last come
    the images' own values; None where rows stay.
    """
    key = pd.DataFrame({"cell": cells(rows), "seed": seeds(rows)}, index=rows.index)
    if not key.duplicated().any():
        return rows, [], None
    for column in rows.columns:
        names = rows[column].map(cell_text)
        if not _IMAGE & set(plain(str(column)).split("_")) or (names == "").any():
            continue
        if key.assign(image=names).duplicated().any():
            continue
        number = key.groupby(["cell", "seed"], sort=False).ngroup().to_numpy()
        first = np.unique(number, return_index=True)[1]
        of_cell = rows["value"].astype(float).groupby(number)
        kept = rows.iloc[first].drop(columns=["se", column], errors="ignore")
        count = of_cell.count().to_numpy()
        kept = kept.assign(value=of_cell.mean().to_numpy(), sd=of_cell.std().to_numpy(), n=count)
        span = f"{count.min()}" if count.min() == count.max() else f"{count.min()} to {count.max()}"
        each = rows.assign(_cell=number, _image=names.to_numpy())
        values = each.pivot(index="_cell", columns="_image", values="value")
        own = PerImage(tuple(map(str, values)), values.to_numpy(float))
        return kept, [f"mean over {column}: {span} images a cell"], own
    return rows, [], None
