"""A table of codecs through an amplifier whose accuracy and spread are known functions."""

import math

import numpy as np
import pandas as pd
from table_rows import metric_row

CRS, SNRS = (1 / 24, 1 / 12, 1 / 6), np.arange(-8.0, 17.0, 4.0)
IMAGES = 2000
PAPR_DB = 8.25
#: Slope of accuracy .1 + .8 / (1 + exp(-slope x)), x in dB beyond what is lost.
SLOPE = 0.35
RAPP, LINEAR = "rapp-ibo{:g}dB", "rapp-ibo{:g}dB-from-awgn"
#: The codec that was trained at 0 dB, at other back-offs.
MOVED = "rapp-ibo{:g}dB-from-rapp-ibo0dB"
BACK_OFFS = {RAPP: (-2.0, 0.0, 5.0), LINEAR: (2.0,)}


def lost_db(kind, back_off):
    """What a back-off loses in SNR at saturation."""
    if kind == RAPP:
        return 1.0 + 0.1 * (back_off + 2) ** 2
    return 3.5 + 0.1 * (back_off - 2) ** 2


def beside_dbc(kind, back_off):
    """Power in the neighbouring channel; 1 dB less at a CR of 1/6."""
    return (-18 if kind == RAPP else -17) - 2.0 * (back_off + 4)


def needed_db(target, lost, cr=1 / 12):
    """SNR at saturation at which the target is met."""
    return lost + math.log((target - 0.1) / (0.9 - target)) / SLOPE - 4 * math.log2(12 * cr)


def amplified_rows(seed=0, spread=True, back_offs=BACK_OFFS):
    rng = np.random.default_rng(seed)
    links = [("awgn", 0.0, None)]
    links += [
        (kind.format(back_off), lost_db(kind, back_off), beside_dbc(kind, back_off))
        for kind, some in back_offs.items() for back_off in some
    ]  # fmt: skip
    rows = []
    for channel, lost, beside in links:
        for cr in CRS:
            for snr_db in SNRS:
                x = snr_db - lost + 4 * math.log2(12 * cr)
                value = rng.binomial(IMAGES, 0.1 + 0.8 / (1 + math.exp(-SLOPE * x))) / IMAGES
                told = {"channel": channel, "n": IMAGES, "se": np.nan, "receiver": "matched"}
                rows.append(metric_row(cr, snr_db, value=value, **told))
                sent = told | {"direction": "lower", "floor": np.nan, "ceiling": np.nan,
                               "receiver": "none", "task": "none"}  # fmt: skip
                rows.append(metric_row(cr, snr_db, "papr_db", value=PAPR_DB, **sent))
                if beside is not None and spread:
                    less = 1.0 if cr == 1 / 6 else 0.0
                    rows.append(metric_row(cr, snr_db, "acpr_dbc", value=beside - less, **sent))
    return rows


def write_amplified(path, **more):
    pd.DataFrame(amplified_rows(**more)).to_csv(path, index=False)
    return path
