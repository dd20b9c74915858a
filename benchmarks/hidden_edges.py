"""What the 95 % band holds beyond the edges of a measured table.

The outermost CRs or SNRs of either end are hidden, one to half of them, the rest is fitted, and
the hidden cells are asked for: how many lie in the band for new images, its half-width, and the
error. On the reference table 64 fits, some ten minutes on two cores.
"""

import argparse
import sys

import numpy as np

from semloss import fit_surface, load_table, select
from semloss.errors import SemlossError

SURFACES = (("psnr_db", None), ("ssim", None), ("accuracy", "matched"), ("accuracy", "clean"))


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("table", nargs="?", default="data/eurosat-awgn")
    table = load_table(asked.parse_args().table)
    shares = []
    print("metric receiver, end, levels hidden: covered, half-width and error in % of the range")
    for metric, receiver in SURFACES:
        try:
            points = select(table, metric, receiver)
        except SemlossError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        for axis, places in (("CR", points.cr), ("SNR", points.snr_db)):
            levels = np.unique(places)
            for side, order in (("lowest", levels), ("highest", levels[::-1])):
                for count in range(1, len(levels) // 2 + 1):
                    covered, half, error = held(points, np.isin(places, order[:count]))
                    shares.append(covered)
                    print(f"{metric} {receiver or ''}, {side} {axis}, {count}: "
                          f"{covered:.3f}, {half:.1%}, {error:.1%}", flush=True)  # fmt: skip
    print(f"{len(shares)} fits: {np.mean(shares):.3f} covered on average, least {min(shares):.3f}, "
          f"{np.mean(np.array(shares) < 0.9):.0%} below .9")  # fmt: skip


def held(points, hidden):
    """Share of the hidden points in the band; its mean half-width, and the error of its middle."""
    kept, out = points.subset(~hidden), points.subset(hidden)
    band = fit_surface(kept, bootstraps=0).predict(cr=out.cr, snr_db=out.snr_db)
    inside = (band.low <= out.value) & (out.value <= band.high)
    scale = np.ptp(kept.value)
    error = np.sqrt(np.mean((band.value - out.value) ** 2))
    return np.mean(inside), np.mean(band.high - band.low) / 2 / scale, error / scale


if __name__ == "__main__":
    main()
