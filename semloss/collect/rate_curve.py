"""The rate-metric curve of a run's source codecs, from its own cells: what `plan against` reads.

A cell of a digital codec over AWGN, at a CR and an SNR, has k·η bits for an image: one rate, and
what task models and metrics make of what that rate delivers, failed images among them. Cells with
the same rate are one row.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semloss.channels import CHANNELS, Awgn
from semloss.codecs import CODECS
from semloss.codecs.digital import PictureCodec
from semloss.errors import SemlossError
from semloss.storage import write_atomically

#: Of a run's folder; `semloss plan against` finds it there.
FILE = "rate_curve.csv"
#: What the modulation has, not the picture.
_NOT_OF_IMAGES = ("papr_db",)
#: Digits to which rates are the same.
_DIGITS = 9


def rate_curve(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the curve, by rising rate, from the records of a run's cells.

    Returns
    -------
    list of dict
        codec (its label), bits_per_pixel, bits_per_image, metric, task, receiver, direction,
        value, n, height_px, width_px, bands, codec_minimum: 1 on the lowest rate where that
        delivered nothing at all.
    """
    values: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    nothing: set[tuple[str, float]] = set()
    for record in records:
        told = record.get("rebuild", {})
        codec = _digital(told) if told else None
        if codec is None:
            continue
        bands, height, width = told["shape"]
        for row in record["rows"]:
            modcod = codec.scheme(row["snr_db"])
            if modcod is None or row["metric"] in _NOT_OF_IMAGES:
                continue
            bits = told["realisation"]["k"] * modcod.efficiency
            rate = float(f"{bits / (height * width):.{_DIGITS}g}")
            key = (codec.label, row["metric"], row["task"], row["receiver"], rate)
            values[key].append(row | {"bits": bits, "size": (height, width, bands)})
            if row["metric"] == "delivered" and row["value"] == 0:
                nothing.add((codec.label, rate))
    lowest: dict[str, float] = {}
    for label, *_, rate in values:
        lowest[label] = min(rate, lowest.get(label, rate))
    found = []
    for (label, metric, task, receiver, rate), rows in sorted(values.items(), key=lambda i: i[0]):
        height, width, bands = rows[0]["size"]
        found.append({
            "codec": label, "bits_per_pixel": rate, "bits_per_image": rows[0]["bits"],
            "metric": metric, "task": task, "receiver": receiver,
            "direction": rows[0]["direction"],
            "value": float(np.mean([row["value"] for row in rows])), "n": rows[0]["n"],
            "height_px": height, "width_px": width, "bands": bands,
            "codec_minimum": int(rate == lowest[label] and (label, rate) in nothing),
        })  # fmt: skip
    return found


def _digital(told: dict[str, Any]) -> PictureCodec | None:
    """The source codec of a cell, if its rate tells what arrives: over AWGN, at its own SNR."""
    try:
        codec = CODECS.parse(told["codec"], "codec")
        channel = CHANNELS.parse(told["channel"], "channel")
    except SemlossError:  # a codec of another installation
        return None
    follows = isinstance(codec, PictureCodec) and codec.planned_snr_db is None
    return codec if follows and isinstance(channel, Awgn) else None  # type: ignore[return-value]


def write_rate_curve(folder: Path, records: Sequence[dict[str, Any]]) -> Path | None:
    """Write a run's curve into its folder; None where no cell is a source codec's."""
    rows = rate_curve(records)
    if not rows:
        return None
    write_atomically(folder / FILE, pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
    return folder / FILE
